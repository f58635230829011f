"""Channels of one block in order: by weight, and by how much their terms of a squeeze vary."""

import numpy as np


def ranked(weights: np.ndarray) -> np.ndarray:
    """Channel weights (C,) -> channels (C,) from the most to the least excited, the lower number first at a tie."""
    return np.argsort(-np.asarray(weights), kind="stable")


def spread_over(weights: np.ndarray, count: int) -> list[int]:
    """Channels (C,) spread evenly from the lowest weight to the highest, `count` of them or all."""
    order = np.argsort(weights, kind="stable")
    ranks = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int))
    return [int(channel) for channel in order[ranks]]


def strongest_terms(kernel: np.ndarray, features: np.ndarray, count: int) -> list[int]:
    """The channels whose term w_k u_k varies most over the pixels, in order: kernel (C,), features (C, h, w)."""
    spread = np.abs(kernel) * features.std(axis=(1, 2))
    return sorted(int(channel) for channel in np.argsort(-spread, kind="stable")[:count])
