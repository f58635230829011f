"""Sorting DICOM frames: series -> volumes -> slices along their normal, and where they lie in mm.

Frames of one series that lie at the same positions are several volumes: they are told apart by what their headers say
(TRAITS), else by their numbers, else they are refused. Nothing is mixed by guess, and every assumption is a note.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from scse_viz.scans.readers.contents import ScanError, plain_affine, possible_sides, usable

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
EVEN = 0.1  # share of the slice distance by which a slice may be off its position
SAME = 1e-3  # how far direction cosines and, relatively, pixel sizes of one volume may differ
ONE_POSITION = 0.01, 0.001  # shares of the stated and of the largest distance: nearer slices are at one position
WORDS = {"M": "magnitude", "P": "phase", "R": "real", "I": "imaginary"}


@dataclass(frozen=True)
class Trait:
    """An element that tells volumes of one series apart; an enhanced file has it `within` a `sequence`."""

    title: str
    element: str
    sequence: str = ""
    within: str = ""
    unit: str = ""


# The most reliable first: an acquisition may be a volume, or every second slice of one.
TRAITS = (
    Trait("image type", "ImageType", "MRImageFrameTypeSequence", "FrameType"),
    Trait("part", "ComplexImageComponent", "MRImageFrameTypeSequence"),
    Trait("echo time", "EchoTime", "MREchoSequence", "EffectiveEchoTime", " ms"),
    Trait("inversion time", "InversionTime", "MRModifierSequence", "InversionTimes", " ms"),
    Trait("flip angle", "FlipAngle", "MRTimingAndRelatedParametersSequence", unit="°"),
    Trait("b-value", "DiffusionBValue", "MRDiffusionSequence", unit=" s/mm²"),
    Trait("gradient", "DiffusionGradientOrientation", "MRDiffusionSequence"),
    Trait("time point", "TemporalPositionIdentifier", "FrameContentSequence", "TemporalPositionIndex"),
    Trait("trigger time", "TriggerTime", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", " ms"),
    Trait("reference time", "FrameReferenceTime", unit=" ms"),
    Trait("stack", "StackID", "FrameContentSequence"),
    Trait("acquisition", "AcquisitionNumber", "FrameContentSequence", "FrameAcquisitionNumber"),
    Trait("acquired at", "AcquisitionTime"),
    Trait("made at", "ContentTime"),
)


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice of a file: where it lies and how its numbers become intensities."""

    source: Callable[[], bytes]
    index: int  # in its file
    shape: tuple[int, int]  # rows, columns
    series: str
    title: str  # of the series
    number: float  # of the file in its series; this and the next four are NaN where the file does not say
    directions: np.ndarray  # (2, 3) unit vectors along a row and along a column, in LPS
    position: np.ndarray  # (3,) of the first pixel in mm, in LPS
    spacing: np.ndarray  # (2,) between columns, between rows, in mm
    distances: dict[str, float]  # SpacingBetweenSlices and SliceThickness in mm
    traits: dict[str, tuple | None]
    slope: float
    intercept: float
    inverted: bool  # bright is stored as low numbers
    mosaic: int = 0  # tiles along a side of a mosaic
    spread_by: str = ""  # a note on what placed it, where its own position did not

    @property
    def distance(self) -> tuple[float, str]:
        """Distance to the next slice as far as a header says one that can be, and the words for it."""
        for element, millimetres in self.distances.items():
            if possible_sides(millimetres):
                return millimetres, f"{element}, {millimetres:.4g} mm,"
        return 1.0, "1 mm"


@dataclass(frozen=True, eq=False)
class FrameStack:
    """Frames of a series along their normal, and in words what tells them from its other frames."""

    frames: Sequence[Frame]
    titles: tuple[str, ...] = ()

    @classmethod
    def sorted(cls, frames: Sequence[Frame], titles: tuple[str, ...] = ()) -> Self:
        order = np.argsort(cls(frames).order, kind="stable")
        return cls([frames[number] for number in order], titles)

    @cached_property
    def heights(self) -> np.ndarray:
        """(N,) mm along the normal of the first; NaN where the files give no positions."""
        return np.array([frame.position for frame in self.frames]) @ np.cross(*self.frames[0].directions)

    @cached_property
    def numbered(self) -> bool:
        """Whether the files' numbers say an order."""
        numbers = {frame.number for frame in self.frames}
        return len(numbers) > 1 and not any(map(np.isnan, numbers))

    @cached_property
    def order(self) -> np.ndarray:
        """(N,) along the normal: heights, or, without positions, numbers of the files, or the order they came in."""
        if np.isfinite(self.heights).all():
            return self.heights
        numbers = [frame.number if self.numbered else place for place, frame in enumerate(self.frames)]
        return np.unique(numbers, return_inverse=True)[1] * self.frames[0].distance[0]

    @cached_property
    def positions(self) -> np.ndarray:
        """(N,) index of each frame's position, counted along the normal."""
        gaps = np.diff(self.order, prepend=self.order[0])
        said = min(filter(possible_sides, self.frames[0].distances.values()), default=0)
        return np.cumsum(gaps > max(ONE_POSITION[0] * said, ONE_POSITION[1] * gaps.max()))

    @cached_property
    def is_volume(self) -> bool:
        """Whether it has a position for each frame, and even distances but for slices that are missing."""
        if self.positions[-1] + 1 < len(self.frames):
            return False
        gaps = np.diff(self.order)
        return len(gaps) < 2 or bool(gaps.min() >= np.median(gaps) / 2 and _missing(gaps) <= len(self.frames))


def along_normal(frames: list[Frame]) -> list[Frame]:
    """Frames of one file; where all say one position, and nothing tells them apart, they lie along their normal."""
    first = frames[0]
    apart = np.ptp([frame.position for frame in frames], axis=0).max()
    if len(frames) == 1 or apart != 0 or any(frame.traits != first.traits for frame in frames):
        return frames
    step, words = first.distance
    normal = np.cross(*first.directions)
    note = f"The file gives one position for its {len(frames)} slices; {words} is assumed as their distance."
    return [
        replace(frame, position=frame.position + number * step * normal, spread_by=note)
        for number, frame in enumerate(frames)
    ]


def volumes(frames: Sequence[Frame]) -> tuple[list[FrameStack], list[str]]:
    """The volumes of the largest series, each in order along its normal, with notes on what was assumed."""
    series = _by_grid(frames)
    chosen = max(series, key=len)
    notes = []
    if len(series) > 1:
        size = f"{len(chosen)} slice{'s' * (len(chosen) > 1)}"
        notes = [f"{len(series)} series are in the file; the largest, {chosen[0].title} ({size}), was read."]
    groups = [FrameStack.sorted(chosen)]
    for trait in TRAITS:
        groups = [part for group in groups for part in _parts(group, trait)]
    stacks = [volume for group in groups for volume in _by_number(group)]
    if len(stacks) > len(groups):
        notes.append("Nothing but InstanceNumber tells apart the volumes of this series; it gave their order.")
    return stacks, notes


def affine(stack: FrameStack, shape: tuple[int, int, int]) -> tuple[np.ndarray, bool, list[str]]:
    """Affine in RAS, whether the files say directions, and notes on what was assumed of the slices' distances."""
    first = stack.frames[0]
    thickness, words = first.distance
    step, notes = np.cross(*first.directions) * thickness, [first.spread_by] * bool(first.spread_by)
    if len(stack.frames) > 1 and np.isfinite(stack.heights).all():
        step, uneven = _step(stack)
        notes += uneven
    elif len(stack.frames) > 1:
        order = "number" if stack.numbered else "the order they came in"
        between = f", and {words} lies between" if possible_sides(first.spacing) else ""
        notes.append(f"The files do not say where slices lie; they are stacked by {order}{between}.")
    elif words == "1 mm" and possible_sides(first.spacing):
        notes.append("The file gives no thickness of its slice; 1 mm is assumed.")
    matrix = np.eye(4)
    matrix[:3, :3] = LPS_TO_RAS @ np.column_stack([*(first.directions * first.spacing[:, None]), step])
    matrix[:3, 3] = LPS_TO_RAS @ first.position
    if usable(matrix):
        return matrix, True, notes
    sides = (*first.spacing, thickness)
    matrix, plain = plain_affine(shape, sides if possible_sides(sides) else None, rows_down=True)
    return matrix, False, [*notes, *plain]


def _by_grid(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames of one series, size and direction together; directions and pixel sizes are compared with a tolerance."""
    coarse: dict[Hashable, list[list[Frame]]] = defaultdict(list)
    for frame in frames:
        alike = coarse[frame.series, frame.shape, bool(np.isfinite(frame.position).all())]
        for group in alike:
            if np.allclose(group[0].directions, frame.directions, 0, SAME, equal_nan=True) and np.allclose(
                group[0].spacing, frame.spacing, SAME, 0, equal_nan=True
            ):
                group.append(frame)
                break
        else:
            alike.append([frame])
    return [group for groups in coarse.values() for group in groups]


def _missing(gaps: np.ndarray) -> int:
    return int((gaps / np.median(gaps)).round().sum()) - len(gaps)


def _parts(group: FrameStack, trait: Trait) -> list[FrameStack]:
    """The group split by a trait, where each part is a whole volume: equal counts of positions, more than one."""
    if group.is_volume:
        return [group]
    by_value = defaultdict(list)
    for frame in group.frames:
        by_value[frame.traits[trait.title]].append(frame)
    shared = set.intersection(*(set(value or ()) for value in by_value))
    parts = [
        FrameStack.sorted(by_value[value], (*group.titles, _said(trait, value, shared)))
        for value in sorted(by_value, key=lambda value: [(isinstance(part, str), part) for part in value or ()])
    ]
    sizes = {int(part.positions[-1]) for part in parts}
    whole = len(sizes) == 1 and (sizes != {0} or group.positions[-1] == 0)
    return parts if whole and len(parts) > 1 else [group]


def _said(trait: Trait, value: tuple | None, shared: set) -> str:
    """What a user reads: `echo time 4.6 ms`, `phase`."""
    if value is None:
        return f"no {trait.title}"
    if isinstance(value[0], str) and len(value) > 1:
        return " ".join(WORDS.get(part, part.lower()) for part in value if part not in shared) or trait.title
    parts = [f"{part:.6g}" if isinstance(part, float) else WORDS.get(part, part) for part in value]
    return f"{trait.title} {' '.join(parts)}{trait.unit}"


def _by_number(group: FrameStack) -> list[FrameStack]:
    """A group that is one volume, or whose files' numbers alone tell its volumes apart; refuses what is neither."""
    counts = np.bincount(group.positions)
    keys = [(frame.number, frame.index) for frame in group.frames]
    by_number = sorted(range(len(keys)), key=lambda number: (group.positions[number], keys[number]))
    parts = [FrameStack([group.frames[n] for n in by_number[first :: counts[0]]]) for first in range(counts[0])]
    why = ""
    if counts.min() != counts.max():
        why = f"{counts.min()} to {counts.max()} slices at one position, which is no volume"
    elif counts[0] > 1 and (len(set(keys)) < len(keys) or any(np.isnan(frame.number) for frame in group.frames)):
        why = f"{counts[0]} slices at each position, and nothing in the files tells their volumes apart"
    elif uneven := [part for part in parts if not part.is_volume]:
        gaps = np.diff(uneven[0].order)
        why = f"slices {gaps.min():.3g} to {gaps.max():.3g} mm apart, which is no even volume"
    if why:
        raise ScanError(f"{why}; choose the files of one")
    if len(parts) == 1:
        return [group]
    return [
        FrameStack(part.frames, (*group.titles, f"{number} of {len(parts)} by InstanceNumber"))
        for number, part in enumerate(parts, 1)
    ]


def _step(stack: FrameStack) -> tuple[np.ndarray, list[str]]:
    """(3,) mm from a slice to the next, and notes where distances are uneven."""
    gaps = np.diff(stack.heights)
    gap = float(np.median(gaps))
    # Not the normal alone: under a tilted gantry each slice is also shifted within its plane.
    positions = np.array([frame.position for frame in stack.frames]) - stack.frames[0].position
    heights = stack.heights - stack.heights[0]
    slope = positions[-1] / heights[-1]
    missing = _missing(gaps)
    notes = []
    if missing > 0:
        notes = [f"Slices missing: {missing} of {len(gaps) + 1 + missing}; beyond a gap, positions in mm are off."]
    elif np.abs(gaps - gap).max() > EVEN * gap:
        notes = [f"Slices are {gaps.min():.3g} to {gaps.max():.3g} mm apart; {gap:.3g} mm is assumed for all."]
    off = np.linalg.norm(positions - np.outer(heights, slope), axis=1).max()
    if off > np.nanmin([*stack.frames[0].spacing, np.inf]):
        notes.append(f"Slices are shifted by up to {off:.3g} mm within their plane; they are drawn one above another.")
    return slope * gap, notes
