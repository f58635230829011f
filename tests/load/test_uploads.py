"""Uploads to the served app: where no byte can be written, after a lost connection, and after a restart."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scse_viz.ui.shell import uploads
from tests.load.server import Server, free_port, until
from tests.load.tab import Tab
from tests.load.test_sessions import SIDE, opened, scan_file

HALF = 16 << 20
LARGE = 160
"""Voxels a side: 16 MB, where the web server would begin to write a file at 1 MB."""


def label_file() -> bytes:
    """Labels on the grid of the scan of a tab."""
    file = io.BytesIO()
    np.save(file, np.ones((SIDE, SIDE, SIDE), dtype=np.uint8))
    return file.getvalue()


def test_an_upload_needs_no_room_on_any_disk(tmp_path: Path) -> None:
    """As with a full temporary folder and a read-only file system: from then on no file of the process may grow."""
    with Server(tmp_path / "log") as server:
        server.ask("resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))")
        tab = opened(server, 1, side=LARGE)
        assert "mine1.npy" in " ".join(tab.words())
        tab.close()


def test_a_lost_connection_finds_its_file_again_and_a_restart_asks_for_it(tmp_path: Path) -> None:
    port = free_port()
    with Server(tmp_path / "log", port=port) as server:
        tab = opened(server, 2)
        tab.run(plane="coronal")
        tab.run(coronal=7)
        tab.upload("labels_file", "labels2.npy", label_file())
        tab.upload("network_files", "network2.pt", b"no network")
        tab.reconnect()
        assert "mine2.npy · coronal slice 7" in " ".join(tab.words())
        before = tab.query
    with Server(tmp_path / "again", port=port) as server:
        tab.reconnect()  # with an uploader that names the file of the server before
        assert tab.words().count(uploads.LOST) == 2  # of the scan and the network
        assert not tab.errors
        tab.upload("scan_file", "mine2.npy", scan_file(2))
        assert tab.words().count(uploads.LOST) == 2  # of its labels and the network
        assert "mine2.npy · coronal slice 7" in " ".join(tab.words())
        another = Tab(server.address, "explore", before)  # the address alone, as in another browser
        assert "Open your file above. A link does not contain it" in " ".join(another.words())
        another.upload("scan_file", "mine2.npy", scan_file(2))
        assert "mine2.npy · coronal slice 7" in " ".join(another.words())


def halves(server: Server, tab: Tab) -> Iterator[bytes]:
    """A file whose tab closes after the first half, and whose second half comes once the server has ended its session.

    The half is more than the buffers of the connection hold: once it is sent, the server is taking in the file.
    """
    yield bytes(HALF)
    tab.close()
    assert until(lambda: server.ask(f"tab.ended('{tab.session}')"), 10)
    yield bytes(HALF)


def test_a_file_whose_session_ends_while_it_comes_in_is_forgotten(server: Server) -> None:
    server.ask("setattr(tab, 'GRACE_S', 0.5)")
    tab = Tab(server.address, "models")
    place = tab.place("late.npy")
    assert tab.put(place, "late.npy", halves(server, tab), size=2 * HALF) == (204, "")
    assert until(lambda: server.ask("stored()") == 0, 5)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has memory for three files of 40 MiB."""
    environment = {"SCSE_VIZ_MEMORY": "100 MB", "STREAMLIT_SERVER_MAX_UPLOAD_SIZE": "50"}
    with Server(tmp_path_factory.mktemp("small") / "log", environment) as server:
        server.ask("setattr(tab, 'GRACE_S', 0.5)")
        yield server


def test_files_that_no_page_has_opened_take_the_budget_and_one_file_at_most(small: Server) -> None:
    """Any program that has a session may send files to places that it makes up."""
    tab = Tab(small.address, "models")
    content = [bytes(40 << 20)]
    answers = [tab.put(tab.place("sent.npy"), "sent.npy", content) for _ in range(5)]
    assert answers == [(204, "")] * 5
    assert small.ask("stored()") == 3 * (40 << 20)
    too_large = tab.put(tab.place("large.npy"), "large.npy", [bytes(60 << 20)])
    assert too_large[0] == 413
    tab.close()
    assert until(lambda: small.ask("stored()") == 0, 30)


def test_a_file_for_which_no_memory_is_left_is_refused_in_a_sentence(small: Server) -> None:
    """What was on the screen stays, and the next file opens once there is room."""
    greedy = Tab(small.address, "models")
    for _ in range(3):
        greedy.put(greedy.place("sent.npy"), "sent.npy", [bytes(40 << 20)])
    tab = opened(small, 3)
    shown = "mine3.npy · "
    tab.upload("scan_file", "large.npy", bytes(40 << 20))
    said = " ".join(tab.words())
    assert "large.npy" not in said
    assert "named above was not opened: no memory is left for 42 MB: files take 126 MB of 152 MB" in said
    assert shown in said
    greedy.close()
    assert until(lambda: small.ask("stored()") < 1 << 20, 30)
    tab.upload("scan_file", "mine3.npy", scan_file(3))
    assert not tab.errors
    assert shown in " ".join(tab.words())
    gone = tab.session
    assert small.ask(f"len(tab._left_out['{gone}'])") == 1
    tab.close()
    assert until(lambda: small.ask("len(tab._left_out)") == 0, 30)


def test_nothing_is_kept_of_a_refused_file_whose_session_ended_meanwhile(small: Server) -> None:
    greedy = Tab(small.address, "models")
    for _ in range(3):
        greedy.put(greedy.place("sent.npy"), "sent.npy", [bytes(40 << 20)])
    tab = Tab(small.address, "models")
    place = tab.place("late.npy")
    assert tab.put(place, "late.npy", halves(small, tab), size=2 * HALF) == (204, "")
    assert small.ask("len(tab._left_out)") == 0
    greedy.close()
