"""The browser tab of a session: half a minute after it was closed, what belongs to its session is freed."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.fragment import FragmentStorage
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import SessionState

from scse_viz.memory import Hold
from scse_viz.ui.shell import cached

GRACE_S = 30.0
"""Seconds in which a tab that lost its connection can resume its session, with its file."""
EVERY_S = 10.0
"""Interval of sweeps."""

MOST_LEFT_OUT = 16
"""Reasons that are kept of files that a session sent and the server left out."""

_left_out: dict[str, dict[str, str]] = {}  # by session and file
_holds: dict[str, WeakSet[Hold]] = {}  # by session
_kept: dict[str, tuple[SessionState, FragmentStorage]] = {}  # of sessions whose tab is open, or may come back


def begin() -> None:
    """Note, in every run of a session, that its tab is open."""
    run = get_script_run_ctx()
    if run is not None:
        _open(run.session_id)


def until_end(hold: Hold) -> None:
    """End a hold with the session that has it."""
    run = get_script_run_ctx()
    if run is not None:
        _holds.setdefault(run.session_id, WeakSet()).add(hold)


def leave_out(session: str, file: str, why: str) -> None:
    """Keep why a file that a session sent was left out."""
    reasons = _left_out.setdefault(session, {})
    reasons[file] = why
    if len(reasons) > MOST_LEFT_OUT:
        del reasons[next(iter(reasons))]


def why_left_out(file: str) -> str | None:
    """Why a file that this session sent was left out; None if it was not."""
    run = get_script_run_ctx()
    return None if run is None else _left_out.get(run.session_id, {}).get(file)


def ended(session: str) -> bool:
    """Whether a session is over: its tab was closed, and can't come back."""
    return session not in _kept and not get_instance().is_active_session(session)


@contextmanager
def sweeping() -> Iterator[None]:
    """Sweep the store meanwhile, in a thread of its own."""
    ended = threading.Event()
    thread = threading.Thread(target=_sweep, args=(ended,), name="sweep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _closed(session: str) -> None:
    """Streamlit drops the caches of a session when its tab is closed, on the server's event loop."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # no server
        return
    loop.call_later(GRACE_S, _end, session)


@st.cache_resource(scope="session", show_spinner=False, on_release=_closed)
def _open(session: str) -> str:
    run, known = get_script_run_ctx(), get_instance().get_app_session(session) if exists() else None
    if run is not None and known is not None:
        _kept[session] = known.session_state, run.fragment_storage
    return session


def _end(session: str) -> None:
    """Give up a session and empty it: Streamlit keeps the one that it served last until it serves another."""
    server = get_instance()
    if server.is_active_session(session):  # it came back
        return
    server.close_session(session)
    if (parts := _kept.pop(session, None)) is not None:
        state, fragments = parts
        state.clear()
        state._new_widget_state.widget_metadata.clear()  # callbacks, which hold scans
        fragments.clear()
    _left_out.pop(session, None)
    for hold in _holds.pop(session, ()):
        hold.end()


def _sweep(ended: threading.Event) -> None:
    while not ended.wait(EVERY_S):
        cached.store.sweep()
