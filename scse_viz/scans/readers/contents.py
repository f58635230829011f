"""What every reader gives back, how it refuses, and the limits that hold before memory is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import BinaryIO

import nibabel as nib
import numpy as np

LARGEST_VOXELS = 512**3  # of the one volume that is read: half a gigabyte as float32
LARGEST_BYTES = 4 * 1024**3  # that one decompressed file may announce: a long 4-D series
LARGEST_SIDE_MM = 256.0  # shown by a picture that gives no pixel size and has more pixels a side than that
PIECE = 2**20  # bytes
VOXEL_MM = (1e-4, 100.0)  # sides that a voxel can have; others are taken for damage
COLOUR_NOTE = "Colours were turned to gray (luminance of Rec. 601)."


class ScanError(ValueError):
    """A file that cannot be shown: one sentence for people, with the file's name and what to do."""


class VolumeChoice(ScanError):  # noqa: N818 - a question to answer, not a mistake
    """A file of several volumes where none was chosen; volumes: how many there are."""

    def __init__(self, message: str, volumes: int) -> None:
        super().__init__(message, volumes)
        self.volumes = volumes

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, eq=False)
class Contents:
    """One volume on the file's own grid: numbers with the file's scaling applied, colours turned to gray."""

    values: np.ndarray  # (X, Y, Z), axes in the file's order
    affine: np.ndarray  # (4, 4) voxel -> mm in RAS
    oriented: bool = True  # False: the file does not say where left, front and top are
    colour: bool = False
    indices: np.ndarray | None = None  # (X, Y, Z) numbers of a picture's palette: in a label file they are the labels
    notes: tuple[str, ...] = ()
    header: nib.Nifti1Header | None = None  # a NIfTI file's own, for export


def checked_shape(name: str, shape: Sequence[int]) -> tuple[int, int, int]:
    """Shape of one volume, one to three numbers -> (X, Y, Z); refuses what is empty, a line, or too large."""
    said = " × ".join(map(str, shape))
    if min(shape) < 1:
        raise ScanError(f"{name}: damaged, its header says {said} voxels; copy or export the file again")
    if sum(size > 1 for size in shape) < 2:
        raise ScanError(f"{name}: {said} values, but an image has at least 2 × 2; choose an image")
    if prod(shape) > LARGEST_VOXELS:
        raise ScanError(f"{name}: {said} voxels, over the limit of {LARGEST_VOXELS:,}; crop or downsample the scan")
    x, y, z = (*shape, 1, 1)[:3]
    return x, y, z


def checked_volume(name: str, volumes: int, volume: int | None) -> int:
    """Number of the volume to read; raises VolumeChoice where there are several and none was chosen."""
    if volumes < 1:
        raise ScanError(f"{name}: damaged, its header says {volumes} volumes; copy or export the file again")
    if volume is None and volumes > 1:
        raise VolumeChoice(f"{name}: 4-D image with {volumes} volumes; choose one (0 to {volumes - 1})", volumes)
    if volume is not None and not 0 <= volume < volumes:
        there = f"0 to {volumes - 1}" if volumes > 1 else "0, the only one"
        raise ScanError(f"{name}: has no volume {volume}; choose {there}")
    return volume or 0


def checked_type(name: str, dtype: np.dtype) -> np.dtype:
    """A type of real numbers, as it came; refuses complex numbers, text and records."""
    if dtype.kind not in "buif":
        kind = "complex numbers" if dtype.kind == "c" else f"values of type {dtype}"
        raise ScanError(f"{name}: holds {kind}, not gray values; save it as integers or real numbers")
    return dtype


def read_most(stream: BinaryIO, size: int) -> bytearray:
    """The next bytes, at most size, in pieces: read(size) takes the memory before seeing how little there is."""
    data = bytearray()
    while len(data) < size and (piece := stream.read(min(size - len(data), PIECE))):
        data += piece
    return data


def read_exactly(stream: BinaryIO, size: int, name: str) -> bytearray:
    """The next size bytes; refuses a file that ends before."""
    data = read_most(stream, size)
    if len(data) < size:
        raise ScanError(f"{name}: ends {size - len(data):,} bytes too early; copy or download the file again")
    return data


def luminance(colours: np.ndarray) -> np.ndarray:
    """RGB (..., 3) -> gray (...), float32, by Rec. 601; channels after the third (transparency) are left out."""
    gray = np.float32(0.299) * colours[..., 0]
    gray += np.float32(0.587) * colours[..., 1]
    gray += np.float32(0.114) * colours[..., 2]
    return gray


def plain_affine(
    shape: tuple[int, int, int], spacing: Sequence[float] | None, *, rows_down: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Affine of an image without directions, with notes; rows_down: the second axis counts from the top.

    Without a spacing in mm, a voxel is 1 mm, or as much as makes the longer side LARGEST_SIDE_MM when that is less.
    """
    notes: tuple[str, ...] = ()
    if spacing is None:
        side = min(1.0, LARGEST_SIDE_MM / max(shape))
        why = f", so that {max(shape)} pixels span {LARGEST_SIDE_MM:.0f} mm" if side < 1 else ""
        notes = (f"The file gives no pixel size; {side:.3g} mm was taken{why}.",)
        spacing = (side, side, side)
    affine = np.diag([*spacing, 1.0])
    if rows_down:
        affine[1, 1:] = -spacing[1], 0, (shape[1] - 1) * spacing[1]
    return affine, notes


def usable(affine: np.ndarray) -> bool:
    """Whether an affine is finite, its voxels have a size that can be, and its axes point three ways."""
    if not np.isfinite(affine).all():
        return False
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    return bool(
        sides.min() >= VOXEL_MM[0] and sides.max() <= VOXEL_MM[1] and abs(np.linalg.det(affine[:3, :3] / sides)) > 0.01
    )
