"""How far networks agree on one image: predictions by pixel, spatial gates as maps, channel gates as rankings.

Matrices are symmetric, in the order of the arguments; nan where a number is not defined for a pair.
"""

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement

import numpy as np

from scse_viz.analysis.segmentation import dice

QUARTILE = 75
"""The percentile of a map above which its pixels count as its upper quarter."""


def pairwise_dice(predictions: Sequence[np.ndarray], classes: int) -> np.ndarray:
    """Dice of every class between each pair of segmentations: N label arrays of one shape -> (N, N, classes).

    nan for a class that is in neither, also on the diagonal.
    """
    return _pairs(predictions, lambda first, second: dice(first, second, classes), (classes,))


def mean_dice(scores: np.ndarray) -> np.ndarray:
    """Dice (..., classes) -> (...): its mean over the structures that occur, background (class 0) left out."""
    return mean_of([*np.moveaxis(scores[..., 1:], -1, 0)])


def disagreement(predictions: np.ndarray) -> np.ndarray:
    """How many networks differ from the most common prediction: labels (N, H, W) -> (H, W), 0 to N - 1."""
    return len(predictions) - _supporters(predictions).max(axis=0)


def outvoted(predictions: np.ndarray) -> np.ndarray:
    """Where a network's prediction is not the single most common one: labels (N, H, W) -> (N, H, W) bool.

    Where two classes are predicted equally often, no network is in the majority and all that predict either are marked.
    """
    supporters = _supporters(predictions)
    most = supporters.max(axis=0)
    # A single winner with k votes is counted k times among the N; several winners more often.
    tied = (supporters == most).sum(axis=0) > most
    return (supporters < most) | tied


def contested_share(predictions: np.ndarray) -> float:
    """Pixels on which networks disagree, as a share of those that any of them segments: labels (N, H, W) -> 0 to 1.

    0 where no network segments anything; class 0 is background.
    """
    segmented = np.count_nonzero((predictions > 0).any(axis=0))
    return float(np.count_nonzero(disagreement(predictions)) / segmented) if segmented else 0.0


def correlations(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Pearson's r over the pixels of each pair of maps: N arrays (h, w) -> (N, N) in -1 to 1.

    nan for a map that is constant, and for two of different shapes.
    """
    return _pairs(maps, _pearson)


def quartile_overlaps(maps: Sequence[np.ndarray]) -> np.ndarray:
    """Overlap of the upper quarters of each pair of maps: N arrays (h, w) -> (N, N) in 0 to 1.

    |A and B| / |A or B| of the pixels above each map's own 75th percentile: two random maps score 1/7, about 0.14.
    nan where no pixel lies above it, as in a constant map, and for two maps of different shapes.
    """
    return _pairs([values > np.percentile(values, QUARTILE) for values in maps], _intersection_over_union)


def rank_correlations(weights: Sequence[np.ndarray]) -> np.ndarray:
    """Spearman's rho over the channels of each pair of gates: N arrays (C,) -> (N, N) in -1 to 1.

    Pearson's r of the ranks, equal weights sharing their mean rank. nan for weights that are all equal, and for two
    gates of different numbers of channels. Spearman, American Journal of Psychology 1904.
    """
    return correlations([ranks(values) for values in weights])


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values sharing the mean of theirs: (N,) -> (N,)."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def mean_of(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of arrays of one shape, entry by entry, over those that are not nan; nan where all are."""
    stacked = np.stack(matrices)
    counts = (~np.isnan(stacked)).sum(axis=0)
    return np.divide(np.nansum(stacked, axis=0), counts, out=np.full(counts.shape, np.nan), where=counts > 0)


def _pairs(
    arrays: Sequence[np.ndarray], measure: Callable[[np.ndarray, np.ndarray], object], shape: tuple[int, ...] = ()
) -> np.ndarray:
    """A symmetric measure of every pair, an array with itself included: N arrays -> (N, N, *shape)."""
    matrix = np.full((len(arrays), len(arrays), *shape), np.nan)
    for row, column in combinations_with_replacement(range(len(arrays)), 2):
        matrix[row, column] = matrix[column, row] = measure(arrays[row], arrays[column])
    return matrix


def _supporters(predictions: np.ndarray) -> np.ndarray:
    """How many networks, itself included, predict what a network predicts: labels (N, H, W) -> (N, H, W)."""
    return np.stack([(predictions == labels).sum(axis=0) for labels in predictions])


def _pearson(first: np.ndarray, second: np.ndarray) -> float:
    if first.shape != second.shape or first.min() == first.max() or second.min() == second.max():
        return np.nan
    return float(np.corrcoef(first.ravel().astype(np.float64), second.ravel().astype(np.float64))[0, 1])


def _intersection_over_union(first: np.ndarray, second: np.ndarray) -> float:
    if first.shape != second.shape or not (first.any() and second.any()):
        return np.nan
    return float(np.count_nonzero(first & second) / np.count_nonzero(first | second))
