"""Deletion and insertion: pixels are removed from the picture in the order of a map, or brought back in it.

If the map shows what the prediction of a structure rests on, removing its highest pixels first loses Dice quickly, and
bringing them back first regains it quickly. Petsiuk et al., "RISE", BMVC 2018, here with Dice in place of a class
probability.
"""

from collections.abc import Sequence

import numpy as np

SHARES = (0.0, 0.05, 0.15, 0.3, 0.5, 0.75, 1.0)
"""Shares of the pixels at which Dice is measured, closer where a good order loses most."""


def ranked(values: np.ndarray, counted: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Values (h, w) -> the place of every counted pixel in falling order, 0 first; -1 for pixels that do not count.

    Equal values, such as those under one pixel of a coarse map, come in random order.
    """
    positions = np.full(values.shape, -1)
    within = values[counted]
    shuffled = np.random.default_rng(seed).permutation(len(within))
    order = shuffled[np.argsort(-within[shuffled], kind="stable")]
    ranks = np.empty(len(within), dtype=int)
    ranks[order] = np.arange(len(within))
    positions[counted] = ranks
    return positions


def removed(positions: np.ndarray, share: float) -> np.ndarray:
    """The pixels (h, w) bool that come first in an order, as a share of those that count."""
    count = np.count_nonzero(positions >= 0)
    return (positions >= 0) & (positions < round(share * count))


def without(image: np.ndarray, substitute: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """An image (C, h, w) with the pixels that are gone (h, w) taken from a substitute (C, h, w)."""
    return np.where(gone, substitute, image)


def area(scores: Sequence[float], shares: Sequence[float] = SHARES) -> float:
    """The area under scores against shares by the trapezoidal rule, 0 to 1 for Dice."""
    heights = np.asarray(scores, dtype=np.float64)
    return float(np.diff(shares) @ (heights[1:] + heights[:-1]) / 2)


def gradient_magnitude(image: np.ndarray) -> np.ndarray:
    """The magnitude of the gradient of an image (h, w) by central differences: its edges."""
    return np.hypot(*np.gradient(image.astype(np.float64)))
