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
        each = left.pop()
        if id(each) in seen or isinstance(each, type | ModuleType):
            continue
        seen.add(id(each))
        total += SMALL
        if isinstance(nbytes := getattr(each, "nbytes", None), int):
            total += nbytes
        elif isinstance(each, bytes | bytearray | str):
            total += len(each)
        elif isinstance(each, Mapping):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset):
            left += each
        elif hasattr(each, "__dict__"):
            left += vars(each).values()
    return total
