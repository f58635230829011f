"""How much memory may be used: what SCSE_VIZ_MEMORY says, or a share of the machine's or container's."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import psutil

VARIABLE = "SCSE_VIZ_MEMORY"
SHARE = 0.25
"""Of the memory of the machine or container: the process itself takes about 1 GB, networks at work a few hundred MB."""
UNITS = {"MB": 10**6, "GB": 10**9, "MIB": 1 << 20, "GIB": 1 << 30}
SMALLEST = 10**8
UNLIMITED = 1 << 60
"""Control groups of version 1 say "no limit" with a number beyond this."""


def default_limit(environment: Mapping[str, str] = os.environ) -> int:
    """The budget in bytes: SCSE_VIZ_MEMORY, such as "2 GB" or "25 %", else SHARE of the memory there is.

    Raises ValueError for a value that is no amount of memory, or less than 100 MB.
    """
    text = environment.get(VARIABLE, "").strip()
    if not text:
        return max(SMALLEST, int(SHARE * available()))
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(MB|GB|MiB|GiB|%)", text, flags=re.IGNORECASE)
    if match is None:
        raise ValueError(f"{VARIABLE} is {text!r}; give an amount such as 1500 MB, 2 GB, or 25 %")
    number, unit = float(match[1]), match[2].upper()
    limit = int(number / 100 * available()) if unit == "%" else int(number * UNITS[unit])
    if limit < SMALLEST:
        raise ValueError(f"{VARIABLE} is {text!r}, {in_words(limit)}; give at least {in_words(SMALLEST)}")
    return limit


def available(root: Path = Path("/")) -> int:
    """Bytes of memory of this machine, or of its container where a control group limits it to less."""
    limits = [int(text) for text in map(_read, _limit_files(root)) if text.isdigit()]
    return min([psutil.virtual_memory().total, *(limit for limit in limits if limit < UNLIMITED)])


def in_words(count: int) -> str:
    """A number of bytes in MB, or from 1 GB on in GB."""
    return f"{count / 1e9:.1f} GB" if count >= 10**9 else f"{count / 1e6:.0f} MB"


def _limit_files(root: Path) -> list[Path]:
    """The files that may limit this process: those of its own control group and of every group above it."""
    files = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, kinds, group = line.split(":", 2)
        top, name = root / "sys/fs/cgroup", "memory.max"
        if kinds:  # version 1 has a tree for each kind
            if "memory" not in kinds.split(","):
                continue
            top, name = top / "memory", "memory.limit_in_bytes"
        own = top / group.strip("/")
        files += [folder / name for folder in (own, *own.parents) if folder.is_relative_to(top)]
    return files


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
