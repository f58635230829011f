"""NIfTI, MGH and Analyze: nibabel reads the header, and of the voxels only the chosen volume is read."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from math import prod
from typing import Any, BinaryIO

import nibabel as nib
import numpy as np
from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader
from nibabel.spatialimages import HeaderDataError
from nibabel.spm2analyze import Spm2AnalyzeHeader
from nibabel.wrapstruct import WrapStructError

from scse_viz.scans.readers.contents import COLOUR_NOTE, FileContents, ScanError, luminance, possible_sides, usable
from scse_viz.scans.readers.limits import check_type, checked_shape, checked_volume, read_at

# What nibabel raises on a damaged header: its own errors, an unknown code of a table, a value that is no number.
ERRORS = (HeaderDataError, WrapStructError, KeyError, ValueError, OverflowError)
QUIET = logging.Logger("header checks", level=logging.CRITICAL + 1)  # nibabel's own logger prints what it corrects
UNITS = {1: ("metres", 1000.0), 3: ("micrometres", 0.001)}  # NIfTI's codes; the others count as mm
MM = ("mm", 1.0)
SCAN_MM = (1.0, 1000.0)  # the longest side of a scanned object: the unit that gives one is right, or else mm if it does
HEAD_MM = (50.0, 600.0)  # that of a head: a third unit must give one
LARGEST_HEADER = 64 * 2**20  # bytes before the voxels: a header with its extensions
NO_SIZE = "The file lacks the size of a voxel along an axis; 1 mm is assumed."
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


def read_nifti(block: bytes, stream: BinaryIO, volume: int | None) -> FileContents:
    """block: the header's bytes; stream: the file with the voxels (for a pair, the other one)."""
    kind: Any = header_class(block)
    header = kind(bytes(block[: kind.sizeof_hdr]), check=False)
    sized = possible_sides(np.abs(header["pixdim"][1:4]))
    begin = float(header["vox_offset"])
    header.check_fix(logger=QUIET, error_level=100)  # what lacks a size gets 1, and what begins too early begins later
    notes = []
    offset = int(header.get_data_offset())
    if is_single(block) and begin < (first := header.single_vox_offset):
        notes.append(f"The header says that voxels begin at byte {begin:g}, before its end; {first} is assumed.")
        offset = first
    values = _one_volume(stream, offset, header.get_data_dtype(), header.get_data_shape(), volume)
    colour = values.ndim == 4
    values = luminance(values) if colour else _scaled(values, header)
    affine, oriented, said = _orientation(header, values.shape, sized)
    return FileContents(
        values=values,
        affine=affine,
        oriented=oriented,
        colour=colour,
        notes=(*notes, *said, *[COLOUR_NOTE] * colour),
        header=header if isinstance(header, nib.Nifti1Header) and BAD_ORIENTATION not in said else None,
    )


def read_mgh(block: bytes, stream: BinaryIO, volume: int | None) -> FileContents:
    header = MGHHeader(bytes(block[:DATA_OFFSET]), check=False)
    values = _one_volume(stream, DATA_OFFSET, header.get_data_dtype(), header["dims"].tolist(), volume)
    affine = np.asarray(header.get_affine(), dtype=np.float64)
    says = block[28:30] != bytes(2)  # goodRASFlag, which nibabel sets
    if says and usable(affine):
        return FileContents(values, affine)
    note = BAD_ORIENTATION if says else NO_ORIENTATION
    return FileContents(values, _plain(np.ones(3), values.shape), oriented=False, notes=(note,))


def _one_volume(stream: BinaryIO, offset: int, dtype: np.dtype, shape: Sequence[int], volume: int | None) -> np.ndarray:
    """(X, Y, Z) from a file whose first axis runs fastest; (X, Y, Z, 3 or 4) for colours."""
    sizes: tuple[int, ...] = checked_shape(shape)
    if not 0 <= offset <= LARGEST_HEADER:
        raise ScanError(f"damaged, its header says that voxels begin at byte {offset:,}; copy or export it again")
    number = checked_volume(prod(shape[3:]), volume)
    channels = dtype.names or ()
    if channels[:3] == ("R", "G", "B"):
        dtype, sizes = np.dtype(np.uint8), (len(channels), *sizes)
    check_type(dtype, prod(sizes))
    size = prod(sizes) * dtype.itemsize
    values = np.frombuffer(read_at(stream, offset + size * number, size), dtype).reshape(sizes, order="F")
    return np.moveaxis(values, 0, -1) if len(sizes) > 3 else values


def _scaled(values: np.ndarray, header: Any) -> np.ndarray:
    """values (X, Y, Z) by the header's slope and intercept, float32; as they are where it gives none."""
    try:
        slope, intercept = header.get_slope_inter()
    except HeaderDataError as error:
        said = f"slope {float(header['scl_slope']):g} and intercept {float(header['scl_inter']):g}"
        raise ScanError(f"its intensities have {said}, which is no scale; export it again") from error
    if slope is None or (slope, intercept or 0) == (1, 0):
        return values
    scaled = np.empty(values.shape, np.float32, order="F")
    with np.errstate(over="ignore", invalid="ignore"):
        for z in range(values.shape[2]):  # no second volume as float64
            scaled[..., z] = values[..., z] * np.float64(slope) + (intercept or 0)
    return scaled


def _orientation(header: Any, shape: tuple[int, ...], sized: bool) -> tuple[np.ndarray, bool, tuple[str, ...]]:
    """Affine in mm, whether the file gave it, and notes: the sform if it can be used, else the qform, else neither.

    sized: whether the header gave the sides of a voxel, which all but the sform need.
    """
    notes = (NO_ORIENTATION,)
    sizes = (NO_SIZE,) * (not sized)
    unit = MM
    if isinstance(header, nib.Nifti1Header):
        unit = UNITS.get(int(header["xyzt_units"]) & 7, MM)
        for code, form, missing in (("sform_code", header.get_sform, ()), ("qform_code", header.get_qform, sizes)):
            if header[code] > 0:
                notes = (BAD_ORIENTATION,)
                with suppress(HeaderDataError, ValueError):  # a quaternion longer than 1
                    affine, said = _in_mm(form(), unit, shape)
                    if usable(affine):
                        return affine, True, (*missing, *said)
    affine, said = _in_mm(np.diag([*header["pixdim"][1:4].astype(np.float64), 1]), unit, shape)
    return _plain(np.diag(affine)[:3], shape), False, (*sizes, *notes, *said)


def _in_mm(affine: np.ndarray, unit: tuple[str, float], shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The affine in mm by the header's unit, or, where that is impossible, by another that is; with notes."""
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    longest = float((sides * shape[:3]).max())
    word, factor = unit
    notes: tuple[str, ...] = ()
    length = longest * factor
    if np.isfinite(longest) and not SCAN_MM[0] <= length <= SCAN_MM[1]:
        impossible = f"The header's unit, {word}, makes the scan {length:{',.0f' if length > 1 else '.3g'}} mm long"
        notes = (f"{impossible}, which no head is; sizes in mm may be wrong.",)
        factor = factor if possible_sides(sides * factor) else 1.0
        for (likely, other), (least, most) in ((MM, SCAN_MM), *((unit, HEAD_MM) for unit in UNITS.values())):
            if least <= longest * other <= most:
                notes, factor = (f"{impossible}; its numbers are read as {likely}.",), other
                break
    return np.diag([factor, factor, factor, 1.0]) @ affine, notes


def _plain(spacing: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Affine of a file that gives no directions: x to the left, as nibabel and FSL take it, the centre at 0 mm."""
    x, y, z = (side if possible_sides(side) else 1.0 for side in spacing)
    affine = np.diag([-x, y, z, 1])
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape[:3]) - 1) / 2
    return affine
