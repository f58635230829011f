"""NIfTI, MGH and Analyze: nibabel reads the header, and of the voxels only the chosen volume is read."""

import logging
from math import prod
from typing import Any, BinaryIO

import nibabel as nib
import numpy as np
from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader
from nibabel.spatialimages import HeaderDataError
from nibabel.spm2analyze import Spm2AnalyzeHeader
from nibabel.wrapstruct import WrapStructError

from scse_viz.scans.readers.contents import (
    COLOUR_NOTE,
    FileContents,
    ScanError,
    checked_shape,
    checked_type,
    checked_volume,
    luminance,
    possible_sides,
    read_exactly,
    skip,
    usable,
)

# What nibabel raises on a damaged header: its own errors, an unknown code of a table, a value that is no number.
ERRORS = (HeaderDataError, WrapStructError, KeyError, ValueError, OverflowError)
QUIET = logging.Logger("header checks", level=logging.CRITICAL + 1)  # nibabel's own logger prints what it corrects
UNITS = {1: ("metres", 1000.0), 3: ("micrometres", 0.001)}  # NIfTI's codes; the others count as mm
MM = ("mm", 1.0)
SCAN_MM = (1.0, 1000.0)  # the longest side of a scanned object: a unit that gives one of these lengths is trusted
HEAD_MM = (50.0, 600.0)  # that of a head: a unit that gives one replaces a unit that gives no possible scan
LARGEST_HEADER = 64 * 2**20  # bytes before the voxels: a header with its extensions
NO_ORIENTATION = "The file does not say where left, front and top are; its axes are shown in their usual order."
BAD_ORIENTATION = "The orientation in the file is damaged and was left out; its axes are shown in their usual order."


def header_class(block: bytes) -> type[Spm2AnalyzeHeader] | type[nib.Nifti1Header] | None:
    """The header of this family that a file's first bytes are; Analyze has no signature but its length."""
    if block[344:348] in (b"n+1\0", b"ni1\0"):
        return nib.Nifti1Header
    if block[4:8] in (b"n+2\0", b"ni2\0"):
        return nib.Nifti2Header
    return Spm2AnalyzeHeader if Spm2AnalyzeHeader.may_contain_header(block) else None


def is_single(block: bytes) -> bool:
    """Whether the voxels follow the header in the same file."""
    return block[344:348] == b"n+1\0" or block[4:8] == b"n+2\0"


def is_mgh(block: bytes) -> bool:
    return block[:4] == b"\0\0\0\1" and len(block) >= DATA_OFFSET


def read_nifti(block: bytes, stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    """block: the header's bytes; stream: the file with the voxels (for a pair, the other one)."""
    kind = header_class(block)
    if kind is None:
        raise ScanError(f"{name}: damaged header; copy or export the file again")
    header: Any = kind(bytes(block[: kind.sizeof_hdr]), check=False)
    sized = possible_sides(np.abs(header["pixdim"][1:4]))
    header.check_fix(logger=QUIET, error_level=100)  # what lacks a size gets 1
    offset = int(header.get_data_offset())
    notes: list[str] = []
    if is_single(block) and 0 <= offset < header.single_vox_offset:
        notes = [
            f"The header says that voxels begin at byte {offset}, inside it; {header.single_vox_offset} is assumed."
        ]
        offset = header.single_vox_offset
    values = _one_volume(stream, name, offset, header.get_data_dtype(), header.get_data_shape(), volume)
    colour = values.ndim == 4
    slope, intercept = _scale(header, name)
    if colour:
        values = luminance(values)
    elif (slope, intercept) != (1, 0):
        values = _scaled(values, slope, intercept)
    affine, oriented, orientation_notes = _orientation(header, values.shape)
    if not oriented and not sized:
        notes.append("The file lacks the size of a voxel along an axis; 1 mm is assumed.")
    return FileContents(
        values=values,
        affine=affine,
        oriented=oriented,
        colour=colour,
        notes=(*notes, *orientation_notes, *[COLOUR_NOTE] * colour),
        header=header if isinstance(header, nib.Nifti1Header) and BAD_ORIENTATION not in orientation_notes else None,
    )


def read_mgh(block: bytes, stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    header = MGHHeader(bytes(block[:DATA_OFFSET]), check=False)
    shape = tuple(int(size) for size in header["dims"])
    values = _one_volume(stream, name, DATA_OFFSET, header.get_data_dtype(), shape, volume)
    affine = np.asarray(header.get_affine(), dtype=np.float64)
    says = int.from_bytes(block[28:30], "big") != 0  # goodRASFlag
    if says and usable(affine):
        return FileContents(values, affine)
    return FileContents(
        values, _plain(np.ones(3), values.shape), False, notes=(BAD_ORIENTATION if says else NO_ORIENTATION,)
    )


def _one_volume(
    stream: BinaryIO, name: str, offset: int, dtype: np.dtype, shape: tuple[int, ...], volume: int | None
) -> np.ndarray:
    """(X, Y, Z) from a file whose first axis runs fastest; (X, Y, Z, 3 or 4) for colours."""
    if not shape or min(shape) < 1:
        said = " × ".join(map(str, shape)) or "no"
        raise ScanError(f"{name}: damaged, its header says {said} voxels; copy or export it again")
    if not 0 <= offset <= LARGEST_HEADER:
        raise ScanError(
            f"{name}: damaged, its header says that voxels begin at byte {offset:,}; copy or export it again"
        )
    x, y, z = checked_shape(name, shape[:3])
    number = checked_volume(name, prod(shape[3:]), volume)
    channels = len(dtype.names) if dtype.names in (("R", "G", "B"), ("R", "G", "B", "A")) else 0
    checked_type(name, np.dtype(np.uint8) if channels else dtype, x * y * z * max(channels, 1))
    size = x * y * z * dtype.itemsize
    skip(stream, offset + size * number, name)
    data = read_exactly(stream, size, name)
    if channels:
        return np.moveaxis(np.frombuffer(data, np.uint8).reshape((channels, x, y, z), order="F"), 0, -1)
    return np.frombuffer(data, dtype).reshape((x, y, z), order="F")


def _scale(header: Any, name: str) -> tuple[float, float]:
    """Slope and intercept of the intensities; 1 and 0 where the header gives none."""
    try:
        slope, intercept = header.get_slope_inter()
    except HeaderDataError as error:
        raise ScanError(
            f"{name}: its intensities have slope {float(header['scl_slope']):g} and intercept "
            f"{float(header['scl_inter']):g}, which is no scale; export it again"
        ) from error
    return 1.0 if slope is None else float(slope), float(intercept or 0)


def _scaled(values: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """values (X, Y, Z) * slope + intercept as float32, slice by slice: a whole volume is held only once."""
    scaled = np.empty(values.shape, np.float32, order="F")
    between = np.dtype(np.float32 if values.dtype.itemsize <= 2 else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        for z in range(values.shape[2]):
            scaled[..., z] = values[..., z].astype(between) * slope + intercept
    return scaled


def _orientation(header: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, bool, tuple[str, ...]]:
    """Affine in mm, whether the file gave it, and notes: the sform if it can be used, else the qform, else neither."""
    notes = (NO_ORIENTATION,)
    unit = MM
    if "sform_code" in header.keys():  # noqa: SIM118 - a header is no dict
        unit = UNITS.get(int(header["xyzt_units"]) & 7, MM)
        for code, form in (("sform_code", header.get_sform), ("qform_code", header.get_qform)):
            if header[code] > 0:
                try:
                    affine, said = _in_mm(form(), unit, shape)
                except (HeaderDataError, ValueError):  # a quaternion longer than 1
                    affine, said = np.zeros((4, 4)), ()
                if usable(affine):
                    return affine, True, said
                notes = (BAD_ORIENTATION,)
    sides = np.diag([*header["pixdim"][1:4].astype(np.float64), 1])
    affine, said = _in_mm(sides, unit, shape)
    spacing = np.diag(affine)[:3]
    return _plain(spacing, shape), False, (*notes, *said)


def _in_mm(affine: np.ndarray, unit: tuple[str, float], shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The affine in mm by the header's unit, or, where that is impossible, by one that gives a head; with notes."""
    longest = float((np.linalg.norm(affine[:3, :3], axis=0) * shape[:3]).max())
    word, factor = unit
    notes: tuple[str, ...] = ()
    if np.isfinite(longest) and not SCAN_MM[0] <= longest * factor <= SCAN_MM[1]:
        length = longest * factor
        impossible = f"The header's unit, {word}, makes the scan {length:{',.0f' if length > 1 else '.3g'}} mm long"
        for unit_name, larger in (MM, *UNITS.values()):
            if HEAD_MM[0] <= longest * larger <= HEAD_MM[1]:
                notes, factor = (f"{impossible}; its numbers are read as {unit_name}.",), larger
                break
        else:
            notes = (f"{impossible}, which no head is; sizes in mm may be wrong.",)
    return np.diag([factor, factor, factor, 1.0]) @ affine, notes


def _plain(spacing: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Affine of a file that gives no directions: x to the left, as nibabel and FSL take it, the centre at 0 mm."""
    spacing = np.array([side if possible_sides(side) else 1.0 for side in spacing])
    affine = np.diag([-spacing[0], spacing[1], spacing[2], 1])
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape[:3]) - 1) / 2
    return affine
