"""Groups of scans compared: effect size, correlation, outliers, and an order in which similar scans are adjacent."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

Z_95 = 1.959964
"""Standard deviations of a normal distribution within which 95 % lie."""
MAD_TO_SIGMA = 1.4826
OUTLYING = 3.5
"""Robust z beyond which a scan is an outlier: Iglewicz and Hoaglin 1993."""


@dataclass(frozen=True)
class GroupEffect:
    """An estimate with its 95 % interval; nan where there are too few values."""

    value: float
    low: float
    high: float


NO_EFFECT = GroupEffect(float("nan"), float("nan"), float("nan"))


def hedges_g(first: np.ndarray, second: np.ndarray) -> GroupEffect:
    """The difference of two means in standard deviations, first (N,) minus second (M,), corrected for small samples.

    Hedges 1981; the interval is the normal one, with the variance of Hedges and Olkin 1985.
    """
    n, m = len(first), len(second)
    if min(n, m) < 2:
        return NO_EFFECT
    pooled = ((n - 1) * np.var(first, ddof=1) + (m - 1) * np.var(second, ddof=1)) / (n + m - 2)
    if pooled == 0:
        return NO_EFFECT
    g = float(np.mean(first) - np.mean(second)) / sqrt(pooled) * (1 - 3 / (4 * (n + m) - 9))
    error = sqrt((n + m) / (n * m) + g**2 / (2 * (n + m)))
    return GroupEffect(g, g - Z_95 * error, g + Z_95 * error)


@dataclass(frozen=True)
class GroupSummary:
    """A group of scans: how many, their mean and standard deviation, and the effect against the reference group."""

    scans: int
    mean: float
    deviation: float
    effect: GroupEffect


def compared(values: Mapping[str, np.ndarray], reference: str) -> dict[str, GroupSummary]:
    """Each group (N,) against the reference, one of them, which has no effect; nan is left out."""
    kept = {group: numbers[np.isfinite(numbers)] for group, numbers in values.items()}
    return {
        group: GroupSummary(
            scans=len(numbers),
            mean=float(numbers.mean()) if len(numbers) else float("nan"),
            deviation=float(numbers.std(ddof=1)) if len(numbers) > 1 else float("nan"),
            effect=NO_EFFECT if group == reference else hedges_g(numbers, kept[reference]),
        )
        for group, numbers in kept.items()
    }


def correlation(x: np.ndarray, y: np.ndarray) -> GroupEffect:
    """Pearson's r of x (N,) and y (N,), pairs with nan left out; the interval by Fisher's z, from 4 pairs on."""
    given = np.isfinite(x) & np.isfinite(y)
    x, y = x[given], y[given]
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return NO_EFFECT
    r = float(np.clip(np.corrcoef(x, y)[0, 1], -1 + 1e-12, 1 - 1e-12))
    error = Z_95 / sqrt(len(x) - 3)
    return GroupEffect(r, float(np.tanh(np.arctanh(r) - error)), float(np.tanh(np.arctanh(r) + error)))


def robust_z(values: np.ndarray) -> np.ndarray:
    """How many robust standard deviations each value (N,) is from the median; 0 for all where half are equal."""
    median = np.nanmedian(values)
    deviation = MAD_TO_SIGMA * np.nanmedian(np.abs(values - median))
    return (values - median) / deviation if deviation else np.zeros(len(values))


def clustered(rows: np.ndarray) -> np.ndarray:
    """An order of the rows (N, C) in which similar ones are adjacent: the leaves of average linkage -> (N,)."""
    clusters = {number: [number] for number in range(len(rows))}
    squares = (rows**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * rows @ rows.T, 0))
    np.fill_diagonal(apart, np.inf)
    for _ in range(len(rows) - 1):
        first, second = sorted(divmod(int(np.argmin(apart)), len(rows)))
        sizes = len(clusters[first]), len(clusters[second])
        apart[first] = apart[:, first] = (sizes[0] * apart[first] + sizes[1] * apart[second]) / sum(sizes)
        apart[first, first] = np.inf
        apart[second] = apart[:, second] = np.inf
        clusters[first] += clusters.pop(second)
    return np.array([number for members in clusters.values() for number in members], int)
