"""Repeatability: is a map the same when only what should not matter differs?

Correlations within a group, of maps that should be alike, stand against those between groups, of maps of other slices
or other persons, which share no more than that all are of heads.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from scse_viz.analysis.agreement import correlations, rank_correlations


def likeness(one: np.ndarray, other: np.ndarray, counted: np.ndarray | None = None) -> float:
    """How alike two maps (h, w) are, Pearson's r over the counted pixels, or two channel gates (C,), Spearman's rho.

    -1 to 1; 0 where one of the two is constant and the other is not, nan where both are.
    """
    if one.ndim == 1:
        found = rank_correlations([one, other])[0, 1]
    else:
        where = ... if counted is None else counted
        found = correlations([one[where].ravel(), other[where].ravel()])[0, 1]
    constant = [values.min() == values.max() for values in (one, other)]
    return 0.0 if np.isnan(found) and not all(constant) and one.shape == other.shape else float(found)


def within_and_between(
    groups: Sequence[Sequence[np.ndarray]], counted: np.ndarray | None = None
) -> tuple[float, float]:
    """Maps by group -> the mean likeness of pairs of one group, and of pairs of two; nan where there are none."""
    within = [likeness(one, other, counted) for group in groups for one, other in combinations(group, 2)]
    between = [
        likeness(one, other, counted)
        for some, others in combinations(groups, 2)
        for one in some
        for other in others
        if one.shape == other.shape
    ]
    return _mean(within), _mean(between)


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")
