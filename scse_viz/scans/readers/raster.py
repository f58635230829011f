"""PNG, JPEG, TIFF and NumPy arrays: numbers without directions."""

import struct
import tokenize
import zlib
from math import prod
from typing import BinaryIO

import numpy as np
from PIL import Image

from scse_viz.scans.readers.contents import (
    COLOUR_NOTE,
    LARGEST_VOXELS,
    Contents,
    ScanError,
    checked_shape,
    checked_type,
    checked_volume,
    luminance,
    plain_affine,
    read_exactly,
)

# What Pillow and NumPy raise on damaged files: Pillow checks little before it unpacks, so also what plain code raises.
ERRORS = (OSError, EOFError, SyntaxError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError,
          NotImplementedError, RecursionError, struct.error, tokenize.TokenError, zlib.error,
          Image.DecompressionBombError)  # fmt: skip
MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last four are TIFF
FORMATS = ("PNG", "JPEG", "TIFF")
GRAY_MODES = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")


def is_picture(block: bytes) -> bool:
    return block.startswith(MARKS)


def is_array(block: bytes) -> bool:
    return block.startswith(np.lib.format.MAGIC_PREFIX)


def read_picture(_: bytes, stream: BinaryIO, name: str, volume: int | None) -> Contents:
    """(W, H, pages) of a picture, rows going down."""
    checked_volume(name, 1, volume)
    with Image.open(stream, formats=FORMATS) as image:
        width, height = image.size
        pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
        shape = checked_shape(name, (width, height, pages))
        planes, indices, colour = [], [], False
        for page in range(pages):
            image.seek(page)
            if image.size != (width, height):
                raise ScanError(f"{name}: pages of different sizes; save pages of one size, or one page, as a file")
            if image.mode == "P":
                indices.append(np.asarray(image))
            plane, coloured = _gray(image)
            planes.append(plane)
            colour |= coloured
    affine, notes = plain_affine(shape, None, rows_down=True)
    return Contents(
        values=_volume(planes),
        affine=affine,
        oriented=False,
        colour=colour,
        indices=_volume(indices) if len(indices) == pages else None,
        notes=(*notes, *[COLOUR_NOTE] * colour),
    )


def read_array(_: bytes, stream: BinaryIO, name: str, volume: int | None) -> Contents:
    """A .npy file: (H, W) with rows going down, (X, Y, Z) or (X, Y, Z, volumes)."""
    read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = read_header[np.lib.format.read_magic(stream)[0]](stream)
    checked_type(name, dtype)
    if not 2 <= len(shape) <= 4:
        raise ScanError(
            f"{name}: {len(shape)}-D array; save a slice (H, W), a volume (X, Y, Z) or several (X, Y, Z, N)"
        )
    sizes = checked_shape(name, shape[:3])
    number = checked_volume(name, prod(shape[3:]), volume)
    if prod(shape) > LARGEST_VOXELS:  # all of them are read: in C order the volumes lie interleaved
        raise ScanError(f"{name}: {prod(shape):,} values, over the limit of {LARGEST_VOXELS:,}; save fewer volumes")
    data = read_exactly(stream, prod(shape) * dtype.itemsize, name)
    values = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    flat = len(shape) == 2
    if flat:
        values = values.T[..., None]
    elif len(shape) == 4:
        values = values[..., number]
    affine, notes = plain_affine((sizes[1], sizes[0], 1) if flat else sizes, None, rows_down=flat)
    return Contents(values, affine, oriented=False, notes=notes)


def _volume(planes: list[np.ndarray]) -> np.ndarray:
    """Pages of (H, W) -> (W, H, pages)."""
    return np.stack(planes).transpose(2, 1, 0)


def _gray(image: Image.Image) -> tuple[np.ndarray, bool]:
    """One page (H, W), and whether it had colours."""
    if image.mode in GRAY_MODES:
        return np.asarray(image), False
    if image.mode in ("LA", "La"):
        return np.asarray(image)[..., 0], False
    return luminance(np.asarray(image.convert("RGB"))), True
