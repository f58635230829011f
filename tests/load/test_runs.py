"""Runs of a volume in the served app: they end with their tab, and say how many are ahead of them."""

import pytest

from tests.load.server import Server, until
from tests.load.tab import Tab

STARTED_S = 60.0
MOST_AFTER = 2
"""Slices that a run may still do after its tab has closed: the one under way, and one more."""


def running(server: Server, query: str) -> Tab:
    """A tab that started the run of a plane, or queued it."""
    tab = Tab(server.address, "volume", query)
    tab.run(volume_start=True)
    assert not tab.errors
    return tab


def again(tab: Tab) -> str:
    """What a tab says after another run of its page."""
    tab.run()
    return " ".join(tab.words())


@pytest.mark.parametrize("busy", [False, True], ids=["at rest", "while its page is drawn"])
def test_a_run_stops_within_two_slices_when_its_tab_closes(server: Server, busy: bool) -> None:
    plane = "coronal" if busy else "axial"
    tab = running(server, f"architecture=DenseNet&plane={plane}")
    assert until(lambda: server.ask("runs()")[-1][0] == "running" and server.ask("runs()")[-1][1] >= 2, STARTED_S)
    if busy:
        tab.ask(block="encoder2")
    before = server.ask("runs()")[-1][1]
    tab.close()
    assert until(lambda: server.ask("runs()")[-1][0] == "stopped", STARTED_S)
    assert server.ask("runs()")[-1][1] <= before + MOST_AFTER


def test_two_run_and_those_that_wait_say_how_many_are_ahead(server: Server) -> None:
    tabs = [
        running(server, f"architecture=DenseNet&variant={variant}&plane=sagittal")
        for variant in ("none", "cSE", "sSE", "scSE")
    ]
    for tab in tabs:
        tab.run()
    said = [" ".join(tab.words()) for tab in tabs]
    assert all("of 181 sagittal slices" in text for text in said[:2])
    assert "Waiting for 1 other run to end" in said[2]
    assert "Waiting for 2 other runs to end" in said[3]
    tabs[0].close()
    assert until(lambda: "Waiting for 1 other run to end" in again(tabs[3]), STARTED_S)
    for tab in tabs[1:]:
        tab.close()
    assert until(lambda: all(state == "stopped" for state, _ in server.ask("runs()")), STARTED_S)
