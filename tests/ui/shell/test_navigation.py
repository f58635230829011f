"""What the start of the app keeps, and what the end of a session frees."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
START = """
import gc
from scse_viz.ui.shell import navigation
navigation.load_libraries()
"""
COLLECTED = """
import plotly, torch
later = {"of a session": []}
traversed = {id(part) for part in gc.get_objects()}
assert id(later) in traversed
assert not traversed & {id(vars(torch)), id(vars(torch.nn)), id(vars(plotly))}
"""
SESSION = """
import io, weakref
from scse_viz.ui.shell import cached
import numpy as np
from streamlit.testing.v1 import AppTest

PAGE = '''
from scse_viz.ui.shell import navigation, sidebar
sidebar.begin()
navigation._module("explore").page()
'''
file = io.BytesIO()
np.save(file, np.random.default_rng(0).random((20, 20, 20)))
app = AppTest.from_string(PAGE, default_timeout=120)
app.query_params.update({"scan": "your own file"})
app.run()
app.file_uploader(key="scan_file").upload("mine.npy", file.getvalue())
app.run()
assert not app.exception
scan = app.session_state["view"].scan
assert scan.name == "mine.npy"
left = weakref.ref(scan)
navigation.load_libraries()  # another session begins while this one has a scan open
cycle = [scan]
cycle.append(cycle)  # what only the collector can free
del scan, cycle, app
cached.store.sweep()
gc.collect()
assert left() is None, gc.get_referrers(left())
"""


def run(code: str) -> None:
    """Run Python in a process of its own, in which nothing was loaded or frozen before."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_collector_passes_over_the_libraries_of_all_pages_and_not_over_sessions() -> None:
    run(START + COLLECTED)


def test_an_upload_is_freed_when_its_session_ends() -> None:
    run(START + SESSION)
