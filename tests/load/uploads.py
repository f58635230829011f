"""What many uploads leave: `python -m tests.load.uploads 200` opens a 96 MB scan a tab, one tab after another.

Every tab opens a scan of its own on Explore, which segments a slice of it, and is closed. After every 20 tabs the
memory of the server is printed, once nothing of their scans is held any more.
"""

import argparse
import tempfile
import time
from pathlib import Path

from tests.load.server import Server, until
from tests.load.tab import PATIENCE_S
from tests.load.test_sessions import of_tabs, opened

SIDE = 288
"""Voxels a side: a file of 96 MB in single precision."""
EVERY = 20
SWEPT_S = 20.0
"""Two intervals of the server's sweeps, after which freed memory is back with the system."""


def main() -> None:
    """Print the memory of the server after every 20 tabs, and how much the last is of the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tabs", nargs="?", type=int, default=200, help="a multiple of 20")
    options = parser.parse_args()
    if options.tabs < EVERY or options.tabs % EVERY:
        parser.error(f"{options.tabs} tabs are no multiple of {EVERY}")
    resident = []
    with Server(Path(tempfile.mkdtemp()) / "log") as server:
        print(f"0 tabs: {server.resident / 1e6:.0f} MB", flush=True)
        for number in range(1, options.tabs + 1):
            opened(server, number, side=SIDE).close()
            if number % EVERY == 0:
                resident.append(_at_rest(server))
                print(f"{number} tabs: {resident[-1] / 1e6:.0f} MB", flush=True)
        print(server.log)
    print(f"{resident[-1] / resident[0]:.3f} of the memory after {EVERY} tabs")


def _at_rest(server: Server) -> int:
    """Bytes of memory once the scans of closed tabs are freed and swept up. Raises TimeoutError if they never are."""
    if not until(lambda: of_tabs(server) == [], PATIENCE_S):
        raise TimeoutError(f"still held: {of_tabs(server)}")
    time.sleep(SWEPT_S)
    return server.resident


if __name__ == "__main__":
    main()
