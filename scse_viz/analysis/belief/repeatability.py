"""Repeatability: is a map the same when only what should not matter differs?

Correlations within a group, of maps that should be alike, stand against those between groups, of maps of other slices
or other persons, which share no more than that all are of heads.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from scse_viz.analysis.agreement import correlations, rank_correlations


def likeness(first: np.ndarray, second: np.ndarray, counted: np.ndarray | None = None) -> float:
    """How alike two maps (h, w) are, Pearson's r over the counted pixels, or two channel gates (C,), Spearman's rho.

    -1 to 1; 0 where one of the two is constant and the other is not, nan where both are.
    """
    if first.ndim == 1:
        correlation = rank_correlations([first, second])[0, 1]
    else:
        where = ... if counted is None else counted
        correlation = correlations([first[where].ravel(), second[where].ravel()])[0, 1]
    constant = [values.min() == values.max() for values in (first, second)]
    return 0.0 if np.isnan(correlation) and not all(constant) and first.shape == second.shape else float(correlation)


def within_and_between(
    groups: Sequence[Sequence[np.ndarray]], counted: np.ndarray | None = None
) -> tuple[float, float]:
    """Maps by group -> the mean likeness of pairs of one group, and of pairs of two; nan where there are none."""
    within = [likeness(first, second, counted) for group in groups for first, second in combinations(group, 2)]
    between = [
        likeness(first, second, counted)
        for some, further in combinations(groups, 2)
        for first in some
        for second in further
        if first.shape == second.shape
    ]
    return _mean(within), _mean(between)


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")
