"""A file of an odd or bad kind, and the numbers that the kinds are made of."""

from dataclasses import dataclass

import numpy as np

from tests.scan_files import numbers

VOLUME = numbers(4, 5, 6)  # (X, Y, Z), or slices, rows and columns of a series
GRAY = (numbers(5, 6, dtype=np.uint8) * 8 + 3).astype(np.uint8)  # (H, W)
DEEP = numbers(5, 6, dtype=np.uint16) * np.uint16(2111) + np.uint16(77)
COLOURS = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], axis=-1)  # (H, W, 3)


@dataclass(frozen=True, eq=False)
class Odd:
    """A file, and its voxels (X, Y, Z) in truth; None where it must be refused."""

    data: bytes
    values: np.ndarray | None = None
    volume: int | None = None  # the one to choose
    name: str = "file"


def plane(pixels):
    """(H, W) as read from a picture: (W, H, 1)."""
    return np.asarray(pixels).T[..., None]


def packed(values, bits):
    """Whole numbers (H, W) -> rows of bytes (H, n) in which each takes so many bits, the highest first."""
    every = np.unpackbits(values.astype(">u4")[..., None].view(np.uint8), axis=-1)  # (H, W, 32)
    return np.packbits(every[..., -bits:].reshape(len(values), -1), axis=1)


def gray_of(colours):
    return colours[..., :3] @ np.array([0.299, 0.587, 0.114])
