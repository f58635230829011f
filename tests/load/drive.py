"""The load driver: `python -m tests.load.drive 1 5 20 30` prints how long so many sessions wait, each with its head.

Every session opens the app, uploads its own whole head, steps through slices of Compare with four networks, returns to
one that it saw, and opens Explore, with a pause before every act, as a class does. Each number of sessions has a server
of its own, so that nothing was computed before. Its pictures are compared with those that one session alone was shown.
"""

import argparse
import hashlib
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import psutil

from scse_viz.scans import Scan, read_scan
from scse_viz.scans.samples import samples
from tests.load.server import Server
from tests.load.tab import Tab

SLICES = (70, 94)
"""Axial slices through the middle of the head."""
VIEW = "variants=none&variants=cSE&variants=sSE&variants=scSE"
EVERY_S = 0.2
ACTS = ("visit", "upload", "new slice", "known slice", "explore")


@dataclass
class Seen:
    """What sessions saw: seconds by act, a digest of the pictures by head and step, errors."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {act: [] for act in ACTS})
    pictures: dict[tuple[int, str], str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    peak: int = 0  # bytes of the server's memory, at most
    before: int = 0  # and before the first session
    processor: float = 0.0  # seconds of processor time of the server


def head(number: int) -> bytes:
    """A whole head that no other number has: the sample, shifted and dimmed."""
    scan = _sample()
    voxels = np.roll(scan.voxels, number, axis=0) * (1 - number / 100)
    return nib.Nifti1Image(np.rint(voxels).astype(np.uint8), scan.affine).to_bytes()


@cache
def _sample() -> Scan:
    return read_scan(samples()["colin27"].scan)


def together(server: Server, heads: Sequence[int], slices: Sequence[int], pause: float) -> Seen:
    """What sessions see that use a server at the same time, one a head; `pause` in s is the mean before an act."""
    seen = Seen(before=server.resident)
    began = psutil.Process(server.process.pid).cpu_times()
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(server, seen, ended))
    watch.start()
    with ThreadPoolExecutor(len(heads)) as pool:
        list(pool.map(lambda number: _session(server.address, number, slices, pause, seen), heads))
    ended.set()
    watch.join()
    now = psutil.Process(server.process.pid).cpu_times()
    seen.processor = now.user + now.system - began.user - began.system
    return seen


def alone(server: Server, heads: Sequence[int], slices: Sequence[int]) -> dict[tuple[int, str], str]:
    """The pictures that one session after another is shown."""
    seen = Seen()
    for number in heads:
        _session(server.address, number, slices, 0, seen)
    assert not seen.errors, seen.errors
    return seen.pictures


def _session(address: str, number: int, slices: Sequence[int], pause: float, seen: Seen) -> None:
    pauses = random.Random(number)
    try:
        for act, step, seconds, tab in _acts(address, number, slices):
            seen.seconds[act].append(seconds)
            panels = "explore_panels" if act == "explore" else "panels"
            seen.pictures[number, step] = hashlib.sha256(tab.shown(panels)).hexdigest()
            seen.errors += tab.errors
            tab.follow(pauses.uniform(0, 2 * pause))
        tab.close()
    except Exception as error:
        seen.errors.append(repr(error))


def _acts(address: str, number: int, slices: Sequence[int]) -> Iterator[tuple[str, str, float, Tab]]:
    begin = time.perf_counter()
    tab = Tab(address, query=VIEW)
    yield "visit", "visit", time.perf_counter() - begin, tab
    yield "upload", "upload", tab.upload("scan_file", f"head{number}.nii", head(number)), tab
    for index in slices:
        yield "new slice", f"slice {index}", tab.run(axial=index), tab
    yield "known slice", f"slice {slices[0]}, again", tab.run(axial=slices[0]), tab
    yield "explore", "explore", tab.go_to("explore"), tab


def _watch(server: Server, seen: Seen, ended: threading.Event) -> None:
    while not ended.wait(EVERY_S):
        seen.peak = max(seen.peak, server.resident)


def _rows(sessions: int, seen: Seen, expected: dict[tuple[int, str], str]) -> Iterator[list[object]]:
    wrong = sum(digest != expected[key] for key, digest in seen.pictures.items())
    for act, seconds in seen.seconds.items():
        yield [
            sessions,
            act,
            len(seconds),
            round(float(np.median(seconds)), 2),
            round(float(np.quantile(seconds, 0.95)), 2),
            len(seen.errors),
            wrong,
        ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sessions", nargs="+", type=int, help="numbers of sessions at once, at most 30")
    parser.add_argument("--pause", type=float, default=5.0, help="mean pause before an act, s")
    options = parser.parse_args()
    if not all(1 <= number <= 30 for number in options.sessions):
        parser.error("a class has 1 to 30 sessions")
    log = Path(tempfile.mkdtemp()) / "log"
    with Server(log) as server:
        expected = alone(server, range(max(options.sessions)), SLICES)
    rows: list[list[object]] = []
    for sessions in options.sessions:
        with Server(log) as server:
            Tab(server.address, query=VIEW).close()  # a warm server: the networks are loaded
            seen = together(server, range(sessions), SLICES, options.pause)
        rows += _rows(sessions, seen, expected)
        grown = (seen.peak - seen.before) / sessions / 1e6
        print(f"{sessions}: {grown:.0f} MB, {seen.processor / sessions:.1f} s of a core a session", flush=True)
    columns = ["sessions", "act", "times", "median, s", "95 %, s", "errors", "wrong"]
    for row in (columns, ["---"] * len(columns), *rows):
        print("|", " | ".join(map(str, row)), "|")


if __name__ == "__main__":
    main()
