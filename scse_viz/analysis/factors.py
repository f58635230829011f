"""What a block multiplies its features by."""

from collections.abc import Mapping

import numpy as np

from scse_viz.analysis.gates import BlockGates


def mean_factors(gates: Mapping[str, BlockGates]) -> dict[str, float]:
    """The mean factor of every block that has a gate: cSE mean(c), sSE mean(s), scSE mean(c + s) = mean(c) + mean(s).

    Of blocks that add their halves, or have one; 1 where both gates of scSE are at 0.5.
    """
    return {
        block: sum(float(getattr(of_block, kind).mean()) for kind in of_block.kinds)
        for block, of_block in gates.items()
        if of_block.kinds
    }


def spread_over(weights: np.ndarray, count: int) -> list[int]:
    """Channels (C,) spread evenly from the lowest weight to the highest, `count` of them or all."""
    order = np.argsort(weights, kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int))
    return [int(channel) for channel in order[places]]


def strongest_terms(kernel: np.ndarray, features: np.ndarray, count: int) -> list[int]:
    """The channels whose term w_k u_k varies most over the pixels, in order: kernel (C,), features (C, h, w)."""
    spread = np.abs(kernel) * features.std(axis=(1, 2))
    return sorted(int(channel) for channel in np.argsort(-spread, kind="stable")[:count])
