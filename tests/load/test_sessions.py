"""What a closed tab leaves in the served app: nothing after a minute."""

import io

import numpy as np

from tests.load.server import Server, until
from tests.load.tab import Tab

MINUTE_S = 60.0
SIDE = 48


def scan_file(number: int, side: int = SIDE) -> bytes:
    """A volume that no other number has."""
    file = io.BytesIO()
    np.save(file, np.random.default_rng(number).random((side, side, side), dtype=np.float32))
    return file.getvalue()


def opened(server: Server, number: int, page: str = "explore", side: int = SIDE) -> Tab:
    """A tab with a scan of its own."""
    tab = Tab(server.address, page)
    tab.upload("scan_file", f"mine{number}.npy", scan_file(number, side))
    assert not tab.errors, tab.errors
    return tab


def of_tabs(server: Server) -> list[str]:
    """The scans that anybody holds in the process of the app, but for samples."""
    return [name for name in server.ask("names()") if name.startswith("mine")]


def test_the_scans_of_closed_tabs_are_freed_within_a_minute_the_first_and_the_last_too(server: Server) -> None:
    """Each scan is watched by a weak reference in the process of the app; an open tab keeps its own meanwhile.

    One tab closes at rest, one in the middle of a run of its page.
    """
    first, second, kept = (opened(server, number) for number in range(3))
    assert of_tabs(server) == ["mine0.npy", "mine1.npy", "mine2.npy"]
    first.close()
    second.ask(axial=1)
    second.close()
    assert until(lambda: of_tabs(server) == ["mine2.npy"], MINUTE_S), of_tabs(server)
    kept.run(axial=3)
    assert not kept.errors
    server.ask("setattr(tab, 'GRACE_S', 0.5)")  # the minute was waited for once
    kept.close()
    assert until(lambda: of_tabs(server) == [], MINUTE_S), of_tabs(server)  # the last one too, with no other tab open


def test_memory_after_200_uploads_is_that_after_20(server: Server) -> None:
    """Within 10 %, each tab closed after its upload; sessions are given up at once, as 30 s would make it an hour."""
    server.ask("setattr(tab, 'GRACE_S', 0.5) or setattr(tab, 'EVERY_S', 1.0)")
    resident = {}
    for number in range(200):
        opened(server, 100 + number, "models", side=64).close()
        if number + 1 in (20, 200):
            assert until(lambda: of_tabs(server) == [], MINUTE_S), of_tabs(server)
            resident[number + 1] = server.resident
    assert resident[200] <= 1.1 * resident[20], resident
