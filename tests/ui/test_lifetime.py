"""What the start of the server loads and keeps from the garbage collector, and whom it does not ask."""

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
from scse_viz.ui import lifetime

async def serve():
    async with lifetime.lifespan(None):
        import plotly, torch, scse_viz.ui.understand.page as page  # loaded by now
        traversed = {id(part) for part in gc.get_objects()}
        assert not traversed & {id(vars(torch)), id(vars(plotly)), id(vars(page))}

asyncio.run(serve())
"""


def test_the_collector_passes_over_pages_and_libraries_that_the_start_loads() -> None:
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
