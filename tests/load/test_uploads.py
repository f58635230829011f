"""Uploads to the served app: where no byte can be written, after a lost connection, and after a restart."""

from pathlib import Path

from tests.load.server import Server, free_port
from tests.load.tab import Tab
from tests.load.test_sessions import opened, scan_file

LARGE = 160
"""Voxels a side: 16 MB, where the web server would begin to write a file at 1 MB."""


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
        tab.reconnect()
        assert "mine2.npy · coronal slice 7" in " ".join(tab.words())
        before = tab.query
    with Server(tmp_path / "again", port=port) as server:
        tab.reconnect()  # with an uploader that names the file of the server before
        words = " ".join(tab.words())
        assert "Open your file above. A link does not contain it" in words
        assert not tab.errors
        tab.upload("scan_file", "mine2.npy", scan_file(2))
        assert "mine2.npy · coronal slice 7" in " ".join(tab.words())
        another = Tab(server.address, "explore", before)  # the address alone, as in another browser
        assert "Open your file above. A link does not contain it" in " ".join(another.words())
        another.upload("scan_file", "mine2.npy", scan_file(2))
        assert "mine2.npy · coronal slice 7" in " ".join(another.words())
