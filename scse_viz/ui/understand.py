"""Understand: in the making."""

import streamlit as st

from scse_viz.ui import sidebar, state


def page() -> None:
    """The page."""
    sidebar.view()
    state.note_lost(sidebar.KEYS)
    st.info("In the making.")
