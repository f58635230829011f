"""TIFF by tifffile: pages, ImageJ and OME hyperstacks; Pillow decodes what tifffile needs a compiled codec for."""

import logging
import zlib
from collections.abc import Iterator, Sequence
from copy import copy
from math import prod
from typing import Any, BinaryIO
from xml.etree import ElementTree

import numpy as np
from PIL import UnidentifiedImageError
from tifffile import TiffFile

from scse_viz.scans.readers import raster
from scse_viz.scans.readers.contents import (
    TURNED_NOTE,
    UNCHECKED,
    FileContents,
    ScanError,
    luminance,
    of_rows,
    possible_sides,
)
from scse_viz.scans.readers.limits import PIECE, check_type, checked_shape, checked_volume

logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # the reader itself reports or refuses odd files
ERRORS = (*UNCHECKED, AssertionError)
ORIENTATION = 274  # the tag
MOST_PAGES = 2**14  # the headers of as many take a second
PLAIN, DEFLATED = (1,), (8, 32946)  # compressions that tifffile decodes without further packages
BY_PILLOW = (2, 3, 4, 5, 7, 32773)  # fax, LZW, JPEG, PackBits
OF_FLOATS = 3  # the predictor that Pillow undoes too
WHITE_IS_ZERO, PALETTE = 0, 3  # photometric interpretations
GRAY, COLOURS, OTHER_COLOURS = (WHITE_IS_ZERO, 1), (2,), (5, 6)
SLICES = "ZQI"  # axes that count slices; all others but those of a page count volumes
AXIS_NAMES = {"C": "channel", "S": "channel", "T": "time", "N": "image"}
SLACK = 2**20  # bytes that a compressed piece may have beyond its page: padding of tiles
UNIT_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "inch": 25.4, "in": 25.4, "nm": 1e-6,
           **dict.fromkeys(("µm", "μm", "um", "micron", "microns", "micrometer", "\\u00B5m"), 1e-3)}  # fmt: skip
PAGES_NOTE = "The file describes other pages than it holds; each page is shown as a slice."
INVERTED_NOTE = "The file stores bright as low numbers (min-is-white); its intensities were inverted."

Planes = Iterator[list[np.ndarray]]  # of each page (slices, H, W) of gray, and the numbers of its palette if it has one


def read_tiff(_: bytes, stream: BinaryIO, volume: int | None) -> FileContents:
    """(W, H, slices) of the pages of a file, rows going down; channels and times of a hyperstack are volumes."""
    with TiffFile(stream, is_ome=False, is_ndtiff=False, is_mmstack=False) as file:  # those open files beside it
        page: Any = file.pages[0]
        by_pillow = page.compression in BY_PILLOW or page.photometric in OTHER_COLOURS
        by_pillow = by_pillow or page.predictor == OF_FLOATS or _packed(page)
        letters, sizes, counted = _counted(file, page)
        plain = page.extrasamples[:1] == (0,) and page.photometric in GRAY and not by_pillow
        channels = page.samplesperpixel if plain else 1  # samples of no meaning
        chosen, samples = divmod(_chosen(letters + "S", [*sizes, channels], volume), channels)
        pages = _checked(file, page, chosen)
        planes = _by_pillow(stream, page, chosen) if by_pillow else _by_tifffile(file, pages, samples[0])
        values, *indices = _filled(planes, len(chosen))
        code = _orientation(page)
        spacing, notes = _spacing(file, page, int(chosen[0]), len(values))
    notes = (*counted, *notes)
    if by_pillow and code in range(2, 9):
        notes, code = (*notes, TURNED_NOTE.format(code)), 1
    if page.photometric == WHITE_IS_ZERO:
        notes, other = (*notes, INVERTED_NOTE), _inverted(values, page.bitspersample)
        by_itself = by_pillow and page.dtype.itemsize == 1  # so Pillow does with up to 8 bits
        values, indices = (values, [other]) if by_itself else (other, [values])  # labels are as stored
    colour = page.photometric not in GRAY
    return of_rows(values, code, spacing=spacing, notes=notes, colour=colour, indices=indices[0] if indices else None)


def _packed(page: Any) -> bool:
    """Whether its numbers do not fill bytes; those of 1 bit tifffile unpacks without further packages."""
    return page.dtype is not None and page.bitspersample not in (1, 8 * page.dtype.itemsize)


def _orientation(page: Any) -> int:
    return int(page.aspage().tags.valueof(ORIENTATION, 1))


def _counted(file: TiffFile, page: Any) -> tuple[str, tuple[int, ...], tuple[str, ...]]:
    """What the pages of a file count: a letter and a size for each axis, the slowest first; a note where it is odd."""
    pages, of_page = len(file.pages), len(page.shape)
    images = [_ome_axes(facts, page.samplesperpixel) for facts in _ome(page)]
    whole = False
    if not images and (file.is_imagej or file.is_shaped):
        images = [(series.axes[:-of_page], series.shape[:-of_page]) for series in file.series]
        whole = len(images) == 1 and file.series[0].shape[-of_page:] == page.shape  # with pages behind the first
    if whole or sum(prod(sizes) for _, sizes in images) == pages:
        if len(set(images)) > 1:
            raise ScanError(f"{len(images)} images of different numbers of slices or channels; save one as a file")
        letters, sizes = images[0]
        return "N" + letters, (len(images), *sizes), ()
    return "Z", (pages,), (PAGES_NOTE,) * bool(images)


def _ome(page: Any) -> list[dict[str, str]]:
    """What an OME-TIFF says of the pixels of each image; empty for other files."""
    if not page.description.rstrip().endswith("OME>"):
        return []
    root = ElementTree.fromstring(page.description)
    return [dict(element.attrib) for element in root.iter() if element.tag.endswith("}Pixels")]


def _ome_axes(facts: dict[str, str], samples: int) -> tuple[str, tuple[int, ...]]:
    """samples: of a pixel, which OME counts as channels."""
    letters = facts["DimensionOrder"][:1:-1]  # that of files is from the fastest
    sizes = {letter: int(facts[f"Size{letter}"]) for letter in letters}
    sizes["C"] = max(1, sizes["C"] // samples)
    return letters, tuple(sizes.values())


def _chosen(letters: str, sizes: Sequence[int], volume: int | None) -> np.ndarray:
    """(slices,) numbers of the pages that make the chosen volume."""
    if prod(sizes) > MOST_PAGES:
        raise ScanError(f"{prod(sizes)} pages, over the limit of {MOST_PAGES}; save fewer")
    order = sorted(range(len(sizes)), key=lambda axis: letters[axis] in SLICES)  # those that count volumes first
    counting = [axis for axis in order if letters[axis] not in SLICES and sizes[axis] > 1]
    words = [AXIS_NAMES.get(letters[axis], letters[axis]) for axis in counting]
    names = tuple(
        ", ".join(f"{word} {index + 1}" for word, index in zip(words, place, strict=True))
        for place in np.ndindex(*(sizes[axis] for axis in counting))
    )
    number = checked_volume(len(names), volume, names)
    return np.arange(prod(sizes)).reshape(sizes).transpose(order).reshape(len(names), -1)[number]


def _checked(file: TiffFile, first: Any, chosen: Sequence[int]) -> list[Any]:
    """The chosen pages; refuses what cannot be decompressed, or to more than fits the limit of memory."""
    enough = first.samplesperpixel >= 3 or first.photometric not in COLOURS
    if first.dtype is None or first.photometric not in (*GRAY, *COLOURS, PALETTE, *OTHER_COLOURS) or not enough:
        raise ScanError("TIFF of an unusual kind of pixels; save it as 8 or 16 bits of gray or RGB")
    checked_shape((first.imagewidth, first.imagelength, first.imagedepth * len(chosen)))
    check_type(first.dtype, prod(first.shaped[1:4]) * max(len(chosen), first.samplesperpixel))
    if first.compression not in (*PLAIN, *DEFLATED, *BY_PILLOW):
        raise _unread(first)
    if max(chosen) >= len(file.pages):  # a stack behind the header of its first page
        return [_behind(first, int(number)) for number in chosen]
    pages: list[Any] = [file.pages[int(number)] for number in chosen]
    if len({(p.shape, p.dtype, p.photometric, p.compression, _orientation(p)) for p in [first, *pages]}) > 1:
        raise ScanError("pages of different sizes or kinds; save pages of one size, or one page, as a file")
    for page in pages:
        wanted, given = prod(page.chunked), len(page.dataoffsets)
        if given < wanted:  # tifffile would go through them all, and draw what is missing black
            raise ScanError(f"damaged, {given:,} of the {wanted:,} pieces of a page are there; save it again")
    return pages


def _behind(page: Any, number: int) -> Any:
    """The page of a stack that lies behind its first."""
    other = copy(page)
    other.dataoffsets = tuple(offset + number * page.nbytes for offset in page.dataoffsets)
    return other


def _unread(page: Any) -> ScanError:
    """The refusal of a kind that neither library decodes."""
    if _packed(page):
        return ScanError(f"TIFF of {page.bitspersample} bits a pixel; save it as 8 or 16 bits")
    compression = getattr(page.compression, "name", str(page.compression)).replace("_", " ")
    return ScanError(f"TIFF of {page.dtype} compressed as {compression}; save it without compression")


def _filled(planes: Planes, count: int) -> list[np.ndarray]:
    """(slices, H, W) of all planes, and, where they have one, of the numbers of their palette."""
    if count == 1:  # of a large picture, nothing is held twice
        (volumes,) = planes
        return volumes
    volumes = []
    for number, arrays in enumerate(planes):
        volumes = volumes or [np.empty((count, *array.shape), array.dtype) for array in arrays]
        for whole, array in zip(volumes, arrays, strict=True):
            whole[number] = array
    return [whole.reshape(-1, *whole.shape[-2:]) for whole in volumes]


def _by_tifffile(file: TiffFile, pages: Sequence[Any], sample: int) -> Planes:
    """sample: the one of a pixel of gray that is read."""
    first = pages[0]
    if first.photometric == PALETTE:
        colours = luminance(first.colormap.T >> (8 if first.colormap.max() > 255 else 0))
    for page in pages:
        stored = page.asarray(maxworkers=1) if first.compression in PLAIN else _inflated(file, first, page)
        stored = stored.reshape(first.shaped)
        samples = stored[0] if first.planarconfig == 1 else np.moveaxis(stored[..., 0], 0, -1)  # (slices, H, W, S)
        if first.photometric in COLOURS:
            yield [luminance(samples)]
        elif first.photometric == PALETTE:
            yield [colours[samples[..., 0]], samples[..., 0]]
        else:
            yield [samples[..., sample]]


def _inflated(file: TiffFile, first: Any, page: Any) -> np.ndarray:
    """A deflated page, piece by piece: tifffile sets no limit, and would hold three copies."""
    stored, plain, most = np.zeros(first.shaped, first.dtype), copy(first), first.nbytes + SLACK
    plain.compression = PLAIN[0]
    for index, (offset, size) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
        file.filehandle.seek(offset)
        inflater, inflated = zlib.decompressobj(), bytearray()
        for start in range(0, size, PIECE):
            inflated += inflater.decompress(file.filehandle.read(min(PIECE, size - start)), most - len(inflated))
            if len(inflated) == most:
                raise ScanError("damaged, a piece decompresses to more than its page; save the file again")
        piece, (sample, depth, row, column, _), _ = plain.decode(inflated, index)
        del inflated
        place = stored[sample, depth:, row:, column:][tuple(map(slice, piece.shape))]
        place[...] = piece[tuple(map(slice, place.shape))]  # tiles go beyond the last row and column
    return stored


def _by_pillow(stream: BinaryIO, page: Any, numbers: Sequence[int]) -> Planes:
    """Pillow has 8 bits of every kind, and 16 and 32 of plain gray; it turns pages upright as it loads them."""
    if page.dtype.str[1:] not in (("b1", "u1", "u2", "f4") if page.samplesperpixel == 1 else ("u1",)):
        raise _unread(page)
    try:
        opened = raster.opened(stream, ("TIFF",))
    except UnidentifiedImageError as error:
        raise _unread(page) from error
    with opened as image:
        for number in numbers:
            image.seek(int(number))
            image.getexif()[ORIENTATION] = _orientation(page)  # that of XMP, which stands in for it, is left out
            plane, _, indices = raster.gray(image)
            yield [plane[None]] if indices is None else [plane[None], indices[None]]


def _inverted(values: np.ndarray, bits: int) -> np.ndarray:
    """Bright for dark: whole numbers without sign within the range of their bits, others within their own."""
    if values.dtype.kind == "b":
        return ~values
    return 2**bits - 1 - values if values.dtype.kind == "u" else values.max() + values.min() - values


def _spacing(file: TiffFile, page: Any, number: int, slices: int) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    """Sides of a voxel (x, y, z) in mm, where ImageJ or OME wrote them, with a note on a distance that they lack.

    The resolution of other files is not believed: it is that of a print, mostly 72 dots an inch.
    """
    if images := _ome(page):
        facts = images[number * len(images) // len(file.pages)]  # those of the chosen page
        x, y, z = (
            float(facts.get(f"PhysicalSize{axis}", "nan")) * UNIT_MM.get(facts.get(f"PhysicalSize{axis}Unit", "µm"), 0)
            for axis in "XYZ"
        )
    elif file.is_imagej:
        meta = file.imagej_metadata or {}
        x, y = (np.divide(*page.tags.valueof(f"{axis}Resolution", (0, 1))[::-1]) for axis in "XY")
        x, y, z = (side * UNIT_MM.get(str(meta.get("unit")), 0) for side in (x, y, float(meta.get("spacing", "nan"))))
    else:
        return None, ()
    if not possible_sides((x, y)):
        return None, ()
    if possible_sides(z) or slices == 1:
        return (x, y, z if possible_sides(z) else x), ()
    return (x, y, x), (f"The file gives no distance of its slices; {x:.3g} mm is assumed, the size of a pixel.",)
