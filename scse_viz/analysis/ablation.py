"""What a change did to an answer: pixels that changed, probability that moved, area and Dice of every structure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.agreement import rank_correlations, ranks
from scse_viz.analysis.segmentation import dice

SHUFFLINGS = 2000
LEAST = 3
"""Fewer pairs have no rank correlation worth a number."""


@dataclass(frozen=True, eq=False)
class Differences:
    """Two answers to one slice by class, (classes,) each: areas in cm², and the Dice of one with the other.

    Dice is nan for a class that is absent in both.
    """

    before: np.ndarray
    after: np.ndarray
    dice: np.ndarray

    @property
    def change(self) -> np.ndarray:
        """Areas after minus areas before, in cm²."""
        return self.after - self.before

    @property
    def percent(self) -> np.ndarray:
        """The change in percent of the area before; nan where a class was absent before."""
        share = np.full(len(self.before), np.nan)
        return 100 * np.divide(self.change, self.before, out=share, where=self.before > 0)


def differences(before: np.ndarray, after: np.ndarray, classes: int, pixel_area: float) -> Differences:
    """Labels (H, W) before and after a change -> what changed by class; pixel_area in mm²."""
    old, new = (np.bincount(labels.ravel(), minlength=classes) * (pixel_area / 100) for labels in (before, after))
    return Differences(old, new, dice(before, after, classes))


def changed_share(before: np.ndarray, after: np.ndarray) -> float:
    """Labels of one shape -> the share of pixels with another label, of those that are a structure in either: 0 to 1.

    A pixel whose label changed is a structure in one of the two, so 1 means that no such pixel kept its label; 0 also
    where neither finds any structure.
    """
    structure = np.count_nonzero((before > 0) | (after > 0))
    return float(np.count_nonzero(before != after) / structure) if structure else 0.0


def moved_probability(before: np.ndarray, after: np.ndarray) -> float:
    """Probabilities (classes, ...) -> how much of them went to other classes: 0 to 1.

    The total variation distance of each pixel, 1/2 sum |p - q|, averaged with the weight of the pixel's structures,
    1 - min(p, q) of the background: air that stays air has none. 0 where nothing is a structure.
    """
    distance = np.abs(before - after).sum(axis=0) / 2
    weight = 1 - np.minimum(before[0], after[0])
    total = float(weight.sum(dtype=np.float64))
    return float((distance * weight).sum(dtype=np.float64) / total) if total > 0 else 0.0


def mean_label_dice(found: np.ndarray, truth: np.ndarray, labels: Sequence[int]) -> float:
    """Dice with a person's labels, the mean over those of `labels` that occur in either; nan where none does.

    found and truth: numbers of the labels, and 0, of one shape.
    """
    scores = dice(found, truth, 1 + max(labels))[list(labels)]
    known = scores[~np.isnan(scores)]
    return float(known.mean()) if len(known) else np.nan


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rho of pairs (N,), -1 to 1; nan for fewer than three pairs, and where either is constant."""
    return float(rank_correlations([np.asarray(x), np.asarray(y)])[0, 1]) if len(x) >= LEAST else np.nan


def chance(x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> float:
    """How often pairs at random have a rho as far from 0: the two-sided p of a permutation test, above 0 to 1.

    (1 + shufflings as extreme) / (1 + shufflings); nan where there is no rho. Phipson and Smyth, Statistical
    Applications in Genetics and Molecular Biology 2010.
    """
    found = spearman(x, y)
    if np.isnan(found):
        return np.nan
    generator = np.random.default_rng(seed)
    one, other = (_standard_ranks(np.asarray(values)) for values in (x, y))
    shuffled = generator.permuted(np.tile(other, (SHUFFLINGS, 1)), axis=1)
    extreme = np.abs(shuffled @ one) >= abs(one @ other) - 1e-9
    return float((1 + np.count_nonzero(extreme)) / (1 + SHUFFLINGS))


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks with mean 0."""
    places = ranks(values)
    return places - places.mean()
