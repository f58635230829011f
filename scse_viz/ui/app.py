"""The app: page set-up and navigation, nothing else."""

from pathlib import Path

import streamlit as st

from scse_viz.ui.shell import delivery, navigation, sidebar


def draw() -> None:
    """Draw the page that the address names; Streamlit calls this on every run."""
    with delivery.page_first():
        st.set_page_config(page_title="scSE viz", layout="wide")
        st.html(Path(sidebar.__file__).with_name("page.css"))
        page = st.navigation(navigation.all_pages(), position="top")
        try:
            sidebar.begin()
            page.run()
        finally:
            sidebar.end()
