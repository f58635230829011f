"""A slice that a user waits for while volumes are run: `pytest tests/benchmarks/test_turns.py -s`.

The served app, driven over its websocket: new slices of Compare with four networks, first alone, then with six runs of
a volume under way, of which two run at once on two cores.
"""

import statistics
from collections.abc import Iterable
from pathlib import Path

from tests.load.drive import VIEW
from tests.load.server import Server, until
from tests.load.tab import Tab

GOAL = 1.5
SLICES = range(60, 120, 4)
RUNS = [(plane, variant) for plane in ("coronal", "sagittal") for variant in ("cSE", "sSE", "scSE")]


def test_a_slice_that_someone_waits_for_goes_first(tmp_path: Path) -> None:
    with Server(tmp_path / "log") as server:
        tab = Tab(server.address, query=VIEW)
        tab.run(axial=SLICES[0])
        alone = stepped(tab, SLICES[1:8])
        runs = [Tab(server.address, "volume", f"plane={plane}&variant={variant}") for plane, variant in RUNS]
        for run in runs:
            run.run(volume_start=True)
        assert until(lambda: sum(ready for _, ready in server.ask("runs()")) > 2, 60)
        before = sum(ready for _, ready in server.ask("runs()"))
        beside = stepped(tab, SLICES[8:])
        states = [state for state, _ in server.ask("runs()")]
        assert sorted(states) == ["running", "running", *["waiting"] * 4]
        done = sum(ready for _, ready in server.ask("runs()")) - before
    ratio = statistics.median(beside) / statistics.median(alone)
    print(
        f"\nnew slice: {said(alone)} alone, {said(beside)} beside six runs: {ratio:.2f}, goal {GOAL}; {done} slices run"
    )
    assert ratio <= GOAL


def stepped(tab: Tab, slices: Iterable[int]) -> list[float]:
    """Seconds of each new slice, a breath between two of them."""
    times = []
    for index in slices:
        times.append(tab.run(axial=index))
        tab.follow(0.5)
    return times


def said(times: list[float]) -> str:
    return f"{statistics.median(times) * 1000:.0f} ms (worst {max(times) * 1000:.0f})"
