"""PNG, JPEG and NumPy arrays: numbers without directions."""

import struct
import tokenize
import zlib
from math import prod
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from scse_viz.scans.readers.contents import (
    LARGEST_PIXELS,
    LARGEST_VOXELS,
    ORIENTATION_TAG,
    FileContents,
    ScanError,
    checked_shape,
    checked_type,
    checked_volume,
    luminance,
    of_rows,
    plain_affine,
    read_exactly,
)

# What Pillow and NumPy raise on damaged files: Pillow checks little before it decodes, so plain Python errors too.
ERRORS = (OSError, EOFError, SyntaxError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError,
          NotImplementedError, RecursionError, struct.error, tokenize.TokenError, zlib.error)  # fmt: skip
MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
GRAY_MODES = ("1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
STRIP = 2**20  # pixels that are turned to gray at a time
# Under the first of these modes Pillow keeps the high byte of a 16-bit colour, under the second the low byte.
BYTES_OF_16 = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}


def is_picture(block: bytes) -> bool:
    return block.startswith(MARKS)


def is_array(block: bytes) -> bool:
    return block.startswith(np.lib.format.MAGIC_PREFIX)


def read_picture(_: bytes, stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    """(W, H, 1) of a picture, rows going down."""
    checked_volume(name, 1, volume)
    with opened(stream, name, ("PNG", "JPEG")) as image:
        further = getattr(image, "n_frames", 1) - 1
        deep = _deep(image, stream, name)  # before anything that decodes the picture
        plane, colour, indices = gray(image) if deep is None else (*deep, None)
        code = Image.Image.getexif(image).get(ORIENTATION_TAG, 1)  # a PNG's own getexif would decode it again
    notes = [f"The first of {further + 1} pictures in the file is shown."] * bool(further)
    numbers = None if indices is None else indices[None]
    return of_rows(plane[None], code, notes=notes, colour=colour, indices=numbers)


def read_array(_: bytes, stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    """A .npy file: (H, W) with rows going down, (X, Y, Z) or (X, Y, Z, volumes)."""
    read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = read_header[np.lib.format.read_magic(stream)[0]](stream)
    if not 2 <= len(shape) <= 4:
        raise ScanError(
            f"{name}: {len(shape)}-D array; save a slice (H, W), a volume (X, Y, Z) or several (X, Y, Z, N)"
        )
    sizes = checked_shape(name, shape[:3])
    checked_type(name, dtype, prod(shape))
    number = checked_volume(name, prod(shape[3:]), volume)
    if prod(shape) > LARGEST_VOXELS:  # all of them are read: in C order the volumes lie interleaved
        raise ScanError(f"{name}: {prod(shape):,} values, over the limit of {LARGEST_VOXELS:,}; save fewer volumes")
    data = read_exactly(stream, prod(shape) * dtype.itemsize, name)
    values = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    if len(shape) == 2:
        return of_rows(values[None])
    affine, notes = plain_affine(sizes, None, rows_down=False)
    return FileContents(values if len(shape) == 3 else values[..., number], affine, oriented=False, notes=notes)


def opened(stream: BinaryIO, name: str, formats: tuple[str, ...]) -> Image.Image:
    """The picture, not yet decoded; refuses one that is too large."""
    try:
        image = Image.open(stream, formats=formats)
    except Image.DecompressionBombError as error:
        raise ScanError(f"{name}: far over the limit of pixels; crop or downsample the picture") from error
    checked_shape(name, image.size)
    if prod(image.size) > LARGEST_PIXELS:
        size = f"{image.width} × {image.height} pixels"
        raise ScanError(f"{name}: {size}, over the limit of {LARGEST_PIXELS:,}; crop or downsample the picture")
    return image


def gray(image: Image.Image) -> tuple[np.ndarray, bool, np.ndarray | None]:
    """One page (H, W), whether it had colours, and the numbers (H, W) of its palette where it has one."""
    if image.mode in GRAY_MODES:
        return np.asarray(image), False, None
    if image.mode in ("LA", "La"):
        return np.asarray(image.getchannel(0)), False, None
    indices = np.asarray(image) if image.mode == "P" else None
    plane = np.zeros(image.size[::-1], np.float32)
    _add_luminance(plane, image)
    return plane, True, indices


def _add_luminance(plane: np.ndarray, image: Image.Image) -> None:
    """Adds the luminance of an image to plane (H, W), in strips: its colours and its gray are never held twice."""
    height, width = plane.shape
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        plane[top : top + rows] += luminance(np.asarray(strip.convert("RGB")))


def _deep(image: Any, stream: BinaryIO, name: str) -> tuple[np.ndarray, bool] | None:
    """A PNG of 16-bit colours, or gray with transparency, at its full depth: (H, W) and whether it had colours."""
    rawmode = image.tile[0].args if image.format == "PNG" and image.tile else ""
    if rawmode == "LA;16B":
        image.tile = [image.tile[0]._replace(args="RGBA")]  # the four bytes of a pixel, as stored
        first, second = (np.asarray(image.getchannel(channel)) for channel in (0, 1))
        return first * np.uint16(256) + second, False
    if rawmode not in BYTES_OF_16:
        return None
    plane = gray(image)[0]
    plane *= 256
    image.im = None  # its pixels: those of the second bytes take as much memory
    stream.seek(0)
    with opened(stream, name, ("PNG",)) as again:
        low: Any = again
        low.tile = [low.tile[0]._replace(args=BYTES_OF_16[rawmode])]
        _add_luminance(plane, low)
    return plane, True
