"""TIFF by tifffile: pages, ImageJ and OME hyperstacks; Pillow decodes what tifffile needs a compiled codec for."""

import logging
import zlib
from collections.abc import Sequence
from math import prod
from typing import Any, BinaryIO
from xml.etree import ElementTree

import numpy as np
from tifffile import TiffFile, TiffFileError

from scse_viz.scans.readers import raster
from scse_viz.scans.readers.contents import (
    LARGEST_VOXELS,
    ORIENTATION_TAG,
    PIECE,
    FileContents,
    ScanError,
    checked_shape,
    checked_type,
    checked_volume,
    luminance,
    of_rows,
    possible_sides,
)

logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # the reader itself reports or refuses odd files
ERRORS = (TiffFileError, ElementTree.ParseError, RuntimeError, AssertionError, *raster.ERRORS)
MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF
MOST_PAGES = 4096
PLAIN, DEFLATED = (1,), (8, 32946)  # compressions that tifffile decodes without further packages
BY_PILLOW = (2, 3, 4, 5, 7, 32773)  # fax, LZW, JPEG, PackBits
WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE = 0, 1, 3  # photometric interpretations
GRAY, COLOURS, OTHER_COLOURS = (WHITE_IS_ZERO, BLACK_IS_ZERO), (2,), (5, 6)
DONE = -1  # colours already turned to gray
SLICES = "ZQI"  # axes that count slices; all others but Y, X and S count volumes
AXIS_NAMES = {"C": "channel", "T": "time"}
SLACK = 2**20  # bytes that a compressed piece may have beyond its page: padding of tiles
UNIT_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4, "in": 25.4, "nm": 1e-6,
           **dict.fromkeys(("µm", "μm", "um", "micron", "microns", "micrometer", "\\u00B5m"), 1e-3)}  # fmt: skip
INVERTED_NOTE = "The file stores bright as low numbers (min-is-white); its intensities were inverted."


def is_tiff(block: bytes) -> bool:
    return block.startswith(MARKS)


def read_tiff(_: bytes, stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    """(W, H, slices) of the pages of a file, rows going down; channels and times of a hyperstack are volumes."""
    with TiffFile(stream, is_ome=False, is_ndtiff=False, is_mmstack=False) as file:  # those open files beside it
        page: Any = file.pages[0]
        shape, axes = _layout(file, page, name)
        _check(file, page, shape, name)
        by_pillow = page.compression in BY_PILLOW or page.photometric in OTHER_COLOURS
        if by_pillow:
            stored, kind = _by_pillow(stream, page, name)
            shape, axes = [size for size, axis in zip(shape, axes, strict=True) if axis != "S"], axes.replace("S", "")
        else:
            stored, kind = _by_tifffile(file, page, name), page.photometric
            if kind in GRAY and page.extrasamples and page.extrasamples[0] == 0:  # samples of no meaning: channels
                axes = axes.replace("S", "C" if "C" not in axes else "V")
        values = _chosen(stored.reshape(shape), axes, name, volume)
        code = int(page.tags.valueof(ORIENTATION_TAG, 1))
        spacing, notes = _spacing(file, page, values.shape[0])
        colormap = page.colormap if kind == PALETTE else None
    values, colour, indices = _gray(values, kind, colormap)
    if kind == WHITE_IS_ZERO:
        indices, values = values, _inverted(values)  # labels are as stored
    if page.photometric == WHITE_IS_ZERO:
        notes = (*notes, INVERTED_NOTE)
    return of_rows(values, code, spacing=spacing, notes=notes, colour=colour, indices=indices)


def _layout(file: TiffFile, page: Any, name: str) -> tuple[list[int], str]:
    """Sizes of all that a file holds, and a letter for each: Y, X, S samples of a pixel, and what pages count."""
    if (file.is_imagej or file.is_shaped) and len(file.series) == 1:
        return list(file.series[0].shape), file.series[0].axes
    if len(file.pages) > MOST_PAGES:
        raise ScanError(f"{name}: {len(file.pages)} pages, over the limit of {MOST_PAGES}; save fewer")
    pages: list[Any] = list(file.pages)
    kinds = {(plane.shape, plane.dtype, plane.photometric, plane.compression) for plane in pages}
    if len(kinds) > 1:
        raise ScanError(f"{name}: pages of different sizes or kinds; save pages of one size, or one page, as a file")
    sizes, letters = [len(file.pages)], "Z"
    facts = _ome(page)
    if facts:
        letters = facts["DimensionOrder"][:1:-1]  # that of files is from the fastest
        sizes = [int(facts[f"Size{letter}"]) for letter in letters]
        if sorted(letters) != ["C", "T", "Z"] or prod(sizes) != len(file.pages):
            sizes, letters = [len(file.pages)], "Z"
    return [*sizes, *page.shape], letters + page.axes


def _ome(page: Any) -> dict[str, str]:
    """What an OME-TIFF says of its pixels; empty for other files."""
    if not page.description.rstrip().endswith("OME>"):
        return {}
    root = ElementTree.fromstring(page.description)
    return next((dict(element.attrib) for element in root.iter() if element.tag.endswith("}Pixels")), {})


def _check(file: TiffFile, page: Any, shape: Sequence[int], name: str) -> None:
    """Refuses what cannot be decompressed, or would decompress to more than fits the limit of memory."""
    if page.dtype is None or page.photometric not in (*GRAY, *COLOURS, PALETTE, *OTHER_COLOURS):
        raise ScanError(f"{name}: TIFF of an unusual kind of pixels; save it as 8 or 16 bits of gray or RGB")
    sizes = dict(zip("YX", (page.imagelength, page.imagewidth), strict=True))
    checked_shape(name, (sizes["X"], sizes["Y"], page.imagedepth))
    if not page.samplesperpixel * sizes["X"] * sizes["Y"] <= prod(shape) <= LARGEST_VOXELS:
        raise ScanError(f"{name}: {prod(shape):,} values, over the limit of {LARGEST_VOXELS:,}; crop or downsample it")
    checked_type(name, page.dtype, prod(shape))
    if page.compression not in (*PLAIN, *DEFLATED, *BY_PILLOW):
        raise ScanError(f"{name}: TIFF compressed as {_packing(page)}; save it without compression")
    for plane in file.pages:
        wanted, given = prod(plane.chunked), len(plane.dataoffsets)
        if given < wanted:  # tifffile would go through them all, and draw what is missing black
            raise ScanError(f"{name}: damaged, {given:,} of the {wanted:,} pieces of a page are there; save it again")


def _packing(page: Any) -> str:
    return getattr(page.compression, "name", str(page.compression)).replace("_", " ")


def _by_tifffile(file: TiffFile, page: Any, name: str) -> np.ndarray:
    """(pages, samples, depth, H, W, samples) as stored."""
    if page.compression in PLAIN and (file.is_imagej or file.is_shaped) and len(file.series) == 1:
        return file.series[0].asarray(maxworkers=1)
    stored = np.zeros((len(file.pages), *page.shaped), page.dtype)
    for number, plane in enumerate(file.pages):
        if page.compression in PLAIN:
            plane.asarray(out=stored[number].reshape(page.shape), maxworkers=1)
        else:
            _unpack(stored[number], file, plane, name)
    return stored


def _unpack(stored: np.ndarray, file: TiffFile, plane: Any, name: str) -> None:
    """Fills stored with the pieces of a deflated page: tifffile sets no limit, and would hold three copies."""
    plane.compression = PLAIN[0]
    for index, (offset, size) in enumerate(zip(plane.dataoffsets, plane.databytecounts, strict=True)):
        file.filehandle.seek(offset)
        unpacker, unpacked, most = zlib.decompressobj(), bytearray(), plane.nbytes + SLACK
        for start in range(0, size, PIECE):
            packed = file.filehandle.read(min(PIECE, size - start))
            unpacked += unpacker.decompress(packed, most - len(unpacked))
            if len(unpacked) == most:
                raise ScanError(f"{name}: damaged, a piece decompresses to more than its page; save the file again")
        piece, (sample, depth, row, column, _), _ = plane.decode(unpacked, index)
        del unpacked
        place = stored[sample, depth:, row:, column:][tuple(map(slice, piece.shape))]
        place[...] = piece[tuple(map(slice, place.shape))]


def _by_pillow(stream: BinaryIO, page: Any, name: str) -> tuple[np.ndarray, int]:
    """(pages, H, W) of gray, and what is still to be done: as a photometric interpretation.

    Pillow has 8 bits of every kind, and 16 and 32 of plain gray; it inverts min-is-white of 8 bits by itself.
    """
    deep = page.dtype.itemsize > 1
    if (deep and (page.samplesperpixel > 1 or page.dtype.str[1:] not in ("u2", "f4"))) or page.dtype == np.int8:
        raise ScanError(f"{name}: TIFF of {page.dtype} compressed as {_packing(page)}; save it without compression")
    stream.seek(0)
    with raster.opened(stream, name, ("TIFF",)) as image:
        planes = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            plane, colour, _ = (np.asarray(image), False, None) if image.mode == "P" else raster.gray(image)
            planes.append(plane)
    stored = np.stack(planes) if len(planes) > 1 else planes[0][None]
    if image.mode == "P":
        return stored, PALETTE
    white = deep and page.photometric == WHITE_IS_ZERO
    return stored, DONE if colour else WHITE_IS_ZERO if white else BLACK_IS_ZERO


def _chosen(stored: np.ndarray, axes: str, name: str, volume: int | None) -> np.ndarray:
    """The chosen volume: (slices, Y, X), with samples (slices, Y, X, S)."""
    counting = [axis for axis in axes if axis not in SLICES + "YXS"]
    slices = [axis for axis in axes if axis in SLICES]
    order = [axes.index(axis) for axis in (*counting, *slices, "Y", "X", *[axis for axis in axes if axis == "S"])]
    sizes = [stored.shape[axes.index(axis)] for axis in counting]
    shown = [(axis, size) for axis, size in zip(counting, sizes, strict=True) if size > 1]
    names = tuple(
        ", ".join(f"{AXIS_NAMES.get(axis, axis)} {number + 1}" for (axis, _), number in zip(shown, at, strict=True))
        for at in np.ndindex(*(size for _, size in shown))
    )
    number = checked_volume(name, prod(sizes), volume, names)
    ordered = stored.transpose(order)
    rest = ordered.shape[len(counting) + len(slices) :]
    return ordered.reshape(prod(sizes), -1, *rest)[number]


def _gray(values: np.ndarray, kind: int, colormap: np.ndarray | None) -> tuple[np.ndarray, bool, np.ndarray | None]:
    """(slices, Y, X), whether they had colours, and the numbers of a palette."""
    if kind == DONE:
        return values, True, None
    if colormap is not None:
        lookup = luminance(colormap.T / (257 if colormap.max() > 255 else 1))
        return lookup.astype(np.float32)[values], True, values
    if kind in COLOURS and values.ndim == 4:
        return luminance(values), True, None
    return values[..., 0] if values.ndim == 4 else values, False, None


def _inverted(values: np.ndarray) -> np.ndarray:
    """Bright for dark: within the range of the type for whole numbers without sign, else within that of the values."""
    if values.dtype.kind == "b":
        return ~values
    return np.iinfo(values.dtype).max - values if values.dtype.kind == "u" else values.max() + values.min() - values


def _spacing(file: TiffFile, page: Any, slices: int) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    """Sides of a voxel (x, y, z) in mm, where ImageJ or OME wrote them, with a note on a distance that they lack.

    The resolution of other files is not believed: it is that of a print, mostly 72 dots an inch.
    """
    facts = _ome(page)
    if facts:
        sides = [
            float(facts.get(f"PhysicalSize{axis}", "nan")) * UNIT_MM.get(facts.get(f"PhysicalSize{axis}Unit", "µm"), 0)
            for axis in "XYZ"
        ]
    elif file.is_imagej:
        meta = file.imagej_metadata or {}
        unit = UNIT_MM.get(str(meta.get("unit")), 0)
        x, y = (np.divide(*page.tags.valueof(f"{axis}Resolution", (0, 1))[::-1]) for axis in "XY")
        sides = [x * unit, y * unit, float(meta.get("spacing", "nan")) * unit]
    else:
        return None, ()
    if not possible_sides(sides[:2]):
        return None, ()
    if possible_sides(sides[2]):
        return tuple(sides), ()
    note = f"The file gives no distance of its slices; {sides[0]:.3g} mm is assumed, the size of a pixel."
    return (*sides[:2], sides[0]), (note,) * (slices > 1)
