"""What the start of the server keeps from the garbage collector: the libraries, and nothing of any session."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit import net_util
from streamlit.web.server.server_util import is_url_from_allowed_origins

from scse_viz.ui import lifetime

ROOT = Path(__file__).parents[2]
START = """
import asyncio, gc
import plotly, torch
from scse_viz.ui import lifetime

async def serve():
    async with lifetime.lifespan(None):
        later = {"of a session": []}
        traversed = {id(part) for part in gc.get_objects()}
        assert id(later) in traversed
        assert not traversed & {id(vars(torch)), id(vars(torch.nn)), id(vars(plotly))}

asyncio.run(serve())
"""


def test_the_collector_passes_over_the_libraries_of_all_pages_and_not_over_sessions() -> None:
    """In a process of its own, in which nothing was loaded or frozen before."""
    done = subprocess.run([sys.executable, "-c", START], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_page_of_another_site_is_refused_without_asking_the_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)  # put back afterwards
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda address, **_: asked.append(address))
    lifetime.never_look_up_own_address()
    assert not is_url_from_allowed_origins("http://elsewhere.example")
    assert asked == []
