"""Gates and error: a spatial gate where a prediction is wrong against where it is right, or against its entropy.

As in `structures`, what is asked of the slice is brought to the grid of each map: how many wrong and right pixels, or
pixels of each decile of entropy, a pixel of the map holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.agreement import rank_correlations
from scse_viz.analysis.gates import BlockGates
from scse_viz.analysis.structures import areas, map_span, sums_below

BINS = 256
"""Of the histograms of a gate from 0 to 1."""
DECILES = 10
SURE = 0.99
"""Background of at least this probability is left out of the deciles: air, and the head around the brain."""
RIGHT, WRONG, NOT_JUDGED = 0, 1, -1


@dataclass(frozen=True, eq=False)
class ByError:
    """Spatial gates where a prediction is right and where it is wrong; `pixels` (2,) says how many there are.

    `sums`: block -> (2,), the sum of the gate over these pixels; `histograms`: block -> (2, BINS), how many pixels lie
    under a gate of each value.
    """

    pixels: np.ndarray
    sums: Mapping[str, np.ndarray]
    histograms: Mapping[str, np.ndarray]

    def means(self, block: str) -> np.ndarray:
        """Mean gate (2,) of right and wrong pixels; nan where there are none."""
        return _ratio(self.sums[block], self.pixels)

    def auc(self, block: str) -> float:
        """How well the gate tells wrong pixels from right ones, see `auc`."""
        return auc(self.histograms[block])


@dataclass(frozen=True, eq=False)
class ByEntropy:
    """Spatial gates by the entropy of a prediction, in deciles of its pixels: `pixels` and `entropies` (10,) are sums.

    `sums`: block -> (10,), the sum of the gate over the pixels of each decile; `spearman`: block -> rank correlation of
    the gate and the mean entropy below each pixel of its map.
    """

    pixels: np.ndarray
    entropies: np.ndarray
    sums: Mapping[str, np.ndarray]
    spearman: Mapping[str, float]

    def means(self, block: str) -> np.ndarray:
        """Mean gate (10,) of the deciles; nan for one without a pixel, as where values are equal."""
        return _ratio(self.sums[block], self.pixels)

    @property
    def mean_entropies(self) -> np.ndarray:
        """Mean entropy (10,) of the deciles."""
        return _ratio(self.entropies, self.pixels)


def verdicts(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Labels of one numbering, found and true (H, W) -> (H, W) int8: RIGHT, WRONG, or NOT_JUDGED.

    Judged is every pixel that one of the two gives to a structure: labels may name few structures, and where both say 0
    nothing is known but that it is none of them.
    """
    judged = (found != 0) | (truth != 0)
    return np.where(judged, np.where(found == truth, RIGHT, WRONG), NOT_JUDGED).astype(np.int8)


def deciles(values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Values (H, W) -> the decile of each, 0 to 9, among those `counted` (H, W) bool; -1 elsewhere. int8.

    Equal values share a decile, that of their mean rank, so deciles are of unequal size where many values are equal.
    """
    found = np.full(values.shape, -1, dtype=np.int8)
    _, places, counts = np.unique(values[counted], return_inverse=True, return_counts=True)
    below = (np.cumsum(counts) - counts / 2 - 0.5)[places]  # mean rank from 0
    found[counted] = np.floor(below / max(len(places), 1) * DECILES)
    return found


def auc(histograms: np.ndarray) -> float:
    """The chance that a wrong pixel has a higher gate than a right one, ties counted half: (2, BINS) -> 0 to 1.

    The area under the ROC curve of "the gate is high" as a test for error: 0.5 says that the gate knows nothing of
    error, above it gates are higher where the prediction is wrong, below it lower. nan where one kind is missing.
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
    for name, gate, span in _spatial(gates, slice_mm):
        held = areas(verdict, 2, gate.shape, span)  # RIGHT, WRONG
        sums[name] = (held * gate).sum(axis=(1, 2))
        place = np.clip((gate * BINS).astype(int), 0, BINS - 1).ravel()
        histograms[name] = np.stack([np.bincount(place, weights=each.ravel(), minlength=BINS) for each in held])
    return ByError(np.array([(verdict == RIGHT).sum(), (verdict == WRONG).sum()]), sums, histograms)


def by_entropy(
    gates: Mapping[str, BlockGates], entropy: np.ndarray, counted: np.ndarray, slice_mm: tuple[float, float]
) -> ByEntropy:
    """Gates by block and the entropy (H, W) of a slice -> the gates by decile; slice_mm as in `map_span`.

    Pixels that are not `counted` (H, W) are left out, of the rank correlation those of a map that are half empty.
    """
    tenths = deciles(entropy, counted)
    sums, spearman = {}, {}
    for name, gate, span in _spatial(gates, slice_mm):
        held = areas(tenths, DECILES, gate.shape, span)
        sums[name] = (held * gate).sum(axis=(1, 2))
        below = sums_below(np.where(counted, entropy, 0), gate.shape, span)
        pixels = held.sum(axis=0)
        full = pixels >= span[0] * span[1] / 2
        spearman[name] = (
            float(rank_correlations([gate[full], below[full] / pixels[full]])[0, 1]) if full.any() else np.nan
        )
    pixels = np.bincount(tenths[counted], minlength=DECILES)
    return ByEntropy(pixels, np.bincount(tenths[counted], weights=entropy[counted], minlength=DECILES), sums, spearman)


def of_all_errors(found: Sequence[ByError]) -> ByError:
    """Several slices as one: their pixels together."""
    return ByError(
        np.sum([each.pixels for each in found], axis=0),
        {block: np.sum([each.sums[block] for each in found], axis=0) for block in found[0].sums},
        {block: np.sum([each.histograms[block] for each in found], axis=0) for block in found[0].histograms},
    )


def of_all_entropies(found: Sequence[ByEntropy]) -> ByEntropy:
    """Several slices as one: the pixels of each decile of each slice together, and the mean of the correlations."""
    spearman = {block: [each.spearman[block] for each in found] for block in found[0].spearman}
    return ByEntropy(
        np.sum([each.pixels for each in found], axis=0),
        np.sum([each.entropies for each in found], axis=0),
        {block: np.sum([each.sums[block] for each in found], axis=0) for block in found[0].sums},
        {block: float(np.nanmean(each)) if not np.isnan(each).all() else np.nan for block, each in spearman.items()},
    )


def counted_pixels(labels: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """The pixels whose entropy counts: labels and confidence (H, W) of a prediction -> (H, W) bool.

    All but background (0) that the network gives a probability of `SURE` or more.
    """
    return (labels != 0) | (confidence < SURE)


def _spatial(
    gates: Mapping[str, BlockGates], slice_mm: tuple[float, float]
) -> Iterator[tuple[str, np.ndarray, tuple[float, float]]]:
    """Every block with a spatial gate: its name, the gate, and the span of the map's pixels."""
    for block, of_block in gates.items():
        if of_block.spatial_gate is not None:
            yield block, of_block.spatial_gate, map_span(of_block, slice_mm)


def _ratio(total: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return np.divide(total, pixels, out=np.full(len(pixels), np.nan), where=pixels > 0)
