"""The pages, in the order of the top bar."""

import gc
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import streamlit as st

from scse_viz.ui.shell import tab, uploads

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


@st.cache_resource(show_spinner=False)
def load_libraries() -> None:
    """Import every page before the first session opens a scan, and exempt what they loaded from garbage collection.

    From then on files come in without touching the disk, and what closed sessions leave is swept up.

    Streamlit collects garbage after every run, during which no other thread runs: 0.2 s for the 300,000 objects of
    these libraries, which are never garbage. Frozen once, at the start, they are skipped; what sessions create later
    is not frozen, and is freed when they end.
    """
    for name in TITLES:
        _module(name)
    uploads.keep_in_memory()
    tab.keep_house()
    gc.collect()
    gc.freeze()


def _runner(name: str) -> Callable[[], None]:
    return lambda: _module(name).page()


def _module(name: str) -> ModuleType:
    return import_module(f"scse_viz.ui.{name}.page")
