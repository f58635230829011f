"""What every reader returns, how it refuses a file, and the grid of images without a position."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import nibabel as nib
import numpy as np

LARGEST_SIDE_MM = 256.0  # the longer side of a picture without pixel size and with more pixels than this
VOXEL_MM = (1e-4, 100.0)  # range of the side of a voxel; anything else counts as damage
# What libraries raise on damaged bytes, besides errors of their own: they check little before they calculate.
UNCHECKED = (OSError, EOFError, SyntaxError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError,
             RuntimeError, struct.error, zlib.error)  # fmt: skip
REC_601 = np.array([0.299, 0.587, 0.114], np.float32)
TURNED_NOTE = "The picture was turned upright as its orientation tag ({}) says."
COLOUR_NOTE = "Colours were turned to gray (luminance of Rec. 601)."


class ScanError(ValueError):
    """A file that cannot be shown, in one sentence: what came and what to do, after the file's name.

    The readers leave out the name; `read` puts it first.
    """


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
    values = _upright(planes, code).T
    affine, plain = plain_affine(values.shape, spacing, rows_down=True)
    turned = [TURNED_NOTE.format(code)] * (code in range(2, 9))
    return FileContents(
        values=values,
        affine=affine,
        oriented=False,
        colour=colour,
        indices=None if indices is None else _upright(indices, code).T,
        notes=(*notes, *turned, *plain, *[COLOUR_NOTE] * colour),
    )


def _upright(planes: np.ndarray, code: int) -> np.ndarray:
    """(..., H, W) as stored under an orientation tag of EXIF or TIFF -> as seen; other numbers turn nothing."""
    seen = planes.swapaxes(-1, -2) if code in (5, 6, 7, 8) else planes
    down, across = (-1 if code in flipped else 1 for flipped in ((3, 4, 7, 8), (2, 3, 6, 7)))
    return seen[..., ::down, ::across]


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
