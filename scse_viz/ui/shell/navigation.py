"""The pages, in the order of the top bar."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import streamlit as st

TITLES = {
    "compare": "Compare",
    "explore": "Explore",
    "intervene": "Intervene",
    "volume": "Volume",
    "understand": "Understand",
    "cohort": "Cohort",
    "models": "Models",
}
FIRST = next(iter(TITLES))


def all_pages() -> list[Any]:
    """Every page. The first opens at an address without a page, and at one that names it."""
    by_name = st.Page(_runner(FIRST), title=TITLES[FIRST], url_path=FIRST, visibility="hidden")
    return [*(page(name) for name in TITLES), by_name]


def page(name: str) -> Any:
    """A page by the name of its module, for `st.navigation`, `st.page_link` and `st.switch_page`."""
    path = None if name == FIRST else name
    return st.Page(_runner(name), title=TITLES[name], url_path=path, default=name == FIRST)


def load_pages() -> None:
    """Import every page, so that no visitor waits for it."""
    for name in TITLES:
        _module(name)


def _runner(name: str) -> Callable[[], None]:
    return lambda: _module(name).page()


def _module(name: str) -> ModuleType:
    return import_module(f"scse_viz.ui.{name}.page")
