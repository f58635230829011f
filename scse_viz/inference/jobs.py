"""Background jobs: every slice of a plane through a network, each job in its own thread.

Finished slices can be read while a job runs. Clients that request the same scan, network and plane share one job, which
runs as long as one of them is subscribed. Results are kept in memory, up to a limit, and never written to disk.
"""

import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from weakref import WeakSet

import numpy as np
from torch import nn

from scse_viz.analysis.gates import BlockGates, named_arrays, openness
from scse_viz.inference.slices import KINDS, SliceResult, segment_slices
from scse_viz.scans import Scan, ScanError, slice_grid, volume_of
from scse_viz.zoo import Card

LIMIT = 1 << 30
"""Bytes of all results together; one plane of a 1 mm head takes 50 MB."""
MAX_JOBS = 64
"""Jobs that are kept, whatever their size."""
NICENESS = 5
"""Priority of a job's thread, below that of the slices that users wait for, where the system has one per thread."""
POLL_S = 0.2
"""Interval at which a waiting job checks whether it still has subscribers."""
THREAD = "volume run"
STATES = ("stopped", "waiting", "running", "finished", "failed")

Key = tuple[str, str, str]  # digest of the scan, sha256 of the weights, plane


class Ticket:
    """A client's subscription to jobs; it ends when the ticket is garbage-collected, as when a session ends."""


class Job:
    """A plane of a scan through a network, slice by slice: written by one thread, read by any.

    `state` is one of STATES: "stopped" before the start and after the last subscriber left, "waiting" for its turn,
    "failed" with an `error`. Valid where `done` (N,): `labels` (N, H, W) uint8 class numbers; `sizes` (N, classes),
    pixels per class; `gates` by block, stacked over slices, (N, C) and (N, h, w), float16, activations float32; by
    block and kind, `means` (N,) and `saturations` (N,), the share within 0.05 of 0 or 1, nan where not done.
    """

    def __init__(self, plane: str, count: int, classes: int) -> None:
        self.plane = plane
        self.state = "stopped"
        self.error: Exception | None = None
        self.done = np.zeros(count, dtype=bool)
        self.sizes = np.zeros((count, classes), dtype=np.int64)
        self.labels = np.zeros((0, 0, 0), dtype=np.uint8)
        self.gates: dict[str, BlockGates] = {}
        self.means: dict[tuple[str, str], np.ndarray] = {}
        self.saturations: dict[tuple[str, str], np.ndarray] = {}
        self.seconds_left: float | None = None  # at the average pace so far
        self.pixel_mm = (0.0, 0.0)  # network input (row, column)
        self.wanted_by: WeakSet[Ticket] = WeakSet()
        self.thread: threading.Thread | None = None  # the last one to write here

    @property
    def count(self) -> int:
        """Number of slices of the plane."""
        return len(self.done)

    @property
    def ready(self) -> int:
        """Number of slices done."""
        return int(np.count_nonzero(self.done))

    @property
    def under_way(self) -> bool:
        """Whether the job is queued or running."""
        return self.state in ("waiting", "running")

    @property
    def nbytes(self) -> int:
        """Bytes of the results."""
        return self.labels.nbytes + sum(gate.nbytes for gate in named_arrays(self.gates).values())

    def gates_of(self, index: int) -> dict[str, BlockGates]:
        """The gates of a finished slice, float32, as in SliceResult."""
        return {block: _each(gates, lambda gate: gate[index].astype(np.float32)) for block, gates in self.gates.items()}

    def label_volume(self) -> np.ndarray:
        """The prediction (X, Y, Z) in RAS, uint8; 0 in slices not done."""
        return volume_of(self.labels, self.plane) if self.ready else self.labels

    def keep(self, index: int, result: SliceResult) -> None:
        """Store the result of one slice."""
        if not self.labels.size:
            self._make_room(result)
        self.labels[index] = result.labels
        self.sizes[index] = np.bincount(result.labels.ravel(), minlength=self.sizes.shape[1])
        for block, gates in result.gates.items():
            for kind in KINDS:
                gate = getattr(gates, kind)
                if gate is not None:
                    opened = openness(gate)
                    getattr(self.gates[block], kind)[index] = gate
                    self.means[block, kind][index] = opened.mean
                    self.saturations[block, kind][index] = opened.saturated
        self.done[index] = True  # last: a reader that sees it may read the rest

    def _make_room(self, result: SliceResult) -> None:
        self.pixel_mm = result.pixel_mm
        self.labels = np.zeros((self.count, *result.labels.shape), dtype=np.uint8)
        keys = [
            (block, kind) for block, gates in result.gates.items() for kind in KINDS if getattr(gates, kind) is not None
        ]
        self.means = {key: np.full(self.count, np.nan) for key in keys}
        self.saturations = {key: np.full(self.count, np.nan) for key in keys}
        self.gates = {block: _empty(gates, self.count) for block, gates in result.gates.items()}


class Jobs:
    """The jobs of a process: at most `at_once` run at a time, and all results together take at most `limit` bytes.

    Beyond the limit the least recently used results are evicted.
    """

    def __init__(self, *, limit: int = LIMIT, at_once: int = 1) -> None:
        self._limit = limit
        self._turns = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._jobs: OrderedDict[Key, Job] = OrderedDict()  # least recently used first

    def find(self, scan: Scan, card: Card, plane: str) -> Job | None:
        """The job of a scan, network and plane, whichever client started it; None if absent or evicted."""
        key = (scan.digest, card.sha256, plane)
        with self._lock:
            if key in self._jobs:
                self._jobs.move_to_end(key)
            return self._jobs.get(key)

    def start(self, ticket: Ticket, scan: Scan, card: Card, plane: str, model: nn.Module, *, first: int = 0) -> Job:
        """Queue all slices of a plane, nearest to `first` first, and subscribe `ticket` to the job.

        A job that is queued or running is shared; one that stopped or failed resumes with the slices not done.
        """
        key = (scan.digest, card.sha256, plane)
        with self._lock:
            job = self._jobs.setdefault(key, Job(plane, slice_grid(scan, plane).count, len(card.structures)))
            self._jobs.move_to_end(key)
            job.wanted_by.add(ticket)
            if job.under_way or job.state == "finished":
                return job
            job.state, job.error, job.seconds_left = "waiting", None, None
            order = sorted(np.flatnonzero(~job.done).tolist(), key=lambda index: (abs(index - first), index))
            job.thread = threading.Thread(
                target=self._work, args=(job, scan, card, model, order), name=THREAD, daemon=True
            )
            job.thread.start()
            return job

    def leave(self, ticket: Ticket, job: Job) -> None:
        """Unsubscribe from a job. Without subscribers it stops after the current slice; finished slices are kept."""
        with self._lock:
            job.wanted_by.discard(ticket)

    def wanted(self, ticket: Ticket) -> list[Job]:
        """The queued or running jobs that a ticket is subscribed to."""
        with self._lock:
            return [job for job in self._jobs.values() if job.under_way and ticket in job.wanted_by]

    def close(self) -> None:
        """Stop all jobs and join their threads: none may be inside torch when the interpreter shuts down."""
        with self._lock:
            jobs = list(self._jobs.values())
            for job in jobs:
                job.wanted_by.clear()
        for job in jobs:
            if job.thread is not None:
                job.thread.join()

    def _work(self, job: Job, scan: Scan, card: Card, model: nn.Module, order: Sequence[int]) -> None:
        """Body of a job's thread."""
        _step_back()
        while not self._turns.acquire(timeout=POLL_S):
            if not self._wanted(job, "waiting"):
                return
        try:
            self._run(job, scan, card, model, order)
        except Exception as error:  # a thread has no caller: clients read it from the job
            if not isinstance(error, ScanError):
                logging.getLogger(__name__).exception("%s, %s slices", card.name, job.plane)
            self._end(job, "failed", error.with_traceback(None))  # a traceback would keep the scan alive
        finally:
            self._turns.release()
            self._forget()

    def _run(self, job: Job, scan: Scan, card: Card, model: nn.Module, order: Sequence[int]) -> None:
        if not self._wanted(job, "running"):
            return
        began = time.monotonic()
        slices = segment_slices(scan, model, card, job.plane, indices=order, batch=1)
        for number, (index, result) in enumerate(slices, start=1):
            if number == 1:
                self._check_size(scan, job, result)
            job.keep(index, result)
            job.seconds_left = (time.monotonic() - began) / number * (len(order) - number)
            if number < len(order) and not self._wanted(job, "running"):
                return
        self._end(job, "finished")

    def _wanted(self, job: Job, state: str) -> bool:
        """Whether anybody wants a job, which is in a state then and else stopped: in one step, since some may join."""
        with self._lock:
            wanted = len(job.wanted_by) > 0
            job.state = state if wanted else "stopped"
            return wanted

    def _end(self, job: Job, state: str, error: Exception | None = None) -> None:
        with self._lock:
            job.state, job.error = state, error

    def _check_size(self, scan: Scan, job: Job, result: SliceResult) -> None:
        kept = named_arrays({block: _empty(gates, 1) for block, gates in result.gates.items()})
        each = result.labels.nbytes + sum(array.nbytes for array in kept.values())
        if each * job.count > self._limit:
            raise ScanError(
                f"{scan.name}: the maps of {job.count} {job.plane} slices take {each * job.count / 1e9:.2g} GB of "
                f"memory, the limit is {self._limit / 1e9:.2g} GB; look at single slices, or crop or shrink the image"
            )

    def _forget(self) -> None:
        """Drop stopped jobs without results, then evict the oldest results beyond the limits, never the newest."""
        with self._lock:
            for key in [key for key, job in self._jobs.items() if job.state == "stopped" and not job.ready]:
                del self._jobs[key]
            resting = [key for key, job in self._jobs.items() if not job.under_way]
            for key in resting[:-1]:
                if len(self._jobs) <= MAX_JOBS and sum(job.nbytes for job in self._jobs.values()) <= self._limit:
                    return
                del self._jobs[key]


def _each(gates: BlockGates, change: Callable[[np.ndarray], np.ndarray]) -> BlockGates:
    """The same block with `change` applied to each of its arrays."""
    arrays = (gates.channel_gate, gates.spatial_gate, gates.activation)
    channel, spatial, activation = (None if array is None else change(array) for array in arrays)
    return BlockGates(channel, spatial, activation, gates.map_mm)


def _empty(gates: BlockGates, count: int) -> BlockGates:
    """Zeros for the gates of `count` slices: float16 for values in 0 to 1, finer than any picture shows."""
    kept = _each(gates, lambda gate: np.zeros((count, *gate.shape), dtype=np.float16))
    return kept if kept.activation is None else replace(kept, activation=kept.activation.astype(np.float32))


def _step_back() -> None:
    """Lower the priority of this thread, and with it that of the threads that torch starts for it."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
