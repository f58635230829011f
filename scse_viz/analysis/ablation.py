"""What an ablation, or any change of gates, did to a prediction: pixels, probability, area and Dice by structure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.agreement import rank_correlations, ranks
from scse_viz.analysis.segmentation import dice

SHUFFLES = 2000
LEAST_PAIRS = 3
"""A rank correlation of fewer pairs is meaningless."""


@dataclass(frozen=True, eq=False)
class Differences:
    """Two predictions of one slice by class, (classes,) each: areas in cm², and the Dice of one with the other.

    Dice is nan for a class that is in neither.
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
    """Labels of one shape -> changed pixels as a share of those that are a structure before or after, 0 to 1.

    A pixel whose label changed is a structure in one of the two, so 1 means that no such pixel kept its label. 0 also
    where there is no structure at all.
    """
    structure = np.count_nonzero((before > 0) | (after > 0))
    return float(np.count_nonzero(before != after) / structure) if structure else 0.0


def moved_probability(before: np.ndarray, after: np.ndarray) -> float:
    """Probabilities (classes, ...) -> the share of them that moved to other classes: 0 to 1.

    The total variation distance of every pixel, 1/2 sum |p - q|, averaged with the weight 1 - min(p, q) of the
    background, so that air that stays air does not count. 0 where nothing is a structure.
    """
    distance = np.abs(before - after).sum(axis=0) / 2
    weight = 1 - np.minimum(before[0], after[0])
    total = float(weight.sum(dtype=np.float64))
    return float((distance * weight).sum(dtype=np.float64) / total) if total > 0 else 0.0


def mean_label_dice(predicted: np.ndarray, reference: np.ndarray, labels: Sequence[int]) -> float:
    """Dice with reference labels, the mean over those of `labels` that occur in either; nan where none does.

    predicted and reference: label numbers, 0 elsewhere, of one shape.
    """
    scores = dice(predicted, reference, 1 + max(labels))[list(labels)]
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if len(defined) else np.nan


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rho of pairs (N,), -1 to 1; nan for fewer than three pairs, and where either is constant."""
    return float(rank_correlations([np.asarray(x), np.asarray(y)])[0, 1]) if len(x) >= LEAST_PAIRS else np.nan


def permutation_p(x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> float:
    """The two-sided p of a permutation test of Spearman's rho, above 0 to 1; nan where there is no rho.

    How often shuffled pairs have a rho as far from 0: (1 + such shuffles) / (1 + shuffles). Phipson and Smyth,
    Statistical Applications in Genetics and Molecular Biology 2010.
    """
    if np.isnan(spearman(x, y)):
        return np.nan
    generator = np.random.default_rng(seed)
    x_ranks, y_ranks = (_centred_ranks(np.asarray(values)) for values in (x, y))
    shuffled = generator.permuted(np.tile(y_ranks, (SHUFFLES, 1)), axis=1)
    extreme = np.abs(shuffled @ x_ranks) >= abs(x_ranks @ y_ranks) - 1e-9
    return float((1 + np.count_nonzero(extreme)) / (1 + SHUFFLES))


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks with mean 0."""
    return ranks(values) - (len(values) + 1) / 2
