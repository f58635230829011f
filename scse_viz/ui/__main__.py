"""The script that `scse-viz app` gives to Streamlit."""

from scse_viz.ui.app import draw

draw()
