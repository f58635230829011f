"""Sorting DICOM frames: series -> volumes -> slices along their normal, and where they lie in mm.

Frames of one series that lie at the same positions are several volumes: they are told apart by what their headers say
(TRAITS), else by their numbers, else they are refused. Nothing is mixed by guess, and every assumption is a note.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from scse_viz.scans.readers.contents import ScanError, plain_affine, possible_sides, usable
from scse_viz.scans.readers.dicom_traits import CONTENTS, TIMES, TRAITS, Trait, said

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
EVEN = 0.1  # share of the slice distance by which a slice may be off its position
SAME = 1e-3  # how far direction cosines and, relatively, pixel sizes of one volume may differ
CROWDED = 1.5  # how much farther apart the slices of a volume are than those of several that lie between each other
MOST_DIRECTIONS = 1000  # in one series
ONE_POSITION = 0.01, 0.001  # shares of the stated and of the largest distance: nearer slices are at one position


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice of a file: where it lies and how its numbers become intensities."""

    source: Callable[[], bytes]
    index: int  # in its file
    shape: tuple[int, int]  # rows, columns
    series: str
    title: str  # of the series
    number: float  # of the file in its series; this and the next five are NaN where the file does not say
    in_stack: float  # number in its stack, among the frames of a file
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
    def placed(self) -> bool:
        """Whether the files say where its slices lie."""
        return bool(np.isfinite(self.heights).all())

    @cached_property
    def numbered(self) -> bool:
        """Whether the numbers of the files, and those in their stacks, say an order."""
        numbers = {(frame.number, frame.in_stack) for frame in self.frames}
        return len(numbers) > 1 and not np.isnan(list(numbers)).any()

    @cached_property
    def order(self) -> np.ndarray:
        """(N,) along the normal: heights, or, without positions, numbers of the files, or the order they came in."""
        if self.placed:
            return self.heights
        if not self.numbered:
            return np.arange(len(self.frames)) * self.frames[0].distance[0]
        numbers = [(frame.number, frame.in_stack) for frame in self.frames]
        return np.unique(numbers, axis=0, return_inverse=True)[1].ravel() * self.frames[0].distance[0]

    @cached_property
    def nearest(self) -> float:
        """The smallest distance between its slices in mm; infinite for a single one."""
        return float(np.diff(self.order).min(initial=np.inf))

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


def in_stack_order(frames: list[Frame]) -> list[Frame]:
    """Frames of one file, each with its number among those of equal contents and times.

    Where all say one position, they lie along their normal by these numbers.
    """
    first, before = frames[0], Counter[tuple]()
    if any(np.isnan(frame.in_stack) for frame in frames):
        for number, frame in enumerate(frames):
            alike = tuple(frame.traits[trait.title] for trait in (*CONTENTS, *TIMES))
            frames[number] = replace(frame, in_stack=before[alike])
            before[alike] += 1
    numbers = {frame.in_stack for frame in frames}
    if len(numbers) == 1 or np.ptp([frame.position for frame in frames], axis=0).max() != 0:
        return frames
    step, words = first.distance
    lowest, step_along = min(numbers), step * np.cross(*first.directions)
    note = f"The file gives one position for its {len(numbers)} slices; {words} is assumed as their distance."
    return [
        replace(frame, position=frame.position + (frame.in_stack - lowest) * step_along, spread_by=note)
        for frame in frames
    ]


def volumes(frames: Sequence[Frame]) -> tuple[list[FrameStack], list[str]]:
    """The volumes of the largest series, each in order along its normal, with notes on what was assumed."""
    series = _by_grid(frames)
    chosen = max(series, key=len)
    notes = []
    if len(series) > 1:
        size = f"{len(chosen)} slice{'s' * (len(chosen) > 1)}"
        notes = [f"{len(series)} series are in the file; the largest, {chosen[0].title} ({size}), was read."]
    groups = _told_apart(FrameStack.sorted(chosen))
    stacks = [volume for group in groups for volume in _by_number(group)]
    if len(stacks) > len(groups):
        notes.append("Nothing but InstanceNumber tells apart the volumes of this series; it gave their order.")
    return stacks, notes


def affine(stack: FrameStack, shape: tuple[int, int, int]) -> tuple[np.ndarray, bool, list[str]]:
    """Affine in RAS, whether the files say directions, and notes on what was assumed of the slices' distances."""
    first = stack.frames[0]
    thickness, words = first.distance
    step, notes = np.cross(*first.directions) * thickness, [first.spread_by] * bool(first.spread_by)
    if len(stack.frames) > 1 and stack.placed:
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
    coarse: dict[Hashable, list[Frame]] = defaultdict(list)
    for frame in frames:
        coarse[frame.series, frame.shape, bool(np.isfinite(frame.position).all())].append(frame)
    return [group for alike in coarse.values() for group in _by_direction(alike)]


def _by_direction(frames: list[Frame]) -> list[list[Frame]]:
    grids = np.nan_to_num([np.append(frame.directions, frame.spacing) for frame in frames], nan=-1)  # (N, 8)
    left, groups = np.arange(len(frames)), []
    while len(left):
        first = grids[left[0]]
        near = (np.abs(grids[left] - first) <= SAME * np.append(np.ones(6), np.abs(first[6:]))).all(axis=1)
        groups.append([frames[number] for number in left[near]])
        left = left[~near]
        if len(groups) > MOST_DIRECTIONS:
            raise ScanError(
                f"slices of over {MOST_DIRECTIONS:,} directions in one series; choose the files of a volume"
            )
    return groups


def _missing(gaps: np.ndarray) -> int:
    return int((gaps / np.median(gaps)).round().sum()) - len(gaps)


def _told_apart(group: FrameStack) -> list[FrameStack]:
    """The group split by the first trait that makes volumes of it, and each part again, until none does."""
    for trait in TRAITS:
        if len(parts := _parts(group, trait)) > 1:
            return [volume for part in parts for volume in _told_apart(part)]
    return [group]


def _parts(group: FrameStack, trait: Trait) -> list[FrameStack]:
    """The group split by a trait, where each part is a whole volume: equal counts of positions, more than one.

    What looks like one volume may be several whose slices lie between each other's, or have no positions.
    """
    by_value = defaultdict(list)
    for frame in group.frames:
        by_value[frame.traits[trait.title]].append(frame)
    if len(by_value) == 1 or (group.is_volume and not _may_be_several(group, trait, len(by_value))):
        return [group]
    shared = set.intersection(*(set(value or ()) for value in by_value))
    parts = [
        FrameStack.sorted(by_value[value], (*group.titles, said(trait, value, shared)))
        for value in sorted(by_value, key=lambda value: [(isinstance(part, str), part) for part in value or ()])
    ]
    sizes = {int(part.positions[-1]) for part in parts}
    whole = len(sizes) == 1 and (sizes != {0} or group.positions[-1] == 0)
    if group.is_volume:
        between = all(part.is_volume and part.nearest > CROWDED * group.nearest for part in parts)
        whole = between or not group.placed
    return parts if whole else [group]


def _may_be_several(group: FrameStack, trait: Trait, values: int) -> bool:
    """Whether a trait may split what looks like one volume, as far as its slices are nearer than the header says."""
    content = trait in CONTENTS
    if not group.placed:
        return content
    spacing, thickness = group.frames[0].distances.values()
    spaced = possible_sides(spacing)
    near = (spacing if spaced else thickness) > CROWDED * group.nearest
    if values == len(group.frames):
        return content and near
    return near or (content and not spaced)


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
