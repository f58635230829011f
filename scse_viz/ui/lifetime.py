"""The lifetime of the server: what is done once, before the first session and after the last."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import net_util

from scse_viz.system.openmp import sleep_soon
from scse_viz.ui.incoming import Incoming

sleep_soon()  # before any page loads torch

SCRIPT = Path(__file__).with_name("__main__.py")
"""What Streamlit runs for each session."""
MIDDLEWARE = [Middleware(Incoming)]
"""What every request passes first."""


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Import every page, exempt what they loaded from garbage collection, and sweep up after closed sessions.

    What passes free is kept for the next ones, see `memory.allocator.keep_for_reuse`.

    Streamlit collects garbage after every run, during which no other thread runs: 0.2 s for the 300,000 objects of
    these libraries, which are never garbage. Frozen before there is a session, they are skipped, and nothing of a
    session is: all that a session makes is freed after its end.
    """
    from scse_viz.inference.turns import within_quota
    from scse_viz.memory.allocator import keep_for_reuse
    from scse_viz.ui.shell import navigation, tab, uploads  # with Streamlit's runtime, which their caches ask for

    keep_for_reuse()
    uploads.keep_in_memory()
    never_look_up_own_address()
    within_quota()
    navigation.load_pages()
    gc.collect()
    gc.freeze()
    with tab.sweeping():
        yield


def never_look_up_own_address() -> None:
    """Keep the server from asking a machine on the internet for its own address.

    It would for every WebSocket from a page of another site, and serve nobody until it has an answer or waited for 2 s.
    """
    net_util.get_external_ip = lambda: None
