"""The app: `streamlit run app.py`."""

import streamlit as st

from scse_viz.ui import lifetime

app = st.App(lifetime.SCRIPT, lifespan=lifetime.lifespan, middleware=lifetime.MIDDLEWARE)
