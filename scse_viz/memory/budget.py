"""How much memory may be used: what SCSE_VIZ_MEMORY says, or a share of the machine's or container's."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import psutil

from scse_viz.system.container import ROOT, limits

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


def available(root: Path = ROOT) -> int:
    """Bytes of memory of this machine, or of its container where a control group limits it to less."""
    texts = limits("memory", "memory.max", root) + limits("memory", "memory.limit_in_bytes", root)
    said = [int(text) for text in texts if text.isdigit()]
    return min([psutil.virtual_memory().total, *(limit for limit in said if limit < UNLIMITED)])


def in_words(count: int) -> str:
    """A number of bytes in MB, or from 1 GB on in GB."""
    return f"{count / 1e9:.1f} GB" if count >= 10**9 else f"{count / 1e6:.0f} MB"
