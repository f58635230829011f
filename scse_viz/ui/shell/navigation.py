"""The pages, in the order of their names in the top bar."""

import gc
from collections.abc import Callable
from functools import cache
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
    "models": "Models",
}
FIRST = next(iter(TITLES))


def all_pages() -> list[Any]:
    """Every page; the first is where an address without a page leads, and one that names it leads there too."""
    by_name = st.Page(_runner(FIRST), title=TITLES[FIRST], url_path=FIRST, visibility="hidden")
    return [*(page(name) for name in TITLES), by_name]


def page(name: str) -> Any:
    """A page by the name of its module, for `st.navigation`, `st.page_link` and `st.switch_page`."""
    path = None if name == FIRST else name
    return st.Page(_runner(name), title=TITLES[name], url_path=path, default=name == FIRST)


def _runner(name: str) -> Callable[[], None]:
    return lambda: _module(name).page()


@cache
def _module(name: str) -> ModuleType:
    """A page's module; its libraries are loaded when it is opened first.

    Streamlit collects garbage after every run and lets nobody else run meanwhile: 0.2 s for the 300,000 objects of
    these libraries, which are never garbage. Frozen, they are passed over.
    """
    module = import_module(f"scse_viz.ui.{name}.page")
    gc.collect()
    gc.freeze()
    return module
