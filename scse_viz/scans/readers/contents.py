"""What every reader returns, how it refuses a file, and the limits that are checked before memory is allocated."""

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from mmap import mmap
from typing import BinaryIO

import nibabel as nib
import numpy as np

LARGEST_VOXELS = 512**3  # of the one volume that is read: half a gigabyte as float32
LARGEST_MEMORY = 900 * 10**6  # bytes of that volume as stored and as float32, both held at once
LARGEST_PIXELS = 2**26  # of a picture, which is decompressed in colours: 8192 by 8192
LARGEST_BYTES = 1024**3  # to decompress before the chosen volume of a compressed file: some seconds
LARGEST_SIDE_MM = 256.0  # the longer side of a picture without pixel size and with more pixels than this
PIECE = 2**20  # bytes
VOXEL_MM = (1e-4, 100.0)  # range of the side of a voxel; anything else counts as damage
ORIENTATION_TAG = 274  # of EXIF and TIFF
UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # its codes: how stored rows and columns are turned
    2: lambda planes: planes[..., ::-1],
    3: lambda planes: planes[..., ::-1, ::-1],
    4: lambda planes: planes[..., ::-1, :],
    5: lambda planes: planes.swapaxes(-1, -2),
    6: lambda planes: planes.swapaxes(-1, -2)[..., ::-1],
    7: lambda planes: planes[..., ::-1, ::-1].swapaxes(-1, -2),
    8: lambda planes: planes.swapaxes(-1, -2)[..., ::-1, :],
}
MOST_NAMED = 8  # volumes whose names a sentence lists
REC_601 = np.array([0.299, 0.587, 0.114], np.float32)
COLOUR_NOTE = "Colours were turned to gray (luminance of Rec. 601)."


class ScanError(ValueError):
    """A file that cannot be shown: one sentence for users, with the file's name and what to do."""


class VolumeChoice(ScanError):  # noqa: N818 - a question to answer, not a mistake
    """A file of several volumes where none was chosen; volumes: how many there are; names: of each, or none."""

    def __init__(self, message: str, volumes: int, names: tuple[str, ...] = ()) -> None:
        super().__init__(message, volumes, names)
        self.volumes = volumes
        self.names = names

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, eq=False)
class FileContents:
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


def checked_volume(name: str, volumes: int, volume: int | None, names: tuple[str, ...] = ()) -> int:
    """Number of the volume to read; raises VolumeChoice where there are several and none was chosen."""
    if volumes < 1:
        raise ScanError(f"{name}: damaged, its header says {volumes} volumes; copy or export the file again")
    if volume is None and volumes > 1:
        said = f"0 to {volumes - 1}"
        if any(names) and volumes <= MOST_NAMED:
            said = "; ".join(f"{number}: {title}" for number, title in enumerate(names))
        raise VolumeChoice(f"{name}: 4-D image with {volumes} volumes; choose one ({said})", volumes, names)
    if volume is not None and not 0 <= volume < volumes:
        offered = f"0 to {volumes - 1}" if volumes > 1 else "0, the only one"
        raise ScanError(f"{name}: has no volume {volume}; choose {offered}")
    return volume or 0


def checked_type(name: str, dtype: np.dtype, voxels: int = 0) -> np.dtype:
    """A type of real numbers, as it came; refuses other types, and more voxels than fit the limit of memory."""
    if dtype.kind not in "buif":
        kind = "complex numbers" if dtype.kind == "c" else f"values of type {dtype}"
        raise ScanError(f"{name}: holds {kind}, not gray values; save it as integers or real numbers")
    needed = voxels * (dtype.itemsize + 4 * (dtype != np.float32))
    if needed > LARGEST_MEMORY:
        raise ScanError(
            f"{name}: needs {needed / 1e6:,.0f} MB as {dtype.name}, over the limit of {LARGEST_MEMORY / 1e6:,.0f}; "
            "crop or downsample the scan, or save it as int16"
        )
    return dtype


def read_exactly(stream: BinaryIO, size: int, name: str) -> bytearray | mmap:
    """The next size bytes; refuses a file that ends before."""
    data = mmap(-1, size) if size > PIECE else bytearray(size)  # of a map, what is not written takes no memory
    filled, view = 0, memoryview(data)
    while filled < size and (count := stream.readinto(view[filled : filled + PIECE])):  # type: ignore[attr-defined]
        filled += count
    if filled < size:
        raise ScanError(f"{name}: ends {size - filled:,} bytes too early; copy or download the file again")
    return data


def skip(stream: BinaryIO, size: int, name: str) -> None:
    """Go from the start of a stream to byte `size`; refuses a compressed one that ends before."""
    if not isinstance(stream, gzip.GzipFile):
        stream.seek(size)
        return
    if size > LARGEST_BYTES:
        limit = f"{LARGEST_BYTES / 1024**3:.0f} GiB"
        raise ScanError(f"{name}: that volume begins beyond {limit}; decompress the file, or save the volume as one")
    while size > 0 and (piece := stream.read(min(size, PIECE))):  # GzipFile.seek would decompress in pieces of 8 KiB
        size -= len(piece)
    if size > 0:
        raise ScanError(f"{name}: ends {size:,} bytes before its voxels begin; copy or download the file again")


def luminance(colours: np.ndarray) -> np.ndarray:
    """RGB (..., 3) -> gray (...), float32, by Rec. 601; channels after the third (transparency) are left out."""
    gray = np.zeros(colours.shape[:-1], np.float32)
    for place in np.ndindex(colours.shape[:-2]):  # a row at a time: no second array of all colours as floats
        gray[place] = colours[place][:, :3] @ REC_601
    return gray


def of_rows(
    planes: np.ndarray,
    code: int = 1,
    *,
    spacing: Sequence[float] | None = None,
    notes: Sequence[str] = (),
    colour: bool = False,
    indices: np.ndarray | None = None,
) -> FileContents:
    """Planes (slices, H, W) with rows going down -> (W, H, slices), turned upright as an orientation tag says."""
    turn = UPRIGHT.get(code, lambda planes: planes)
    values = turn(planes).T
    affine, plain = plain_affine(values.shape, spacing, rows_down=True)
    turned = [f"The picture was turned upright as its orientation tag ({code}) says."] * (code in UPRIGHT)
    return FileContents(
        values=values,
        affine=affine,
        oriented=False,
        colour=colour,
        indices=None if indices is None else turn(indices).T,
        notes=(*notes, *turned, *plain, *[COLOUR_NOTE] * colour),
    )


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
        notes = (f"The file gives no pixel size; {side:.3g} mm is assumed{why}.",)
        spacing = (side, side, side)
    affine = np.diag([*spacing, 1.0])
    if rows_down:
        affine[1, 1:] = -spacing[1], 0, (shape[1] - 1) * spacing[1]
    return affine, notes


def possible_sides(sides: float | Sequence[float] | np.ndarray) -> bool:
    """Whether voxels can have these sides in mm; NaN is none."""
    return bool(((np.asarray(sides) >= VOXEL_MM[0]) & (np.asarray(sides) <= VOXEL_MM[1])).all())


def usable(affine: np.ndarray) -> bool:
    """Whether an affine is finite, its voxels have a size that can be, and its axes point three ways."""
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    return np.isfinite(affine).all() and possible_sides(sides) and abs(np.linalg.det(affine[:3, :3] / sides)) > 0.01
