"""A console in the process of the app, for tests alone: an expression a line comes in, its value goes out as JSON."""

import json
import resource
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

import streamlit as st
from streamlit.runtime import get_instance

from scse_viz.inference.jobs import Job
from scse_viz.scans import Scan
from scse_viz.ui import incoming, lifetime

ANSWER = "console: "
alive: WeakSet[Scan] = WeakSet()
"""Every scan that anybody holds."""


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """The app's own lifetime, with a console."""
    _count(Scan)
    async with lifetime.lifespan(app):
        threading.Thread(target=_answer, daemon=True).start()
        yield


def names() -> list[str]:
    """The names of the scans that anybody holds; nothing is collected for the answer."""
    return sorted(scan.name for scan in alive)


def runs() -> list[tuple[str, int]]:
    """The state and the number of slices done of every run that is kept."""
    from scse_viz.ui.shell import cached

    return [(value.state, value.ready) for value in cached.store.values() if isinstance(value, Job)]


def stored() -> int:
    """Bytes of the files that the web server keeps for all sessions."""
    return incoming.stored(get_instance())


def _count(kind: type) -> None:
    begin = kind.__init__

    def counted(self: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        alive.add(self)

    kind.__init__ = counted


def _answer() -> None:
    from scse_viz.ui.shell import cached, tab

    parts = {"tab": tab, "store": cached.store, "resource": resource}
    known = {"names": names, "runs": runs, "stored": stored, **parts}
    for line in sys.stdin:
        try:
            answer = eval(line, known)
        except Exception as error:
            answer = repr(error)
        print(ANSWER + json.dumps(answer, default=repr), flush=True)
