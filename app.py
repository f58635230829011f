"""The app: `streamlit run app.py`."""

from scse_viz.ui.app import draw

draw()
