"""Turns at the processor: what a user waits for goes first, background runs come one or two at a time, in order."""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

from scse_viz.system.container import cores

LONGEST_S = 5.0
"""The longest that one slice of a run steps aside for pages, so that runs end on a server that is always busy."""
MOST_AT_ONCE = 2


def within_quota() -> None:
    """Split a pass over no more cores than a container may use: torch counts those of its machine."""
    torch.set_num_threads(min(torch.get_num_threads(), cores()))


def one_core() -> None:
    """Limit the passes of this thread to one core, where several threads make passes.

    A pass split over cores would wait at every layer for the slowest of them. The limit applies to this thread alone:
    torch.set_num_threads would lower that of every thread that starts later.
    """
    torch.get_num_threads()  # torch sets the number of a new thread when it is first asked for it
    _libraries().limit(limits=1, user_api="openmp")


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


class Pages:
    """The computations that pages wait for: some at a time, so that their memory is bounded; runs step aside.

    A computation within another in the same thread needs no place of its own.
    """

    def __init__(self, at_once: int | None = None) -> None:
        self._places = threading.BoundedSemaphore(at_once or max(2, cores()))
        self._changed = threading.Condition()
        self._waiting = 0
        self._inside = threading.local()

    @contextmanager
    def first(self) -> Iterator[None]:
        """Compute something that a user waits for."""
        if getattr(self._inside, "yes", False):
            yield
            return
        with self._changed:
            self._waiting += 1
        try:
            with self._places:
                self._inside.yes = True
                yield
        finally:
            self._inside.yes = False
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()

    def step_aside(self, longest: float = LONGEST_S) -> None:
        """Wait, in the thread of a run, until no page waits for anything."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting == 0, timeout=longest)


class Queue:
    """Who runs, and who waits, first come first served: the first `at_once` of the queue run."""

    def __init__(self, at_once: int | None = None) -> None:
        self.at_once = at_once or min(MOST_AT_ONCE, cores())
        self._changed = threading.Condition()
        self._queue: list[Hashable] = []

    def join(self, who: Hashable) -> None:
        """Stand at the end of the queue."""
        with self._changed:
            self._queue.append(who)

    def leave(self, who: Hashable) -> None:
        """End a run, or give up waiting."""
        with self._changed:
            self._queue.remove(who)
            self._changed.notify_all()

    def ahead(self, who: Hashable) -> int | None:
        """How many runs must end before this one may start: 0 if it may run now; None if it is not queued."""
        with self._changed:
            return max(0, self._queue.index(who) - self.at_once + 1) if who in self._queue else None

    def wait(self, who: Hashable, seconds: float) -> bool:
        """Wait for the turn for at most `seconds`; true once it has come."""
        with self._changed:
            return self._changed.wait_for(lambda: self._queue.index(who) < self.at_once, timeout=seconds)
