"""Gates by structure: the mean of a spatial gate inside each, and channel weights of slices with and without one.

A map has fewer pixels than the slice it lies over. So the structures are brought to the map and not the map to them: a
pixel (i, j) of the map holds a_k(i, j) pixels of structure k, parts of pixels counted as such, and the mean of a gate g
inside the structure is sum g a_k / sum a_k over the map. No value of a gate is made up between two others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.gates import BlockGates
from scse_viz.analysis.grids import overlaps

LEAST_PIXELS = 20
"""A structure of fewer pixels of the slice gives no mean: they would be those of one or two pixels of a coarse map."""


@dataclass(frozen=True, eq=False)
class ByStructure:
    """The gates of one slice by structure; `pixels` (K,) of every class in the slice.

    `sums`: block -> (K,), the sum of the spatial gate over the pixels of every class; `weights`: block -> (C,), the
    channel gate.
    """

    pixels: np.ndarray
    sums: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Profile:
    """Channel weights (C,) over slices, mean and standard deviation: `present` with a structure, `absent` without it.

    `slices` says how many there are of each; a standard deviation is that of n - 1, nan for fewer than two slices.
    """

    present: tuple[np.ndarray, np.ndarray]
    absent: tuple[np.ndarray, np.ndarray]
    slices: tuple[int, int]

    @property
    def difference(self) -> np.ndarray:
        """Mean weight with the structure minus mean weight without it, (C,) in -1 to 1."""
        return self.present[0] - self.absent[0]

    @property
    def standard_error(self) -> np.ndarray:
        """Of the difference, as if slices were independent: sqrt(s1^2 / n1 + s2^2 / n2), (C,)."""
        (_, one), (_, other) = self.present, self.absent
        return np.sqrt(one**2 / self.slices[0] + other**2 / self.slices[1])


def map_span(gates: BlockGates, slice_mm: tuple[float, float]) -> tuple[float, float]:
    """How many pixels of the slice a pixel of a block's map spans (rows, columns); slice_mm: the size of the former."""
    return gates.map_mm[0] / slice_mm[0], gates.map_mm[1] / slice_mm[1]


def sums_below(values: np.ndarray, shape: tuple[int, int], span: tuple[float, float]) -> np.ndarray:
    """The sum of values over the pixels of a slice that every pixel of a map covers, parts included: (H, W) -> (h, w).

    shape (h, w) and span are of the map, span in pixels of the slice (rows, columns) from its top left. What of the map
    lies beyond the slice, as its padding does, covers nothing.
    """
    rows = overlaps(shape[0], span[0], values.shape[0], 1)
    columns = overlaps(shape[1], span[1], values.shape[1], 1)
    return rows @ values @ columns.T


def areas(regions: np.ndarray, count: int, shape: tuple[int, int], span: tuple[float, float]) -> np.ndarray:
    """How many pixels of each region of a slice every pixel of a map holds: (H, W) -> (count, h, w).

    regions: numbers from 0; those below 0 and from `count` on are of no region. shape and span as in `sums_below`.
    """
    return np.stack([sums_below((regions == number).astype(np.float64), shape, span) for number in range(count)])


def by_structure(
    gates: Mapping[str, BlockGates], labels: np.ndarray, classes: int, slice_mm: tuple[float, float]
) -> ByStructure:
    """Gates by block and the labels (H, W) of a slice -> the gates by structure; slice_mm: of a pixel of labels."""
    sums, weights, held = {}, {}, {}
    for block, of_block in gates.items():
        if of_block.spatial_gate is not None:
            shape, span = of_block.spatial_gate.shape, map_span(of_block, slice_mm)
            if (shape, span) not in held:  # maps of one resolution hold the same
                held[shape, span] = areas(labels, classes, shape, span)
            sums[block] = (held[shape, span] * of_block.spatial_gate).sum(axis=(1, 2))
        if of_block.channel_gate is not None:
            weights[block] = of_block.channel_gate
    return ByStructure(np.bincount(labels.ravel(), minlength=classes), sums, weights)


def mean_gates(found: Sequence[ByStructure], blocks: Sequence[str], least: int = LEAST_PIXELS) -> np.ndarray:
    """Mean spatial gate of the blocks inside every class, over all pixels of the slices -> (K, len(blocks)).

    nan for a class of fewer than `least` pixels in all slices together, and for a block without a spatial gate.
    """
    pixels = np.sum([each.pixels for each in found], axis=0)
    means = np.full((len(pixels), len(blocks)), np.nan)
    for column, block in enumerate(blocks):
        if all(block in each.sums for each in found):
            total = np.sum([each.sums[block] for each in found], axis=0)
            enough = pixels >= max(least, 1)
            means[enough, column] = total[enough] / pixels[enough]
    return means


def slice_means(found: Sequence[ByStructure], blocks: Sequence[str]) -> np.ndarray:
    """Mean spatial gate of the blocks over all pixels of the slices -> (len(blocks),), nan without a spatial gate."""
    pixels = np.sum([each.pixels.sum() for each in found])
    return np.array(
        [
            np.sum([each.sums[block].sum() for each in found]) / pixels
            if all(block in each.sums for each in found)
            else np.nan
            for block in blocks
        ]
    )


def profile(found: Sequence[ByStructure], block: str, structure: int, least: int = LEAST_PIXELS) -> Profile | None:
    """Channel weights of a block in slices that contain a structure against those that hold none of it.

    Slices with some pixels of it, but fewer than `least`, are left out. None where there is no slice of one kind.
    """
    pixels = np.array([each.pixels[structure] for each in found])
    weights = np.stack([each.weights[block] for each in found]).astype(np.float64)  # (N, C)
    present, absent = weights[pixels >= least], weights[pixels == 0]
    if not len(present) or not len(absent):
        return None
    return Profile(_mean_and_spread(present), _mean_and_spread(absent), (len(present), len(absent)))


def _mean_and_spread(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spread = weights.std(axis=0, ddof=1) if len(weights) > 1 else np.full(weights.shape[1], np.nan)
    return weights.mean(axis=0), spread
