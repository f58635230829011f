"""Background jobs: every slice of a plane through a network, each job in its own thread.

Finished slices can be read while a job runs. Clients that request the same scan, network and plane share one job, which
runs as long as one of them is subscribed. Results are kept in the store of the process, and never written to disk.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakSet

import numpy as np
from torch import nn

from scse_viz.analysis.gates import ARRAY_KINDS, BlockGates, named_arrays, openness
from scse_viz.inference.slices import SliceResult, segment_slices
from scse_viz.inference.turns import Pages, Queue, one_core
from scse_viz.memory import Store, in_words
from scse_viz.scans import Scan, ScanError, slice_grid, volume_of
from scse_viz.zoo import Card

NICENESS = 19
"""Priority of a job's thread, below that of the slices that users wait for, where the system has one per thread."""
POLL_S = 0.2
"""Interval at which a waiting job checks whether it still has subscribers."""
THREAD = "volume run"
STATES = ("stopped", "waiting", "running", "finished", "failed")


class Ticket:
    """A client's subscription to jobs; it ends when the client leaves, or the ticket is garbage-collected."""


class Job:
    """A plane of a scan through a network, slice by slice: written by one thread, read by any.

    `state` is one of STATES: "stopped" before the start and after the last subscriber left, "waiting" for its turn,
    "failed" with an `error`. Valid where `done` (N,): `labels` (N, H, W) uint8 class numbers; `sizes` (N, classes),
    pixels per class; `gates` by block, stacked over slices, (N, C) and (N, h, w), float16, activations float32, full
    gates (N, 1, h, w), their mean over channels; by block and kind, `means` (N,) and `saturations` (N,), the share
    within 0.05 of 0 or 1, nan where not done.
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
            for kind in ARRAY_KINDS:
                gate = getattr(gates, kind)
                if gate is not None:
                    opened = openness(gate)
                    getattr(self.gates[block], kind)[index] = getattr(_reduced(gates), kind)
                    self.means[block, kind][index] = opened.mean
                    self.saturations[block, kind][index] = opened.saturated
        self.done[index] = True  # last: a reader that sees it may read the rest

    def _make_room(self, result: SliceResult) -> None:
        self.pixel_mm = result.pixel_mm
        self.labels = np.zeros((self.count, *result.labels.shape), dtype=np.uint8)
        keys = [
            (block, kind)
            for block, gates in result.gates.items()
            for kind in ARRAY_KINDS
            if getattr(gates, kind) is not None
        ]
        self.means = {key: np.full(self.count, np.nan) for key in keys}
        self.saturations = {key: np.full(self.count, np.nan) for key in keys}
        self.gates = {block: _empty(gates, self.count) for block, gates in result.gates.items()}


class Jobs:
    """The jobs of a process: the first ones in the queue run, step aside for pages, and keep results in the store."""

    def __init__(self, store: Store, pages: Pages, queue: Queue | None = None) -> None:
        self._store = store
        self._pages = pages
        self._queue = queue or Queue()
        self._lock = threading.Lock()
        self._under_way: set[Job] = set()

    def find(self, scan: Scan, card: Card, plane: str) -> Job | None:
        """The job of a scan, network and plane, whichever client started it; None if absent or given up."""
        return self._store.find(_key(scan, card, plane))

    def start(self, ticket: Ticket, scan: Scan, card: Card, plane: str, model: nn.Module, *, first: int = 0) -> Job:
        """Queue all slices of a plane, nearest to `first` first, and subscribe `ticket` to the job.

        A job that is queued or running is shared; one that stopped or failed resumes with the slices not done.
        """
        key = _key(scan, card, plane)
        with self._lock:
            job = self._store.find(key) or Job(plane, slice_grid(scan, plane).count, len(card.structures))
            job.wanted_by.add(ticket)
            if job.under_way or job.state == "finished":
                return job
            job.state, job.error, job.seconds_left = "waiting", None, None
            self._store.put(key, job, pinned=True)
            self._queue.join(job)
            self._under_way.add(job)
            order = sorted(np.flatnonzero(~job.done).tolist(), key=lambda index: (abs(index - first), index))
            job.thread = threading.Thread(
                target=self._work, args=(job, scan, card, model, order), name=THREAD, daemon=True
            )
            job.thread.start()
            return job

    def leave(self, ticket: Ticket, job: Job | None = None) -> None:
        """Unsubscribe from a job, or from all. Without subscribers a job stops after the slice that it computes."""
        with self._lock:
            for running in self._under_way if job is None else [job]:
                running.wanted_by.discard(ticket)

    def wanted(self, ticket: Ticket) -> list[Job]:
        """The queued or running jobs that a ticket is subscribed to."""
        with self._lock:
            return [job for job in self._under_way if ticket in job.wanted_by]

    def ahead(self, job: Job) -> int:
        """How many jobs must end before a waiting one may run."""
        return self._queue.ahead(job) or 0

    def close(self) -> None:
        """Stop all jobs and join their threads: none may be inside torch when the interpreter shuts down."""
        with self._lock:
            jobs = list(self._under_way)
            for job in jobs:
                job.wanted_by.clear()
        for job in jobs:
            if job.thread is not None:
                job.thread.join()

    def _work(self, job: Job, scan: Scan, card: Card, model: nn.Module, order: Sequence[int]) -> None:
        """Body of a job's thread."""
        _step_back()
        try:
            while not self._queue.wait(job, POLL_S):
                if not self._wanted(job, "waiting"):
                    return
            self._run(job, scan, card, model, order)
        except Exception as error:  # a thread has no caller: clients read it from the job
            if not isinstance(error, ScanError):
                logging.getLogger(__name__).exception("%s, %s slices", card.name, job.plane)
            self._end(job, "failed", error.with_traceback(None))  # a traceback would keep the scan alive
        finally:
            self._rest(job, _key(scan, card, job.plane))

    def _run(self, job: Job, scan: Scan, card: Card, model: nn.Module, order: Sequence[int]) -> None:
        if not self._wanted(job, "running"):
            return
        began = time.monotonic()
        self._pages.step_aside()
        slices = segment_slices(scan, model, card, job.plane, indices=order, batch=1)
        for number, (index, result) in enumerate(slices, start=1):
            if number == 1:
                self._check_size(scan, job, result)
            job.keep(index, result)
            if number == 1:
                self._store.put(_key(scan, card, job.plane), job, pinned=True)  # it has its full size now
            job.seconds_left = (time.monotonic() - began) / number * (len(order) - number)
            self._pages.step_aside()
            if number < len(order) and not self._wanted(job, "running"):
                return
        self._end(job, "finished")

    def _wanted(self, job: Job, state: str) -> bool:
        """Set the state of a job, or "stopped" if no client is subscribed to it; true if one is. Atomic: clients may
        join."""
        with self._lock:
            wanted = len(job.wanted_by) > 0
            job.state = state if wanted else "stopped"
            return wanted

    def _end(self, job: Job, state: str, error: Exception | None = None) -> None:
        with self._lock:
            job.state, job.error = state, error

    def _rest(self, job: Job, key: tuple[str, ...]) -> None:
        """After a run: the next one may begin, and the results may be given up; none are kept of a job without any."""
        self._queue.leave(job)
        with self._lock:
            if job.under_way:  # it was started again meanwhile
                return
            self._under_way.discard(job)
            if job.state == "stopped" and not job.ready:
                self._store.drop(key)
            else:
                self._store.put(key, job)

    def _check_size(self, scan: Scan, job: Job, result: SliceResult) -> None:
        kept = named_arrays({block: _empty(gates, 1) for block, gates in result.gates.items()})
        size = job.count * (result.labels.nbytes + sum(array.nbytes for array in kept.values()))
        if size > self._store.limit:
            raise ScanError(
                f"{scan.name}: the maps of {job.count} {job.plane} slices take {in_words(size)} of "
                f"memory, the limit is {in_words(self._store.limit)}; look at single slices, or crop the image"
            )


def _key(scan: Scan, card: Card, plane: str) -> tuple[str, ...]:
    return "run", scan.digest, card.sha256, plane


def _each(gates: BlockGates, change: Callable[[np.ndarray], np.ndarray]) -> BlockGates:
    """The same block with `change` applied to each of its arrays."""
    changed: dict[str, Any] = {
        kind: change(array) for kind in ARRAY_KINDS if (array := getattr(gates, kind)) is not None
    }
    return replace(gates, **changed)


def _reduced(gates: BlockGates) -> BlockGates:
    """The same block with the mean over channels, (1, h, w), of its full gate, which is as large as the features."""
    if gates.full_gate is None:
        return gates
    return replace(gates, full_gate=gates.full_gate.mean(axis=0, keepdims=True))


def _empty(gates: BlockGates, count: int) -> BlockGates:
    """Zeros for the gates of `count` slices: float16 for values in 0 to 1, finer than any picture shows."""
    kept = _each(_reduced(gates), lambda gate: np.zeros((count, *gate.shape), dtype=np.float16))
    beyond_one = {
        kind: gate.astype(np.float32)
        for kind in ("activation", "attention")
        if (gate := getattr(kept, kind)) is not None
    }
    return replace(kept, **beyond_one)


def _step_back() -> None:
    """Lower the priority of this thread, and limit its passes to one core: other runs have the others."""
    one_core()
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
