"""The order in which what a run draws reaches the browser: the page first, the sidebar after it.

A browser draws one thing after another, and the sidebar has more widgets than any page: a redraw of it takes as long as
two forward passes, and whoever moves a slider does not look at it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.RootContainer_pb2 import RootContainer
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

HOLD_S = 0.5
"""The longest that anything waits, as when a page computes: then it goes as it comes."""
PAUSE_S = 0.15
"""Between the page and the sidebar: what a browser that shares one core with the server takes to draw the page."""
_BEGUN = "delivery_begun"


@contextmanager
def page_first() -> Iterator[None]:
    """Hold what this run draws until its end, then send the page, and the sidebar after a pause.

    Not in the first run of a session: its visitor sees nothing yet.
    """
    run, first = get_script_run_ctx(), _BEGUN not in st.session_state
    st.session_state[_BEGUN] = True
    if run is None or first:
        yield
        return
    held = _Held(run.enqueue)
    run.enqueue = held.take  # type: ignore[method-assign]
    late = threading.Timer(HOLD_S, held.release)
    late.daemon = True
    late.start()
    try:
        yield
        _aside(held.release_page)
        _pause(run)
    finally:
        late.cancel()
        _aside(held.release)
        del run.enqueue  # that of its class again


class _Held:
    """Messages to the browser, in the order in which they were made, each with the context of its making."""

    def __init__(self, send: Callable[[ForwardMsg], None]) -> None:
        self._send = send
        self._page: list[Callable[[], None]] = []
        self._sidebar: list[Callable[[], None]] = []
        self._late = False
        self._lock = threading.Lock()

    def take(self, msg: ForwardMsg) -> None:
        """Hold a message, or send it if it is late."""
        with self._lock:
            if not self._late:
                of_sidebar = msg.metadata.delta_path[:1] == [RootContainer.SIDEBAR]
                follows = of_sidebar or msg.WhichOneof("type") == "page_info_changed"  # the address
                send = partial(copy_context().run, self._send, msg)  # Streamlit notes there whose element it is
                (self._sidebar if follows else self._page).append(send)
                return
        self._send(msg)

    def release_page(self) -> None:
        """Send what was held for the page."""
        with self._lock:
            self._empty(self._page)

    def release(self) -> None:
        """Send all that was held, and hold nothing from now on."""
        with self._lock:
            self._empty(self._page)
            self._empty(self._sidebar)
            self._late = True

    @staticmethod
    def _empty(held: list[Callable[[], None]]) -> None:
        for send in held:
            send()
        held.clear()


def _aside(send: Callable[[], None]) -> None:
    """Send from another thread: in that of the script, sending ends a run that a newer one waits for."""
    thread = threading.Thread(target=send)
    thread.start()
    thread.join()


def _pause(run: ScriptRunContext) -> None:
    """Wait for PAUSE_S, or until a newer run wants to begin, which raises as any call of Streamlit would."""
    end = time.monotonic() + PAUSE_S
    while time.monotonic() < end:
        run.yield_check()
        time.sleep(0.01)
