"""The script that Streamlit runs for each session."""

from scse_viz.ui.app import draw

draw()
