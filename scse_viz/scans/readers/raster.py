"""PNG, JPEG and NumPy arrays: numbers without directions."""

import tokenize
from math import prod
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile

from scse_viz.scans.readers.contents import UNCHECKED, FileContents, ScanError, luminance, of_rows, plain_affine
from scse_viz.scans.readers.limits import check_type, checked_shape, checked_volume, read_at

ERRORS = (*UNCHECKED, tokenize.TokenError)
LARGEST_PIXELS = 2**26  # of a picture, which is decompressed in colours: 8192 by 8192
DEEP = ("RGB;16B", "RGBA;16B", "LA;16B")  # modes of which Pillow keeps the first byte of each number
EXPANDED = {"L;2": 85, "L;4": 17}  # what Pillow multiplies numbers of so many bits by
STRIP = 2**20  # pixels that are turned to gray at a time


def read_picture(_: bytes, stream: BinaryIO, volume: int | None) -> FileContents:
    """(W, H, 1) of a picture, rows going down."""
    checked_volume(1, volume)
    with opened(stream, ("PNG", "JPEG")) as image:
        further = getattr(image, "n_frames", 1) - 1
        deep = image.tile and image.tile[0].args in DEEP
        plane, colour, indices = _deep(image, stream) if deep else gray(image)
        code = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)  # a PNG's own getexif would decode it again
    notes = [f"The first of {further + 1} pictures in the file is shown."] * bool(further)
    return of_rows(plane[None], code, notes=notes, colour=colour, indices=None if indices is None else indices[None])


def read_array(_: bytes, stream: BinaryIO, volume: int | None) -> FileContents:
    """A .npy file: (H, W) with rows going down, (X, Y, Z) or (X, Y, Z, volumes)."""
    read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = read_header[np.lib.format.read_magic(stream)[0]](stream)
    if not 2 <= len(shape) <= 4:
        raise ScanError(f"{len(shape)}-D array; save a slice (H, W), a volume (X, Y, Z) or several (X, Y, Z, N)")
    sizes = checked_shape(shape)
    check_type(dtype, prod(shape))  # all volumes are read: in C order they lie interleaved
    number = checked_volume(prod(shape[3:]), volume)
    data = read_at(stream, stream.tell(), prod(shape) * dtype.itemsize)
    values = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    if len(shape) == 2:
        return of_rows(values[None])
    affine, notes = plain_affine(sizes, None, rows_down=False)
    return FileContents(values if len(shape) == 3 else values[..., number], affine, oriented=False, notes=notes)


def opened(stream: BinaryIO, formats: tuple[str, ...]) -> Any:
    """The picture, not yet decoded; refuses one that is too large."""
    stream.seek(0)
    try:
        image = Image.open(stream, formats=formats)
    except Image.DecompressionBombError as error:
        raise ScanError("far over the limit of pixels; crop or downsample the picture") from error
    checked_shape(image.size, LARGEST_PIXELS)
    return image


def gray(image: ImageFile.ImageFile) -> tuple[np.ndarray, bool, np.ndarray | None]:
    """One page (H, W), whether it had colours, and the numbers (H, W) of its palette where it has one."""
    stored = str(image.tile[0].args if image.tile else "")
    factor = next((factor for mode, factor in EXPANDED.items() if mode in stored), 1)
    image.load()  # the size of a TIFF is right from then on, if Pillow turns it
    if Image.getmodebase(image.mode) == "L":
        plane = np.asarray(image if len(image.getbands()) == 1 else image.getchannel(0))
        return plane if factor == 1 else plane // factor, False, None
    plane = np.zeros((image.height, image.width), np.float32)
    _add_luminance(plane, image)
    return plane, True, np.asarray(image) if image.mode == "P" else None


def _add_luminance(plane: np.ndarray, image: Image.Image) -> None:
    """Adds the luminance of an image to plane (H, W), in strips: its colours and its gray are never held twice."""
    height, width = plane.shape
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        plane[top : top + rows] += luminance(np.asarray(strip.convert("RGB")))


def _deep(image: Any, stream: BinaryIO) -> tuple[np.ndarray, bool, None]:
    """As `gray`, for a PNG of 16-bit colours, or of 16-bit gray with transparency."""
    stored = image.tile[0]
    if stored.args == "LA;16B":
        image.tile = [stored._replace(args="RGBA")]  # the four bytes of a pixel
        return np.asarray(image).view(">u2")[..., 0], False, None
    plane, _, _ = gray(image)
    plane *= 256
    image.im = None  # its pixels: those of the second bytes take as much memory
    with opened(stream, ("PNG",)) as second:
        second.tile = [stored._replace(args=stored.args.replace(";16B", ";16L"))]
        _add_luminance(plane, second)
    return plane, True, None
