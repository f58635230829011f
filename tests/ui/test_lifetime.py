"""What the start of the server keeps from the garbage collector: the libraries, and nothing of any session."""

import subprocess
import sys
from pathlib import Path

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
