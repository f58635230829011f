"""The C library's allocator: what a pass frees serves the next pass, and goes back to the system when asked to."""

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
KEPT, MAPPED = 128 * 2**20, 32 * 2**20
"""Freed bytes that stay with the process, and the size from which an array is mapped and unmapped by itself."""


def keep_for_reuse() -> bool:
    """Keep freed memory for what comes next, where the allocator can (glibc); tells whether it does.

    glibc by itself returns most of what a pass allocated when it ends, and the next one takes it again, page by page:
    a sixth of the time of our U-Nets. The setting is of the whole process, so it is for programs to make, once, at
    their start. `give_back` still returns all.
    """
    mallopt = _function("mallopt")
    return mallopt is not None and bool(mallopt(_MMAP_THRESHOLD, MAPPED)) and bool(mallopt(_TRIM_THRESHOLD, KEPT))


def give_back() -> bool:
    """Return freed memory to the system where the allocator can (glibc); tells whether any was."""
    trim = _function("malloc_trim")
    return trim is not None and bool(trim(0))


@cache
def _function(name: str) -> "ctypes._NamedFuncPointer | None":
    """A function of the C library; None where it lacks it, as musl does."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
