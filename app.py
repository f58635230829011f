"""The app: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from scse_viz.ui import compare

st.set_page_config(page_title="scSE viz", layout="wide")
st.html(Path(compare.__file__).with_name("page.css"))
st.navigation([st.Page(compare.page, title="Compare", url_path="compare", default=True)]).run()
