"""The C library's allocator: memory that was freed goes back to the system."""

import ctypes
import sys
from functools import cache


def give_back() -> bool:
    """Return freed memory to the system where the allocator can (glibc); tells whether any was."""
    trim = _trim()
    return trim is not None and bool(trim(0))


@cache
def _trim() -> "ctypes._NamedFuncPointer | None":
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl lacks it
