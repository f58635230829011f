"""Gates and errors: spatial gates of right and of wrong pixels, and by the entropy of the prediction.

As in `structures`, the slice is brought to the grid of a map: how many right and wrong pixels, or pixels of every
decile of entropy, a pixel of the map covers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.agreement import mean_of, rank_correlations, ranks
from scse_viz.analysis.gates import BlockGates
from scse_viz.analysis.grids import areas, map_span, sums_below

BINS = 256
"""Bins of a histogram of gates over 0 to 1."""
DECILES = 10
SURE = 0.99
"""Background of at least this probability does not count in the deciles: air, and the head around the brain."""
RIGHT, WRONG, NOT_JUDGED = 0, 1, -1


@dataclass(frozen=True, eq=False)
class ByError:
    """Spatial gates of right and of wrong pixels, counted by `pixels` (2,).

    `sums`: block -> (2,), the sum of the gate over these pixels; `histograms`: block -> (2, BINS), pixels by the
    value of the gate.
    """

    pixels: np.ndarray
    sums: Mapping[str, np.ndarray]
    histograms: Mapping[str, np.ndarray]

    def means(self, block: str) -> np.ndarray:
        """Mean gate (2,) of right and wrong pixels; nan where there are none."""
        return _ratio(self.sums[block], self.pixels)

    def auc(self, block: str) -> float:
        """How well the gate tells wrong pixels from right ones: see the function `auc`."""
        return auc(self.histograms[block])


@dataclass(frozen=True, eq=False)
class ByEntropy:
    """Spatial gates by the entropy of a prediction, in deciles of its pixels: `pixels` and `entropies` (10,) are sums.

    `sums`: block -> (10,), the sum of the gate over the pixels of each decile; `spearman`: block -> rank correlation,
    over the pixels of its map, of the gate and the mean entropy below.
    """

    pixels: np.ndarray
    entropies: np.ndarray
    sums: Mapping[str, np.ndarray]
    spearman: Mapping[str, float]

    def means(self, block: str) -> np.ndarray:
        """Mean gate (10,) of the deciles; nan for an empty one, which many equal values can leave."""
        return _ratio(self.sums[block], self.pixels)

    @property
    def mean_entropies(self) -> np.ndarray:
        """Mean entropy (10,) of the deciles."""
        return _ratio(self.entropies, self.pixels)


def verdicts(predicted: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Labels of one numbering, predicted and reference (H, W) -> (H, W) int8: RIGHT, WRONG, or NOT_JUDGED.

    Every pixel is judged that is a structure in one of the two. Labels may name few structures: where both are 0, all
    that is known is that the pixel is none of these.
    """
    judged = (predicted != 0) | (reference != 0)
    return np.where(judged, np.where(predicted == reference, RIGHT, WRONG), NOT_JUDGED).astype(np.int8)


def deciles(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Values (H, W) -> their deciles, 0 to 9, among those `counted` (H, W) bool; -1 elsewhere. int8.

    Equal values share a decile, that of their mean rank, so deciles are of unequal size where many values are equal.
    """
    tenths = np.full(values.shape, -1, dtype=np.int8)
    below = ranks(values[counted]) - 1
    tenths[counted] = np.floor(below / max(len(below), 1) * DECILES)
    return tenths


def auc(histograms: np.ndarray) -> float:
    """The probability that a wrong pixel has a higher gate than a right one, ties counted half: (2, BINS) -> 0 to 1.

    The area under the ROC curve of "the gate is high" as a test for error: at 0.5 the gate says nothing about error,
    above it gates are higher where the prediction is wrong, below it lower. nan where one kind is missing.
    Mann and Whitney, Annals of Mathematical Statistics 1947.
    """
    right, wrong = np.asarray(histograms, dtype=np.float64)
    pairs = right.sum() * wrong.sum()
    if not pairs:
        return float("nan")
    lower = np.cumsum(right) - right  # right pixels of a lower gate
    return float((wrong * (lower + right / 2)).sum() / pairs)


def by_error(gates: Mapping[str, BlockGates], verdict: np.ndarray, slice_mm: tuple[float, float]) -> ByError:
    """Gates by block and the verdicts (H, W) of a slice -> the gates by error; slice_mm as in `map_span`."""
    sums, histograms = {}, {}
    for block, gate, span in _spatial(gates, slice_mm):
        covered = areas(verdict, 2, gate.shape, span)  # RIGHT, WRONG
        sums[block] = (covered * gate).sum(axis=(1, 2))
        bins = np.clip((gate * BINS).astype(int), 0, BINS - 1).ravel()
        histograms[block] = np.stack([np.bincount(bins, weights=area.ravel(), minlength=BINS) for area in covered])
    return ByError(np.array([(verdict == RIGHT).sum(), (verdict == WRONG).sum()]), sums, histograms)


def by_entropy(
    gates: Mapping[str, BlockGates], entropy: np.ndarray, counted: np.ndarray, slice_mm: tuple[float, float]
) -> ByEntropy:
    """Gates by block and the entropy (H, W) of a slice -> the gates by decile; slice_mm as in `map_span`.

    Pixels that are not `counted` (H, W) are left out; the rank correlation leaves out the pixels of a map of which less
    than half is counted.
    """
    tenths = deciles(entropy, counted)
    sums, spearman = {}, {}
    for block, gate, span in _spatial(gates, slice_mm):
        covered = areas(tenths, DECILES, gate.shape, span)
        sums[block] = (covered * gate).sum(axis=(1, 2))
        below = sums_below(np.where(counted, entropy, 0), gate.shape, span)
        area = covered.sum(axis=0)
        enough = area >= span[0] * span[1] / 2
        pairs = [gate[enough], below[enough] / area[enough]]
        spearman[block] = float(rank_correlations(pairs)[0, 1]) if enough.any() else np.nan
    pixels = np.bincount(tenths[counted], minlength=DECILES)
    return ByEntropy(pixels, np.bincount(tenths[counted], weights=entropy[counted], minlength=DECILES), sums, spearman)


def pooled_errors(slices: Sequence[ByError]) -> ByError:
    """Several slices as one: their pixels together."""
    return ByError(
        np.sum([part.pixels for part in slices], axis=0),
        _summed([part.sums for part in slices]),
        _summed([part.histograms for part in slices]),
    )


def pooled_entropies(slices: Sequence[ByEntropy]) -> ByEntropy:
    """Several slices as one: the pixels of every decile together, and the mean of the slices' correlations."""
    blocks = list(slices[0].spearman)
    correlations = [np.array([part.spearman[block] for block in blocks]) for part in slices]
    return ByEntropy(
        np.sum([part.pixels for part in slices], axis=0),
        np.sum([part.entropies for part in slices], axis=0),
        _summed([part.sums for part in slices]),
        dict(zip(blocks, mean_of(correlations).tolist(), strict=True)),
    )


def counted_pixels(labels: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """The pixels whose entropy counts: labels and confidence (H, W) of a prediction -> (H, W) bool.

    All but background (0) with a probability of `SURE` or more.
    """
    return (labels != 0) | (confidence < SURE)


def _spatial(
    gates: Mapping[str, BlockGates], slice_mm: tuple[float, float]
) -> Iterator[tuple[str, np.ndarray, tuple[float, float]]]:
    """Every block with a spatial gate: its name, the gate, and the span of the map's pixels."""
    for block, of_block in gates.items():
        if (gate := of_block.pixel_gate) is not None:
            yield block, gate, map_span(of_block, slice_mm)


def _summed(slices: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The sum of arrays over slices, block by block."""
    return {block: np.sum([arrays[block] for arrays in slices], axis=0) for block in slices[0]}


def _ratio(total: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return np.divide(total, pixels, out=np.full(len(pixels), np.nan), where=pixels > 0)
