"""Bytes of a value: the arrays, tensors, tables and texts that it is made of."""

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
        if hasattr(part, "memory_usage"):
            cells, arrays = _of_table(part)
            total += cells
            left += arrays
        elif isinstance(nbytes := getattr(part, "nbytes", None), int):
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


def _of_table(table: Any) -> tuple[int, list[Any]]:
    """Bytes of a table, column or index of pandas, and the arrays in its cells, of which pandas counts the headers."""
    frame = table if table.ndim == 2 else table.to_frame()
    cells = (cell for _, column in frame.items() if column.dtype == object for cell in column.dropna())
    return int(frame.memory_usage(deep=True).sum()), [cell for cell in cells if hasattr(cell, "nbytes")]
