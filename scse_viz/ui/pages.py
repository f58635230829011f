"""The pages, in the order of their names in the top bar."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import streamlit as st

TITLES = {
    "compare": "Compare",
    "explore": "Explore",
    "intervene": "Intervene",
    "volume": "Volume",
    "understand": "Understand",
    "models": "Models",
}


def all_pages() -> list[Any]:
    """Every page; the first is where an address without a page leads."""
    return [page(name) for name in TITLES]


def page(name: str) -> Any:
    """A page by the name of its module, for `st.navigation`, `st.page_link` and `st.switch_page`."""
    return st.Page(_runner(name), title=TITLES[name], url_path=name, default=name == next(iter(TITLES)))


def _runner(name: str) -> Callable[[], None]:
    def run() -> None:
        import_module(f"scse_viz.ui.{name}").page()  # a page's libraries are loaded when it is opened

    return run
