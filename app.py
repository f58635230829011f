"""The app: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from scse_viz.ui.shell import navigation, sidebar

st.set_page_config(page_title="scSE viz", layout="wide")
st.html(Path(sidebar.__file__).with_name("page.css"))
navigation.load_libraries()
page = st.navigation(navigation.all_pages(), position="top")
try:
    sidebar.begin()
    page.run()
finally:
    sidebar.end()
