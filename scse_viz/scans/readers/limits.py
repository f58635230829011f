"""Limits that are checked before memory is allocated, and bytes that are read only as far as they are there."""

import gzip
from collections.abc import Sequence
from io import BytesIO
from mmap import mmap
from typing import BinaryIO

import numpy as np

from scse_viz.scans.readers.contents import ScanError, VolumeChoice

LARGEST_VOXELS = 512**3  # of the one volume that is read: half a gigabyte as float32
LARGEST_MEMORY = 900 * 10**6  # bytes of that volume as stored and as float32, both held at once
LARGEST_BYTES = 2**30  # to decompress before the voxels of a compressed file; of all files in a .zip or folder
LARGEST_WHOLE = 400 * 10**6  # bytes of a file that is held whole: its library may copy them once
PIECE = 2**20  # bytes
MOST_NAMED = 8  # volumes whose names a sentence lists


def checked_shape(shape: Sequence[int], most: int = LARGEST_VOXELS) -> tuple[int, int, int]:
    """(X, Y, Z) of one volume, given the sizes of all axes; refuses what is empty, a line, or too large."""
    if min(shape, default=0) < 1:
        raise ScanError(f"damaged, its header says {_product(shape) or 'no'} voxels; copy or export it again")
    x, y, z = (*shape, 1, 1)[:3]
    if sum(size > 1 for size in (x, y, z)) < 2:
        raise ScanError(f"{_product(shape[:3])} values, but an image has at least 2 × 2; choose an image")
    if x * y * z > most:
        raise ScanError(f"{_product(shape[:3])} voxels, over the limit of {most:,}; crop or downsample the scan")
    return x, y, z


def checked_volume(volumes: int, volume: int | None, names: tuple[str, ...] = ()) -> int:
    """Number of the volume to read; raises VolumeChoice where there are several and none was chosen."""
    if volume is None and volumes > 1:
        named = any(names) and volumes <= MOST_NAMED
        choices = "; ".join(map("{}: {}".format, range(volumes), names)) if named else f"0 to {volumes - 1}"
        raise VolumeChoice(f"4-D image with {volumes} volumes; choose one ({choices})", volumes, names)
    if volume is not None and not 0 <= volume < volumes:
        raise ScanError(f"has no volume {volume}; choose {f'0 to {volumes - 1}' if volumes > 1 else '0, the only one'}")
    return volume or 0


def check_type(dtype: np.dtype, voxels: int) -> None:
    """Refuses what is not real numbers, and more voxels than fit the limit of memory."""
    if dtype.kind not in "buif":
        kind = "complex numbers" if dtype.kind == "c" else f"values of type {dtype}"
        raise ScanError(f"holds {kind}, not gray values; save it as integers or real numbers")
    check_memory(voxels * (dtype.itemsize + 4 * (dtype != np.float32)), f" as {dtype.name}")


def check_memory(needed: int, kind: str = "") -> None:
    """Refuses what takes more bytes than the limit."""
    if needed > LARGEST_MEMORY:
        limit = f"{needed / 1e6:,.0f} MB{kind}, over the limit of {LARGEST_MEMORY / 1e6:,.0f}"
        raise ScanError(f"needs {limit}; crop or downsample the scan, or save it as int16")


def read_at(stream: BinaryIO, start: int, size: int) -> bytearray | mmap:
    """The bytes of a stream at 0 from `start` on; refuses a file that ends before, or is long to decompress."""
    if isinstance(stream, gzip.GzipFile):  # its own seek would decompress in pieces of 8 KiB
        if start > LARGEST_BYTES:
            raise ScanError("that volume begins beyond 1 GiB; decompress the file, or save the volume as one")
        while start > 0 and (piece := stream.read(min(start, PIECE))):
            start -= len(piece)
    else:
        stream.seek(start)
        start = 0
    data = mmap(-1, size) if size > PIECE else bytearray(size)  # of a map, what is not written takes no memory
    filled, view = 0, memoryview(data)
    while filled < size and (count := stream.readinto(view[filled : filled + PIECE])):  # type: ignore[attr-defined]
        filled += count
    if filled < size:
        raise ScanError(f"ends {size - filled + start:,} bytes too early; copy or download the file again")
    return data


def read_whole(stream: BinaryIO) -> bytes:
    """All bytes, up to a limit: piece by piece, as read(size) takes the memory before seeing how little there is."""
    data = BytesIO()
    while piece := stream.read(PIECE):
        if data.write(piece) and data.tell() > LARGEST_WHOLE:
            raise ScanError(f"over the limit of {LARGEST_WHOLE / 1e6:.0f} MB; crop it or convert it to NIfTI")
    return data.getvalue()  # not copied, as bytes(bytearray) would be


def _product(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))
