"""Gates by structure: mean spatial gates inside structures, and channel weights of slices with and without one.

A map has fewer pixels than its slice. The map is not interpolated; instead the structures are brought to its grid: a
pixel (i, j) of the map covers a_k(i, j) pixels of structure k, fractions included, and the mean of a gate g inside the
structure is sum g a_k / sum a_k over the map.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.gates import BlockGates
from scse_viz.analysis.grids import areas, map_span

LEAST_PIXELS = 20
"""A structure of fewer pixels of the slice has no mean: one or two pixels of a coarse map would decide it."""


@dataclass(frozen=True, eq=False)
class ByStructure:
    """The gates of one slice by structure; `pixels` (K,): how many of every class the slice has.

    `sums`: block -> (K,), the sum of the spatial gate over the pixels of every class; `weights`: block -> (C,), the
    channel gate.
    """

    pixels: np.ndarray
    sums: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Profile:
    """Channel weights (C,) over slices, mean and standard deviation: `present` with a structure, `absent` without it.

    `slices` counts both; the standard deviation is that of n - 1, nan for fewer than two slices.
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
        """Standard error of the difference, with slices assumed independent: sqrt(s1^2 / n1 + s2^2 / n2), (C,)."""
        (_, with_structure), (_, without) = self.present, self.absent
        return np.sqrt(with_structure**2 / self.slices[0] + without**2 / self.slices[1])


def by_structure(
    gates: Mapping[str, BlockGates], labels: np.ndarray, classes: int, slice_mm: tuple[float, float]
) -> ByStructure:
    """Gates by block and the labels (H, W) of a slice -> the gates by structure; slice_mm: of a pixel of labels."""
    sums, weights, covered = {}, {}, {}
    for block, of_block in gates.items():
        if (gate := of_block.pixel_gate) is not None:
            shape, span = gate.shape, map_span(of_block, slice_mm)
            if (shape, span) not in covered:  # the same for all maps of one resolution
                covered[shape, span] = areas(labels, classes, shape, span)
            sums[block] = (covered[shape, span] * gate).sum(axis=(1, 2))
        if of_block.channel_gate is not None:
            weights[block] = of_block.channel_gate
    return ByStructure(np.bincount(labels.ravel(), minlength=classes), sums, weights)


def mean_gates(slices: Sequence[ByStructure], blocks: Sequence[str], least: int = LEAST_PIXELS) -> np.ndarray:
    """Mean spatial gate of the blocks inside every class, over all pixels of the slices -> (K, len(blocks)).

    nan for a class of fewer than `least` pixels in all slices together, and for a block without a spatial gate.
    """
    pixels = np.sum([part.pixels for part in slices], axis=0)
    enough = pixels >= max(least, 1)
    means = np.full((len(pixels), len(blocks)), np.nan)
    means[enough] = _sums(slices, blocks)[enough] / pixels[enough, None]
    return means


def slice_means(slices: Sequence[ByStructure], blocks: Sequence[str]) -> np.ndarray:
    """Mean spatial gate of the blocks over all pixels of the slices -> (len(blocks),), nan without a spatial gate."""
    return _sums(slices, blocks).sum(axis=0) / np.sum([part.pixels for part in slices])


def profile(slices: Sequence[ByStructure], block: str, structure: int, least: int = LEAST_PIXELS) -> Profile | None:
    """Channel weights of a block in slices that contain a structure against those in slices without it.

    Slices with some pixels of it, but fewer than `least`, are left out. None where slices of one kind are missing.
    """
    pixels = np.array([part.pixels[structure] for part in slices])
    weights = np.stack([part.weights[block] for part in slices]).astype(np.float64)  # (N, C)
    present, absent = weights[pixels >= least], weights[pixels == 0]
    if not len(present) or not len(absent):
        return None
    return Profile(_mean_and_spread(present), _mean_and_spread(absent), (len(present), len(absent)))


def _sums(slices: Sequence[ByStructure], blocks: Sequence[str]) -> np.ndarray:
    """The sums of spatial gates over all slices, (K, len(blocks)); nan for a block that some slice lacks."""
    nothing = np.full(len(slices[0].pixels), np.nan)
    return np.sum([[part.sums.get(block, nothing) for block in blocks] for part in slices], axis=0).T


def _mean_and_spread(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spread = weights.std(axis=0, ddof=1) if len(weights) > 1 else np.full(weights.shape[1], np.nan)
    return weights.mean(axis=0), spread
