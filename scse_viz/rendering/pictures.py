"""Arrays -> pictures of 8-bit numbers, and the message that takes them to the browser, which colours them.

A picture is compressed on its own, so that it is cached with its panel, and a message is one stream of all of them,
which the browser decompresses in one go: a PNG for each took Python five times and the browser ten times as long.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

RAW = -zlib.MAX_WBITS
"""Deflate without a header, so that compressed pictures can be joined."""
END = b"\x03\x00"
"""The last block of a deflate stream, of no bytes."""


@dataclass(frozen=True)
class Picture:
    """An array of 8-bit numbers: its size in pixels, and its rows, compressed.

    Each row is stored as its difference (modulo 256) to the row above, as in PNG's filter "Up".
    """

    height: int
    width: int
    deflated: bytes

    @cached_property
    def name(self) -> str:
        """A name by content."""
        return f"{self.height}x{self.width}-{zlib.crc32(self.deflated):08x}-{len(self.deflated)}"


def picture(pixels: np.ndarray) -> Picture:
    """(H, W) uint8 -> the picture of these numbers.

    Only runs are searched for: nearly as small as the default for maps and labels, in a third of its time.
    """
    rows = np.array(pixels, dtype=np.uint8, order="C")
    rows[1:] -= rows[:-1].copy()
    deflate = zlib.compressobj(1, zlib.DEFLATED, RAW, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    height, width = rows.shape
    return Picture(height, width, deflate.compress(rows.data) + deflate.flush(zlib.Z_SYNC_FLUSH))


def pack(header: Mapping[str, Any], pictures: Iterable[Picture]) -> bytes:
    """One message: the header's length (4 bytes, little-endian), the header as JSON, then every picture once.

    In the header, `pictures` maps the name of every picture to [height, width]. Behind it stands one raw deflate stream
    (RFC 1951) of the rows of all pictures, in this order.
    """
    named = {shown.name: shown for shown in pictures}
    sizes = {name: (shown.height, shown.width) for name, shown in named.items()}
    text = json.dumps({**header, "pictures": sizes}, separators=(",", ":")).encode()
    return b"".join((len(text).to_bytes(4, "little"), text, *(shown.deflated for shown in named.values()), END))


def eight_bit(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values -> uint8: `low` and less is 0, `high` and more is 255; all 0 where `high` is not above `low`."""
    if not high > low:
        return np.zeros(values.shape, dtype=np.uint8)
    unit = (np.asarray(values, dtype=np.float32) - low) / (high - low)
    return np.round(unit.clip(0, 1) * 255).astype(np.uint8)
