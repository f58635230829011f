"""The lifetime of the server: what is done once, before the first session and after the last."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

SCRIPT = Path(__file__).with_name("__main__.py")
"""What Streamlit runs for each session."""


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Import every page, exempt what they loaded from garbage collection, and sweep up after closed sessions.

    Streamlit collects garbage after every run, during which no other thread runs: 0.2 s for the 300,000 objects of
    these libraries, which are never garbage. Frozen before there is a session, they are skipped, and nothing of a
    session is: all that a session makes is freed after its end.
    """
    from scse_viz.ui.shell import navigation, tab, uploads  # with Streamlit's runtime, which their caches ask for

    uploads.keep_in_memory()
    navigation.load_pages()
    gc.collect()
    gc.freeze()
    with tab.sweeping():
        yield
