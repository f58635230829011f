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
    LARGEST_BYTES,
    VOXEL_MM,
    Contents,
    ScanError,
    checked_shape,
    checked_type,
    checked_volume,
    luminance,
    read_exactly,
    usable,
)

# What nibabel raises on a damaged header: its own errors, an unknown code of a table, a number that is not one.
ERRORS = (HeaderDataError, WrapStructError, KeyError, ValueError, OverflowError)
QUIET = logging.Logger("header checks", level=logging.CRITICAL + 1)  # nibabel's own logger prints what it mends
UNIT_MM = {1: 1000.0, 3: 0.001}  # NIfTI's codes of metre and micrometre; the others count as millimetre
NO_ORIENTATION = "The file does not say where left, front and top are; its axes are shown in their usual order."
BAD_ORIENTATION = "The orientation in the file is damaged and was left out; its axes are shown in their usual order."


def header_class(block: bytes) -> type[Spm2AnalyzeHeader] | type[nib.Nifti1Header] | None:
    """Which of the headers of this family a file's first bytes are; an Analyze header has no mark but its length."""
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


def read_nifti(block: bytes, stream: BinaryIO, name: str, volume: int | None) -> Contents:
    """block: the header's bytes; stream: the file with the voxels (for a pair, the other one)."""
    kind = header_class(block)
    if kind is None:
        raise ScanError(f"{name}: damaged header; copy or export the file again")
    header: Any = kind(bytes(block[: kind.sizeof_hdr]), check=False)
    header.check_fix(logger=QUIET, error_level=100)
    shape = header.get_data_shape()
    values = _one_volume(stream, name, int(header.get_data_offset()), header.get_data_dtype(), shape, volume)
    colour = values.ndim == 4
    slope, intercept = header.get_slope_inter()
    if colour:
        values = luminance(values)
    elif slope is not None and (slope, intercept or 0) != (1, 0):
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(np.float32 if values.dtype.itemsize <= 2 else np.float64) * slope + (intercept or 0)
    affine, oriented, notes = _orientation(header, values.shape)
    return Contents(
        values=values,
        affine=affine,
        oriented=oriented,
        colour=colour,
        notes=(*notes, *[COLOUR_NOTE] * colour),
        header=header if isinstance(header, nib.Nifti1Header) and BAD_ORIENTATION not in notes else None,
    )


def read_mgh(block: bytes, stream: BinaryIO, name: str, volume: int | None) -> Contents:
    header = MGHHeader(bytes(block[:DATA_OFFSET]), check=False)
    shape = tuple(int(size) for size in header["dims"])
    values = _one_volume(stream, name, DATA_OFFSET, header.get_data_dtype(), shape, volume)
    affine = np.asarray(header.get_affine(), dtype=np.float64)
    says = int.from_bytes(block[28:30], "big") != 0  # goodRASFlag
    if says and usable(affine):
        return Contents(values, affine)
    return Contents(
        values, _plain(np.ones(3), values.shape), False, notes=(BAD_ORIENTATION if says else NO_ORIENTATION,)
    )


def _one_volume(
    stream: BinaryIO, name: str, offset: int, dtype: np.dtype, shape: tuple[int, ...], volume: int | None
) -> np.ndarray:
    """(X, Y, Z) from a file whose first axis runs fastest; (X, Y, Z, 3 or 4) for colours."""
    if not shape or min(shape) < 1 or offset < 0:
        said = " × ".join(map(str, shape)) or "no"
        raise ScanError(f"{name}: damaged, its header says {said} voxels at byte {offset}; copy or export it again")
    x, y, z = checked_shape(name, shape[:3])
    number = checked_volume(name, prod(shape[3:]), volume)
    channels = len(dtype.names) if dtype.names in (("R", "G", "B"), ("R", "G", "B", "A")) else 0
    checked_type(name, np.dtype(np.uint8) if channels else dtype)
    size = x * y * z * dtype.itemsize
    if offset > LARGEST_BYTES - size * prod(shape[3:]):
        raise ScanError(
            f"{name}: over the limit of {LARGEST_BYTES / 1024**3:.0f} GiB; crop it or save one volume of it"
        )
    stream.seek(offset + size * number)
    data = read_exactly(stream, size, name)
    if channels:
        return np.moveaxis(np.frombuffer(data, np.uint8).reshape((channels, x, y, z), order="F"), 0, -1)
    return np.frombuffer(data, dtype).reshape((x, y, z), order="F")


def _orientation(header: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, bool, tuple[str, ...]]:
    """Affine in mm, whether the file gave it, and notes: the sform if it can be used, else the qform, else neither."""
    notes = (NO_ORIENTATION,)
    unit = 1.0
    if "sform_code" in header.keys():  # noqa: SIM118 - a header is no dict
        unit = UNIT_MM.get(int(header["xyzt_units"]) & 7, 1.0)
        for code, form in (("sform_code", header.get_sform), ("qform_code", header.get_qform)):
            if header[code] > 0:
                try:
                    affine = np.diag([unit, unit, unit, 1.0]) @ form()
                except (HeaderDataError, ValueError):  # a quaternion longer than 1
                    affine = np.zeros((4, 4))
                if usable(affine):
                    return affine, True, ()
                notes = (BAD_ORIENTATION,)
    return _plain(header["pixdim"][1:4] * unit, shape), False, notes


def _plain(spacing: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Affine of a file that gives no directions: x to the left, as nibabel and FSL take it, the centre at 0 mm."""
    possible = (spacing >= VOXEL_MM[0]) & (spacing <= VOXEL_MM[1])  # NaN is neither
    spacing = np.where(possible, spacing, 1).astype(np.float64)
    affine = np.diag([-spacing[0], spacing[1], spacing[2], 1])
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape[:3]) - 1) / 2
    return affine
