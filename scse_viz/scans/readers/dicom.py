"""DICOM: single files, multi-frame files and series; every frame is placed by its own position."""

import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from scse_viz.scans.readers.contents import (
    COLOUR_NOTE,
    Contents,
    ScanError,
    checked_shape,
    checked_volume,
    luminance,
    plain_affine,
    usable,
)

# pydicom converts an element when it is asked for, so a damaged file raises what plain code raises, at any access.
ERRORS = (InvalidDicomError, BytesLengthException, OSError, EOFError, SyntaxError, ArithmeticError, LookupError,
          TypeError, ValueError, AttributeError, RuntimeError, struct.error, zlib.error)  # fmt: skip
DEFLATED = b"1.2.840.10008.1.2.1.99"  # the transfer syntax that packs the whole file, to any size
UNREADABLE = "{name}: DICOM compressed as {syntax}; save it uncompressed or convert it to NIfTI with dcm2niix"
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
EVEN = 0.1  # of the distance between slices: how far one may stand from its place


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice of a file: where it lies and how its numbers become intensities."""

    dataset: pydicom.Dataset
    index: int
    order: tuple[float, ...]
    series: tuple[Any, ...]  # what slices of one volume share
    # In mm and in LPS, NaN where the file does not say.
    directions: np.ndarray  # (2, 3) unit vectors along a row and along a column
    position: np.ndarray  # (3,) of the first pixel
    spacing: np.ndarray  # (2,) between columns, between rows
    thickness: float
    slope: float
    intercept: float


def has_preamble(block: bytes) -> bool:
    return block[128:132] == b"DICM"


def is_dicom(block: bytes) -> bool:
    """Whether a file's first bytes are DICOM's; without the preamble it begins with an element of group 2 or 8."""
    return has_preamble(block) or block[:2] in (b"\2\0", b"\x08\0", b"\0\x08")


def read_dicom(files: Iterable[bytes], name: str, volume: int | None) -> Contents:
    """The volume that the slices in the files make: (columns, rows, slices)."""
    frames: dict[str, list[Frame]] = {}
    for number, data in enumerate(files):
        dataset = _dataset(data, name)
        if any(element in dataset for element in PIXELS):
            _check_decoder(dataset, name)
            # A file that is there twice counts once.
            frames[str(dataset.get("SOPInstanceUID", number))] = _frames(dataset, name)
    if not frames:
        raise ScanError(f"{name}: no DICOM image (but a report, a plan or nothing); choose the image files")
    chosen, notes = _largest([frame for found in frames.values() for frame in found])
    stack, number_of_volumes = _sorted(chosen, name)
    number = checked_volume(name, number_of_volumes, volume)
    stack = stack[number::number_of_volumes]
    first = stack[0]
    shape = checked_shape(name, (int(first.dataset.Columns), int(first.dataset.Rows), len(stack)))
    affine, oriented, placed = _affine(stack, shape)
    values, colour = _values(stack, name)
    notes = [*notes, *placed, *[COLOUR_NOTE] * colour]
    if first.dataset.get("PhotometricInterpretation") == "MONOCHROME1":
        values = np.float32(values.max()) + np.float32(values.min()) - values
        notes.append("The file stores bright as low numbers (MONOCHROME1); its intensities were inverted.")
    return Contents(values.transpose(2, 1, 0), affine, oriented, colour=colour, notes=tuple(notes))


def _dataset(data: bytes, name: str) -> pydicom.Dataset:
    if DEFLATED in data:  # pydicom would unpack it, without a limit, before it can be asked
        raise ScanError(UNREADABLE.format(name=name, syntax="a deflated file"))
    dataset = pydicom.dcmread(BytesIO(data), force=True)
    if "MOSAIC" in (dataset.get("ImageType") or ()):
        raise ScanError(f"{name}: a Siemens mosaic, all slices tiled in one picture; convert it to NIfTI with dcm2niix")
    if not hasattr(dataset, "file_meta") or "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return dataset


def _check_decoder(dataset: pydicom.Dataset, name: str) -> None:
    """Refuses a compression that needs a library which is not installed."""
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    try:
        readable = get_decoder(syntax).is_available
    except NotImplementedError:
        readable = False
    if not readable:
        raise ScanError(UNREADABLE.format(name=name, syntax=syntax.name))


def _frames(dataset: pydicom.Dataset, name: str) -> list[Frame]:
    count = int(dataset.get("NumberOfFrames") or 1)
    checked_shape(name, (int(dataset.Columns), int(dataset.Rows), count * int(dataset.get("SamplesPerPixel") or 1)))
    shared = dataset.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()]
    each = dataset.get("PerFrameFunctionalGroupsSequence") or [pydicom.Dataset()] * count
    offsets = dataset.get("GridFrameOffsetVector") or [0] * count
    return [
        _frame(dataset, index, [each[index], shared[0]], float(offsets[index]), alone=count == 1)
        for index in range(count)
    ]


def _frame(
    dataset: pydicom.Dataset, index: int, groups: Sequence[pydicom.Dataset], offset: float, alone: bool
) -> Frame:
    """groups: where an enhanced file keeps what differs between frames, nearest first; else it stands at the top."""

    def of(sequence: str, element: str) -> Any:
        for group in groups:
            if sequence in group and group[sequence].value and element in group[sequence][0]:
                return group[sequence][0][element].value
        return dataset.get(element)

    directions = _numbers(of("PlaneOrientationSequence", "ImageOrientationPatient"), 6).reshape(2, 3)
    position = _numbers(of("PlanePositionSequence", "ImagePositionPatient"), 3)
    spacing = _numbers(of("PixelMeasuresSequence", "PixelSpacing") or dataset.get("ImagerPixelSpacing"), 2)
    between = dataset.get("SpacingBetweenSlices") if alone else None
    slope = of("PixelValueTransformationSequence", "RescaleSlope")
    facing = (directions.round(2) + 0.0).tobytes()  # + 0.0: -0 and 0 are one direction
    return Frame(
        dataset=dataset,
        index=index,
        order=(float(dataset.get("InstanceNumber") or 0), index),
        series=(str(dataset.get("SeriesInstanceUID")), int(dataset.Rows), int(dataset.Columns), facing),
        directions=directions,
        position=position + offset * np.cross(*directions),
        spacing=spacing[::-1],
        thickness=float(_numbers([between or of("PixelMeasuresSequence", "SliceThickness")], 1)[0]),
        slope=1.0 if slope is None else float(slope),
        intercept=float(of("PixelValueTransformationSequence", "RescaleIntercept") or 0),
    )


def _numbers(values: Any, count: int) -> np.ndarray:
    """The values as count numbers, all NaN where the file does not say them."""
    if values is None or len(values) != count or any(value in (None, "") for value in values):
        return np.full(count, np.nan)
    return np.array([float(value) for value in values])


def _largest(frames: Sequence[Frame]) -> tuple[list[Frame], list[str]]:
    """The frames of the series with most of them, and a note where there are others."""
    series = defaultdict(list)
    for frame in frames:
        series[frame.series].append(frame)
    chosen = max(series.values(), key=len)
    if len(series) == 1:
        return chosen, []
    title = chosen[0].dataset.get("SeriesDescription") or "without a title"
    return chosen, [f"{len(series)} series are in the file; the largest, {title} ({len(chosen)} slices), was read."]


def _sorted(frames: Sequence[Frame], name: str) -> tuple[list[Frame], int]:
    """Frames in order along their normal, those at one place together, and how many stand at each place."""
    height = _heights(frames).round(3)
    if not np.isfinite(height).all():
        return sorted(frames, key=lambda frame: frame.order), 1
    order = sorted(range(len(frames)), key=lambda number: (height[number], frames[number].order))
    _, counts = np.unique(height, return_counts=True)
    if counts.min() != counts.max():
        raise ScanError(
            f"{name}: {counts.min()} to {counts.max()} slices at one place, which is no volume; choose the files of one"
        )
    return [frames[number] for number in order], int(counts[0])


def _heights(frames: Sequence[Frame]) -> np.ndarray:
    """(N,) mm along the normal of the first."""
    return np.array([frame.position for frame in frames]) @ np.cross(*frames[0].directions)


def _affine(stack: Sequence[Frame], shape: tuple[int, int, int]) -> tuple[np.ndarray, bool, list[str]]:
    """Affine in RAS, whether the files say directions, and notes on the distances between slices."""
    first = stack[0]
    notes: list[str] = []
    thickness = 1.0 if np.isnan(first.thickness) else first.thickness
    step = np.cross(*first.directions) * thickness
    height = _heights(stack)
    if len(stack) > 1 and np.isfinite(height).all():
        gaps = np.diff(height)
        gap = float(np.median(gaps))
        # Not the normal alone: under a tilted gantry each slice is also shifted within its plane.
        step = (stack[-1].position - first.position) / (height[-1] - height[0]) * gap
        missing = int((gaps / gap).round().sum()) - len(gaps)
        if missing > 0:
            notes = [f"Slices missing: {missing} of {len(stack) + missing}; beyond a gap, positions in mm are off."]
        elif np.abs(gaps - gap).max() > EVEN * gap:
            notes = [f"Slices are {gaps.min():.3g} to {gaps.max():.3g} mm apart; {gap:.3g} mm was taken for all."]
    affine = np.eye(4)
    affine[:3, :3] = LPS_TO_RAS @ np.column_stack([*(first.directions * first.spacing[:, None]), step])
    affine[:3, 3] = LPS_TO_RAS @ first.position
    if usable(affine):
        return affine, True, notes
    spacing = (*first.spacing, thickness)
    affine, plain = plain_affine(shape, spacing if usable(np.diag([*spacing, 1])) else None, rows_down=True)
    return affine, False, [*notes, *plain]


def _values(stack: Sequence[Frame], name: str) -> tuple[np.ndarray, bool]:
    """(slices, rows, columns) of rescaled intensities, and whether they were colours."""
    decoded: dict[int, np.ndarray] = {}
    planes = []
    for frame in stack:
        key = id(frame.dataset)
        if key not in decoded:
            decoded[key] = _decoded(frame.dataset, name)
        plane = decoded[key][frame.index]
        if (frame.slope, frame.intercept) != (1, 0):
            plane = plane * np.float32(frame.slope) + np.float32(frame.intercept)
        planes.append(plane)
    values = np.stack(planes)
    return (luminance(values), True) if values.ndim == 4 else (values, False)


def _decoded(dataset: pydicom.Dataset, name: str) -> np.ndarray:
    """(frames, rows, columns[, 3]) as the file stores them, palettes looked up."""
    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        pixels = pixel_array(dataset)
    except RuntimeError as error:
        if not syntax.is_compressed:
            raise
        raise ScanError(UNREADABLE.format(name=name, syntax=syntax.name)) from error
    if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    return pixels if int(dataset.get("NumberOfFrames") or 1) > 1 else pixels[None]
