"""What `scse-viz app` gives to Streamlit where there is no checkout with an `app.py`."""

import streamlit as st

from scse_viz.ui import lifetime

app = st.App(lifetime.SCRIPT, lifespan=lifetime.lifespan)
