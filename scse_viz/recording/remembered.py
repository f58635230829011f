"""Where the gates of a network leave its modules, remembered from a pass that probes for those that follow.

A probe looks at every operation of a pass, which costs some of its time. Where all gates are what modules return, hooks
on these modules record the same. So the first pass over a network probes, and the next ones use hooks, as long as the
structure of the network and the shapes of its input are the same and the same modules run as often. Nothing is kept on
the network, which is held weakly.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from torch import Tensor, nn
from torch.utils.weak import WeakIdKeyDictionary

from scse_viz.recording.probing import Watch
from scse_viz.recording.sites import Site

LIMIT = 8
"""Shortcuts kept of one network: shapes of its input that take turns."""


@dataclass(frozen=True, eq=False)
class Exit:
    """Where a gate leaves a module: its path, and the shape in which the gate is applied."""

    path: str
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Shortcut:
    """How to record a network by hooks: its sites, their gates, and how often modules that can make gates run."""

    sites: Mapping[str, Site]
    exits: Mapping[str, Mapping[str, Exit]]
    runs: Mapping[str, int]


def signature(value: Any) -> Any:
    """The properties of an input that decide how a network runs: shapes and types of tensors, and plain values."""
    if isinstance(value, Tensor):
        return tuple(value.shape), value.dtype
    if isinstance(value, tuple | list):
        return tuple(signature(item) for item in value)
    return value if isinstance(value, bool | int | float | str | None) else type(value)


def shortcut_of(sites: Mapping[str, Site], watch: Watch, kept: Mapping[int, Tensor]) -> Shortcut | None:
    """The shortcut that a probe leads to, or None where a gate is not exactly what a module returns in its only run.

    kept: number of a gate -> the gate as it was applied.
    """
    runs = {path: watch.calls.runs[path] for path in watch.calls.makers}
    exits: dict[str, dict[str, Exit]] = {}
    for name, site in sites.items():
        exits[name] = {}
        for kind, place in site.gates.items():
            if isinstance(place, str):  # a block that did not run
                continue
            if place is None or len(place) != 1 or place[0] not in watch.whole_outputs:
                return None
            path = watch.whole_outputs[place[0]]
            runs[path] = watch.calls.runs[path]
            if runs[path] != 1:
                return None
            exits[name][kind] = Exit(path, tuple(kept[place[0]].shape))
    return Shortcut(sites, exits, runs)


def recalled(model: nn.Module, key: tuple) -> Shortcut | None:
    """The shortcut of a network for the key of a structure and a signature, if there is one."""
    with _LOCK:
        return _SHORTCUTS.get(model, {}).get(key)


def remember(model: nn.Module, key: tuple, shortcut: Shortcut) -> None:
    """Keep the shortcut of a network while the network lives; beyond the limit the oldest is dropped."""
    with _LOCK:
        shortcuts = _SHORTCUTS.setdefault(model, {})
        shortcuts.pop(key, None)
        while len(shortcuts) >= LIMIT:
            del shortcuts[next(iter(shortcuts))]
        shortcuts[key] = shortcut


_SHORTCUTS: WeakIdKeyDictionary = WeakIdKeyDictionary()
_LOCK = Lock()
