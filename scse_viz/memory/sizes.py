"""Bytes of a value: the arrays, tensors and texts that it is made of."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

SMALL = 64
"""What any other object is counted as."""


def size_of(value: Any) -> int:
    """Bytes of a value and all it is made of, each part once; parts shared with other values count fully in each."""
    total, seen, left = 0, set[int](), [value]
    while left:
        part = left.pop()
        if id(part) in seen or isinstance(part, type | ModuleType):
            continue
        seen.add(id(part))
        total += SMALL
        if isinstance(nbytes := getattr(part, "nbytes", None), int):
            total += nbytes
        elif isinstance(part, bytes | bytearray | str):
            total += len(part)
        elif isinstance(part, Mapping):
            left += [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple | set | frozenset):
            left += part
        elif hasattr(part, "__dict__"):
            left += vars(part).values()
    return total
