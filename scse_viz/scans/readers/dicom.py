"""DICOM files: what each frame's header says, and the pixels of the frames that make the chosen volume.

Headers are read first and held without their pixels, `dicom_series` sorts them into volumes, and only the files of the
chosen one are decoded, one at a time.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
from PIL import Image, UnidentifiedImageError
from pydicom.encaps import generate_frames
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import get_expected_length, iter_pixels
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from scse_viz.scans.readers import dicom_mosaic, dicom_series
from scse_viz.scans.readers.contents import COLOUR_NOTE, UNCHECKED, FileContents, ScanError, luminance
from scse_viz.scans.readers.dicom_series import Frame
from scse_viz.scans.readers.dicom_traits import TRAITS
from scse_viz.scans.readers.limits import LARGEST_VOXELS, check_memory, checked_shape, checked_volume

ERRORS = (*UNCHECKED, InvalidDicomError, BytesLengthException)  # at any access: elements are converted when asked for
DEFLATED = b"1.2.840.10008.1.2.1.99"  # the transfer syntax that compresses the whole file, to any size
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
UNREADABLE = "DICOM compressed as {}; save it uncompressed or convert it to NIfTI with dcm2niix"
PIXELS = re.compile(rb"\xe0\x7f[\x08\x09\x10]\0|\x7f\xe0\0[\x08\x09\x10]")  # tag of pixel data, float or double too
HEADER = [Tag(element) for element in (
    "SOPInstanceUID", "SeriesInstanceUID", "SeriesDescription", "InstanceNumber", "Rows", "Columns", "SamplesPerPixel",
    "NumberOfFrames", "PhotometricInterpretation", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "ImagerPixelSpacing", "SliceThickness", "SpacingBetweenSlices", "GridFrameOffsetVector", "RescaleSlope",
    "RescaleIntercept", "BitsAllocated", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    *(trait.element for trait in TRAITS),
)]  # fmt: skip
MOST_FRAMES = 20_000  # of all files: sorting as many takes three seconds
INVERTED_NOTE = "The file stores bright as low numbers (MONOCHROME1); its intensities were inverted."

Source = Callable[[], bytes]  # returns the bytes of one file, however often it is called


def has_preamble(block: bytes) -> bool:
    return block[128:132] == b"DICM"


def is_dicom(block: bytes) -> bool:
    """Whether a file's first bytes are DICOM's; without the preamble it begins with an element of group 2 or 8."""
    return has_preamble(block) or block[:2] in (b"\2\0", b"\x08\0", b"\0\x08")


def read_dicom(sources: Iterable[Source], volume: int | None) -> FileContents:
    """The volume that the slices in the files make: (columns, rows, slices)."""
    frames, notes = _frames(sources)
    if not frames:
        raise ScanError("no DICOM image (but a report, a plan or nothing); choose the image files")
    volumes, sorting = dicom_series.volumes(frames)
    stack = volumes[checked_volume(len(volumes), volume, tuple(", ".join(stack.titles) for stack in volumes))]
    rows, columns = stack.frames[0].shape
    inverted = [number for number, frame in enumerate(stack.frames) if frame.inverted]
    most = LARGEST_VOXELS // (2 if inverted else 1)  # labels are as stored
    affine, oriented, placed = dicom_series.affine(stack, checked_shape((columns, rows, len(stack.frames)), most))
    values, colour = _values(stack.frames)
    stored = values.copy() if inverted else None
    if inverted:
        _invert(values, inverted)
    notes = [*notes, *sorting, *placed, *[COLOUR_NOTE] * colour, *[INVERTED_NOTE] * bool(inverted)]
    return FileContents(
        values=values.transpose(2, 1, 0),
        affine=affine,
        oriented=oriented,
        colour=colour,
        indices=None if stored is None else stored.transpose(2, 1, 0),
        notes=tuple(notes),
    )


def _frames(sources: Iterable[Source]) -> tuple[list[Frame], list[str]]:
    """All frames of the files that hold images, with notes; of a file that is there twice, the first."""
    frames: list[Frame] = []
    known: set[tuple] = set()
    copies = sizeless = 0
    for source in sources:
        data = source()
        if DEFLATED in data:  # pydicom would decompress it, without a limit, before it can be asked
            raise ScanError(UNREADABLE.format("a deflated file"))
        stream = BytesIO(data)
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=HEADER)
        pixels = memoryview(data)[stream.tell() :]
        if "Rows" not in dataset or not PIXELS.search(data):  # of a damaged header, the end may be anywhere
            sizeless += len(pixels) > 0
            continue
        # As a dict: asking a pydicom data set for what it lacks costs more than reading it.
        header = {element.keyword: element.value for element in dataset}
        said = (str(header.get(element)) for element in ("SOPInstanceUID", "ImagePositionPatient", "InstanceNumber"))
        identity = (*said, hashlib.blake2b(pixels, digest_size=16).digest())
        if identity in known and "SOPInstanceUID" in header:
            copies += 1
            continue
        known.add(identity)
        count = int(header.get("NumberOfFrames") or 1)
        if len(frames) + count > MOST_FRAMES:
            raise ScanError(f"holds over {MOST_FRAMES:,} slices; save the one volume to show")
        if count > 1 and _syntax(dataset) in NATIVE and get_expected_length(dataset) > len(pixels):
            raise EOFError("fewer pixels than its header says")
        frames += _frames_of(header, source)
    facts = ((copies, "there twice, and counted once"), (sizeless, "without the size of its picture, and left out"))
    return frames, [f"{number} file{' is' if number == 1 else 's are'} {fact}." for number, fact in facts if number]


def _syntax(dataset: pydicom.FileDataset) -> UID:
    """Its transfer syntax, filled in where a file lacks it."""
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return dataset.file_meta.TransferSyntaxUID


def _frames_of(header: dict[str, Any], source: Source) -> list[Frame]:
    """The frames of one file; an enhanced one keeps in functional groups what differs between them."""
    count = int(header.get("NumberOfFrames") or 1)
    checked_shape((int(header["Columns"]), int(header["Rows"]), count * int(header.get("SamplesPerPixel") or 1)))
    if "MOSAIC" in (header.get("ImageType") or ()):
        whole = pydicom.dcmread(BytesIO(source()), stop_before_pixels=True, force=True)
        return dicom_mosaic.tiles(whole, _frame(header, source, 0, []))
    shared = list(header.get("SharedFunctionalGroupsSequence") or [])[:1]
    own = header.get("PerFrameFunctionalGroupsSequence") or []
    offsets = np.array(header.get("GridFrameOffsetVector") or [0] * count, np.float64).reshape(-1)
    offsets -= offsets[0]  # the first is 0, or the z of the position
    frames = [
        _frame(header, source, index, [*([own[index]] if own else []), *shared], offsets[index])
        for index in range(count)
    ]
    return dicom_series.in_stack_order(frames)


def _frame(
    header: dict[str, Any], source: Source, index: int, groups: Sequence[pydicom.Dataset], offset: float = 0
) -> Frame:
    """groups: the functional groups of the frame and of all, nearest first; beyond them the file's top level counts."""

    def of(sequence: str, element: str, within: str = "") -> Any:
        for group in groups:
            if sequence in group and group[sequence].value and (within or element) in group[sequence][0]:
                return group[sequence][0][within or element].value
        return header.get(element)

    directions = _numbers(of("PlaneOrientationSequence", "ImageOrientationPatient"), 6).reshape(2, 3)
    position = _numbers(of("PlanePositionSequence", "ImagePositionPatient"), 3)
    spacing = _numbers(of("PixelMeasuresSequence", "PixelSpacing") or header.get("ImagerPixelSpacing"), 2)
    distances = {
        element: float(_numbers([of("PixelMeasuresSequence", element)], 1)[0])
        for element in ("SpacingBetweenSlices", "SliceThickness")
    }
    slope = of("PixelValueTransformationSequence", "RescaleSlope")
    return Frame(
        source=source,
        index=index,
        shape=(int(header["Rows"]), int(header["Columns"])),
        series=str(header.get("SeriesInstanceUID")),
        title=str(header.get("SeriesDescription") or "without a title"),
        number=float(_numbers([header.get("InstanceNumber")], 1)[0]),
        in_stack=float(_numbers([of("FrameContentSequence", "InStackPositionNumber")], 1)[0]),
        directions=directions,
        position=position + offset * np.cross(*directions),
        spacing=spacing[::-1],
        distances=distances,
        traits={trait.title: _plain(of(trait.sequence, trait.element, trait.within)) for trait in TRAITS},
        slope=1.0 if slope is None else float(slope),
        intercept=float(of("PixelValueTransformationSequence", "RescaleIntercept") or 0),
        inverted=header.get("PhotometricInterpretation") == "MONOCHROME1",
    )


def _numbers(values: Any, count: int) -> np.ndarray:
    """The values as count numbers, all NaN where the file does not say them."""
    if values is None or len(values) != count or any(value in (None, "") for value in values):
        return np.full(count, np.nan)
    return np.array([float(value) for value in values])


def _plain(value: Any) -> tuple | None:
    """An element's value as a tuple of numbers or words that can be compared; None where it is empty."""
    if value in (None, ""):
        return None
    values = [value] if isinstance(value, (str, int, float)) else list(value)
    return tuple(float(part) if isinstance(part, (int, float)) else str(part) for part in values)


def _values(stack: Sequence[Frame]) -> tuple[np.ndarray, bool]:
    """(slices, rows, columns) float32 of rescaled intensities, and whether they were colours."""
    values = np.empty((len(stack), *stack[0].shape), np.float32)
    colour = False
    by_file: dict[int, list[int]] = {}
    for number, frame in enumerate(stack):
        by_file.setdefault(id(frame.source), []).append(number)
    for inside in by_file.values():
        data = stack[inside[0]].source()
        check_memory(len(data) + values.nbytes)
        planes = _decoded(data, [stack[number] for number in inside])
        for number, plane in zip(inside, planes, strict=True):
            colour |= plane.ndim == 3
            gray = luminance(plane) if plane.ndim == 3 else plane
            values[number] = gray * stack[number].slope + stack[number].intercept
    return values, colour


def _invert(values: np.ndarray, inverted: Sequence[int]) -> None:
    """Turns bright to dark in these slices, in place; their darkest becomes that of the others, if there are any."""
    others = sorted({*range(len(values))} - {*inverted}) or inverted
    low, high = min(values[number].min() for number in others), max(values[number].max() for number in inverted)
    for number in inverted:
        np.subtract(low + high, values[number], out=values[number])


def _decoded(data: bytes, frames: Sequence[Frame]) -> Iterator[np.ndarray]:
    """(rows, columns[, 3]) of each of a file's frames as the file stores them, palettes and tables looked up."""
    dataset = pydicom.dcmread(BytesIO(data), stop_before_pixels=True, force=True)
    source: Any = BytesIO(data)  # where frames lie as they are, they are read one at a time, and not copied
    if dataset.file_meta.get("TransferSyntaxUID") not in NATIVE:
        source = dataset = pydicom.dcmread(BytesIO(data), force=True)
    syntax = _syntax(dataset)
    if syntax not in NATIVE:
        _check_sizes(dataset)
    table = bool(dataset.get("ModalityLUTSequence"))
    palette = dataset.get("PhotometricInterpretation") == "PALETTE COLOR"
    try:
        if frames[0].mosaic:
            (slab,) = iter_pixels(source)
            yield from (dicom_mosaic.cut(slab, frame) for frame in frames)
            return
        for plane in iter_pixels(source, indices=[frame.index for frame in frames]):
            plane = apply_color_lut(plane, dataset) if palette else plane
            yield apply_modality_lut(plane, dataset) if table else plane
    except RuntimeError as error:
        if syntax in NATIVE:
            raise
        raise ScanError(UNREADABLE.format(syntax.name)) from error


def _check_sizes(dataset: pydicom.FileDataset) -> None:
    """Refuses a compressed picture whose own header says another size than the file's: it could take any memory."""
    said = dataset.Columns, dataset.Rows
    offsets = None
    if "ExtendedOffsetTable" in dataset:
        offsets = dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths
    count = int(dataset.get("NumberOfFrames") or 1)
    for picture in generate_frames(dataset.PixelData, number_of_frames=count, extended_offsets=offsets):
        try:
            size = Image.open(BytesIO(picture), formats=("JPEG", "JPEG2000")).size
        except UnidentifiedImageError:  # run lengths, or a kind that is refused when it is decoded
            continue
        except Image.DecompressionBombError as error:
            raise ScanError("damaged, its picture has far more pixels than its header says; export it again") from error
        if size != said:
            inside, outside = (f"{columns} × {rows}" for columns, rows in (size, said))
            raise ScanError(f"damaged, its picture has {inside} pixels and its header says {outside}; export it again")
