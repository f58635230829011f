"""The app as it is served, with a console for the tests."""

import streamlit as st

from scse_viz.ui import lifetime
from tests.load import console

app = st.App(lifetime.SCRIPT, lifespan=console.lifespan, middleware=lifetime.MIDDLEWARE)
