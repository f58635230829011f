"""Scan: voxels in RAS with their affine in mm, and the slices of it that are shown.

Slices are shown in the neurological convention, in which the networks were trained: left is drawn left.
Axial: rows go posterior, columns right; coronal: rows go inferior, columns right; sagittal: rows go inferior, columns
anterior.
"""

from dataclasses import dataclass, field
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, io_orientation, ornt_transform

PLANES = {"sagittal": 0, "coronal": 1, "axial": 2}  # plane -> axis of RAS that it cuts
LETTERS = {  # at the top, right, bottom and left
    "sagittal": ("S", "A", "I", "P"),
    "coronal": ("S", "R", "I", "L"),
    "axial": ("A", "R", "P", "L"),
}
RAS = np.array([[0, 1], [1, 1], [2, 1]])  # nibabel's words for: axes 0, 1, 2, none flipped
NIFTI1_SIDE = 32767  # voxels: the longest side that NIfTI-1 can store


@dataclass(frozen=True, eq=False)
class Scan:
    """One volume of an image file, its axes turned to the order and direction nearest to RAS, nothing resampled."""

    name: str
    voxels: np.ndarray = field(repr=False)  # (X, Y, Z) float32, finite, read-only
    affine: np.ndarray  # (4, 4) voxel -> mm
    oriented: bool  # False: the file does not say where left, front and top are
    notes: tuple[str, ...]  # sentences on what reading changed
    digest: str  # of voxels and affine: the key of caches
    file_shape: tuple[int, int, int]
    file_affine: np.ndarray  # (4, 4) voxel of the file -> mm
    file_header: nib.Nifti1Header | None = field(repr=False)  # of a NIfTI file
    channels: tuple["Scan", ...] = field(default=(), repr=False)  # on one grid, itself the first; see `stacked`

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Sides of a voxel in mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def planes(self) -> tuple[str, ...]:
        """Planes in which a slice has more than one row and column: all three, or the one of a 2-D image."""
        return tuple(plane for plane, axis in PLANES.items() if min(np.delete(self.voxels.shape, axis)) > 1)

    def slice(self, plane: str, index: int) -> "ScanSlice":
        """One slice; raises ValueError for an unknown plane and IndexError for a slice beyond the scan."""
        return ScanSlice(self, plane, index)

    def to_file_grid(self, volume: np.ndarray) -> nib.Nifti1Image:
        """volume (X, Y, Z[, K]) in RAS -> NIfTI image with the file's own axes, affine, sform and qform; type kept.

        Booleans become uint8, float16 float32, and 64-bit integers int32 where they fit: what other viewers read.
        """
        if volume.shape[:3] != self.voxels.shape:
            raise ValueError(f"volume of shape {volume.shape} for a scan of {self.voxels.shape}")
        back = ornt_transform(RAS, io_orientation(self.file_affine))
        values = _exportable(apply_orientation(volume, back))
        large = max(values.shape) > NIFTI1_SIDE or isinstance(self.file_header, nib.Nifti2Header)
        kind: Any = nib.Nifti2Image if large else nib.Nifti1Image
        if self.file_header is None:
            return kind(values, self.file_affine)
        header = self.file_header.copy()
        header.set_data_dtype(values.dtype)
        header.set_data_offset(0)  # the file's may leave room for extensions
        header.set_intent("none")
        header["cal_min"] = header["cal_max"] = 0  # the scan's display window is not that of the result
        return kind(values, None, header)


@dataclass(frozen=True)
class SliceGrid:
    """The slices of a scan in one plane, as shown."""

    count: int
    height: int  # rows
    width: int  # columns
    row_mm: float  # distance between rows
    column_mm: float
    letters: tuple[str, str, str, str] | None  # at the top, right, bottom and left; None where directions are unknown


@dataclass(frozen=True, eq=False)
class ScanSlice:
    """One slice of a scan: `index` is the voxel along the normal of its plane, from left, posterior or inferior.

    Raises ValueError for an unknown plane and IndexError for a slice beyond the scan.
    """

    scan: Scan
    plane: str
    index: int

    def __post_init__(self) -> None:
        if self.plane not in PLANES:
            raise ValueError(f"plane {self.plane!r} is unknown; choose {', '.join(PLANES)}")
        count = self.scan.voxels.shape[PLANES[self.plane]]
        if not 0 <= self.index < count:
            raise IndexError(f"{self.scan.name}: {self.plane} slice {self.index} of {count}; choose 0 to {count - 1}")

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from every other slice: the digest of its scan, its plane and index."""
        return self.scan.digest, self.plane, self.index

    @property
    def grid(self) -> SliceGrid:
        """Counts, sizes and letters of the slices in its plane."""
        return slice_grid(self.scan, self.plane)

    @property
    def pixels(self) -> np.ndarray:
        """Its intensities (H, W), a copy."""
        return self.cut(self.scan.voxels)

    def cut(self, volume: np.ndarray) -> np.ndarray:
        """The same slice of another volume (X, Y, Z) on the scan's grid, such as its labels: (H, W), a copy."""
        return slice_of(volume, self.plane, self.index)

    def voxel(self, row: int, column: int) -> tuple[int, int, int]:
        """The voxel of RAS under a pixel."""
        across_down = [column, self.grid.height - 1 - row]
        across_down.insert(PLANES[self.plane], self.index)
        x, y, z = across_down
        return x, y, z


def slice_grid(scan: Scan, plane: str) -> SliceGrid:
    """Counts, sizes and letters of the slices in a plane."""
    across, down = (axis for axis in range(3) if axis != PLANES[plane])
    return SliceGrid(
        count=scan.voxels.shape[PLANES[plane]],
        height=scan.voxels.shape[down],
        width=scan.voxels.shape[across],
        row_mm=scan.spacing[down],
        column_mm=scan.spacing[across],
        letters=LETTERS[plane] if scan.oriented else None,
    )


def slice_of(volume: np.ndarray, plane: str, index: int) -> np.ndarray:
    """(X, Y, Z) in RAS -> one slice (H, W) as shown, a copy."""
    # Not `take`, which copies a whole volume that lies in memory as files have it.
    return np.ascontiguousarray(np.moveaxis(volume, PLANES[plane], 0)[index].T[::-1])


def volume_of(slices: np.ndarray, plane: str) -> np.ndarray:
    """All slices of a plane (N, H, W) as shown -> (X, Y, Z) in RAS: the inverse of slice_of."""
    return np.moveaxis(slices[:, ::-1].swapaxes(1, 2), 0, PLANES[plane])


def _exportable(values: np.ndarray) -> np.ndarray:
    if values.dtype == bool:
        return values.astype(np.uint8)
    if values.dtype == np.float16:
        return values.astype(np.float32)
    limits = np.iinfo(np.int32)
    if values.dtype in (np.int64, np.uint64) and limits.min <= values.min() <= values.max() <= limits.max:
        return values.astype(np.int32)
    return values
