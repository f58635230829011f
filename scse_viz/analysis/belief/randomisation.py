"""Randomisation: how much of a map is left when weights are redrawn.

A map that an untrained network shows as well comes from the picture and the architecture, not from what was learned.
Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018. Rank correlations count by their magnitude: an
untrained gate may be a negative of the trained one.
"""

from collections.abc import Sequence

import numpy as np

from scse_viz.analysis.ablation import spearman

COPIES = 20
"""Shifted or shuffled copies of the trained map that tell what chance gives."""
LEAST_SHIFT = 0.1
"""Of the sides of the map: a copy shifted by less is nearly the map itself."""


def survival(trained: np.ndarray, redrawn: Sequence[np.ndarray], counted: np.ndarray | None = None) -> float:
    """The mean |rho| of a map (h, w), or of weights (C,), with those of redrawn networks, 0 to 1.

    counted: the pixels (h, w) that are compared, by default all. A redrawn map that is constant keeps nothing: 0. nan
    where the trained one is constant.
    """
    kept = _counted(trained, counted)
    if kept.min() == kept.max():
        return float("nan")
    correlations = [abs(spearman(kept, _counted(drawn, counted))) for drawn in redrawn]
    return float(np.mean(np.nan_to_num(correlations)))


def survival_by_chance(trained: np.ndarray, counted: np.ndarray | None = None, *, seed: int = 0) -> float:
    """The mean |rho| of a map with copies of itself shifted in a circle, of weights (C,) with shuffled ones.

    A shifted copy is as smooth as the map, and shows nothing at its place. nan where the trained one is constant.
    """
    generator = np.random.default_rng(seed)
    if trained.ndim == 1:
        copies = [generator.permutation(trained) for _ in range(COPIES)]
    else:
        copies = [np.roll(trained, _shift(generator, trained.shape), axis=(0, 1)) for _ in range(COPIES)]
    return survival(trained, copies, counted)


def _shift(generator: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Rows and columns to shift by, neither less than LEAST_SHIFT of a side from either end."""
    return tuple(int(side * generator.uniform(LEAST_SHIFT, 1 - LEAST_SHIFT)) for side in shape)


def _counted(values: np.ndarray, counted: np.ndarray | None) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)[... if counted is None else counted].ravel()
