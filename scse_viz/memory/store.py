"""The store: values by key, made once, kept while there is room, and dropped once no session can ask for them."""

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet, ref

from scse_viz.memory.allocator import give_back
from scse_viz.memory.sizes import size_of


class Hold:
    """What an open session has of a file that it opened: digests of file and scan, and the bytes of the file itself.

    It ends when it is told so, as when the session ends, or is garbage-collected, as when another file takes its place.
    """

    def __init__(self, digests: tuple[str, ...], nbytes: int) -> None:
        self.digests = digests
        self.nbytes = nbytes
        self.ended = False

    def end(self) -> None:
        """Let go: Streamlit may keep what a closed session had for as long as no other session runs."""
        self.ended, self.nbytes = True, 0


@dataclass
class _Entry:
    value: Any
    nbytes: int
    pinned: bool = False


class Store:
    """Values of a process by key; together they take at most `limit` bytes, and the least recently used goes first.

    What cannot go counts as well: pinned values, the files of open sessions, and values that were given up here but
    are in use elsewhere, which are found again rather than made again. A key is a tuple; one that contains the digest
    of a file or scan belongs to it, and goes once no session has a `Hold` on it any more. Any thread may call.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.RLock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()  # least recently used first
        self._kept = 0  # bytes of the entries
        self._in_use: dict[Hashable, tuple[ref, int]] = {}  # given up, yet perhaps alive
        self._making: dict[Hashable, threading.Event] = {}
        self._files: WeakSet[Hold] = WeakSet()
        self._holds: dict[str, WeakSet[Hold]] = {}  # by digest

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value of a key; `make` makes it where it is missing, in one thread, for which others wait."""
        while True:
            with self._lock:
                entry = self._entry(key)
                if entry is not None:
                    return entry.value
                maker = self._making.get(key)
                if maker is None:
                    made = self._making[key] = threading.Event()
                    break
            maker.wait()  # then it is there, or to be made by this thread
        try:
            value = make()
            self.put(key, value)
            return value
        finally:
            with self._lock:
                del self._making[key]
            made.set()

    def find(self, key: Hashable) -> Any | None:
        """The value of a key, or None; counts as its use."""
        with self._lock:
            entry = self._entry(key)
            return None if entry is None else entry.value

    def put(self, key: Hashable, value: Any, *, pinned: bool = False) -> None:
        """Keep a value under a key, in place of another. One that is pinned stays until it is put again unpinned."""
        entry = _Entry(value, size_of(value), pinned)
        with self._lock:
            self._in_use.pop(key, None)
            self._keep(key, entry)

    def drop(self, key: Hashable) -> None:
        """Give up the value of a key, if there is one."""
        with self._lock:
            if key in self._entries:
                self._remove(key)

    def values(self) -> list[Any]:
        """All that is kept, least recently used first."""
        with self._lock:
            return [entry.value for entry in self._entries.values()]

    def hold(self, hold: Hold) -> None:
        """Count a hold; what belongs to its digests stays until the last of them has ended and `sweep` is called."""
        with self._lock:
            self._files.add(hold)
            for digest in hold.digests:
                self._holds.setdefault(digest, WeakSet()).add(hold)
            self._make_room(None)

    def sweep(self) -> int:
        """Drop what belongs to files and scans that no session holds; returns the number of entries dropped."""
        gc.collect()  # sessions end in cycles
        with self._lock:
            gone = {digest for digest, holds in self._holds.items() if all(hold.ended for hold in holds)}
            keys = [key for key in self._entries if _mentions(key, gone)]
            for key in keys:
                self._remove(key)
            if not keys:  # else they stay known until the next time, for results that come late
                for digest in gone:
                    del self._holds[digest]
        if keys:
            give_back()
        return len(keys)

    @property
    def nbytes(self) -> int:
        """Bytes of all that is kept or in use."""
        with self._lock:
            return self._kept + self._elsewhere()

    @property
    def fixed(self) -> int:
        """Bytes of what cannot be given up now."""
        with self._lock:
            return sum(entry.nbytes for entry in self._entries.values() if entry.pinned) + self._elsewhere()

    def _entry(self, key: Hashable) -> _Entry | None:
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key]
        used, nbytes = self._in_use.pop(key, (None, 0))
        value = used() if used is not None else None
        if value is None:
            return None
        self._keep(key, entry := _Entry(value, nbytes))
        return entry

    def _keep(self, key: Hashable, entry: _Entry) -> None:
        if key in self._entries:
            self._remove(key)
        self._entries[key] = entry
        self._kept += entry.nbytes
        self._make_room(key)

    def _remove(self, key: Hashable) -> _Entry:
        entry = self._entries.pop(key)
        self._kept -= entry.nbytes
        return entry

    def _make_room(self, newest: Hashable) -> None:
        """Give up values, the least recently used first and never the newest, until the rest is within the limit."""
        over = self.nbytes - self.limit
        if over <= 0:
            return
        for key in [key for key, entry in self._entries.items() if not entry.pinned and key != newest]:
            entry = self._remove(key)
            if self._still_used(key, entry):
                continue
            over -= entry.nbytes
            if over <= 0:
                return

    def _still_used(self, key: Hashable, entry: _Entry) -> bool:
        """Whether a value that was given up lives on elsewhere; then it is counted, and found by its key."""
        try:
            used = ref(entry.value)
        except TypeError:  # bytes, lists and the like
            return False
        entry.value = None
        if used() is None:
            return False
        self._in_use[key] = (used, entry.nbytes)
        return True

    def _elsewhere(self) -> int:
        self._forget_unused()
        files = sum(hold.nbytes for hold in self._files)
        return files + sum(nbytes for _, nbytes in self._in_use.values())

    def _forget_unused(self) -> None:
        for key in [key for key, (used, _) in self._in_use.items() if used() is None]:
            del self._in_use[key]


def _mentions(key: Hashable, digests: set[str]) -> bool:
    """Whether a key contains one of some digests, at any depth."""
    if isinstance(key, tuple | frozenset):
        return any(_mentions(part, digests) for part in key)
    return key in digests
