"""A plane slice by slice: its segmentation against manual labels, and numbers of its gates as tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.segmentation import dice, volumes_ml


@dataclass(frozen=True, eq=False)
class LabelAgreement:
    """A segmentation against reference labels, by class (K,): volumes in ml, and Dice, nan for a class in neither."""

    predicted_ml: np.ndarray
    reference_ml: np.ndarray
    dice: np.ndarray


def label_agreement(
    predicted: np.ndarray, reference: np.ndarray, done: np.ndarray, voxel_mm3: float, classes: int
) -> LabelAgreement:
    """Two label arrays (N, H, W) -> how they agree over the slices that are `done` (N,); numbers below `classes`."""
    predicted, reference = predicted[done], reference[done]
    predicted_ml, reference_ml = (volumes_ml(labels, voxel_mm3, classes) for labels in (predicted, reference))
    return LabelAgreement(predicted_ml, reference_ml, dice(predicted, reference, classes))


def by_block(numbers: Mapping[tuple[str, str], np.ndarray], blocks: Sequence[str], kind: str, count: int) -> np.ndarray:
    """Numbers of gates by slice, (block, kind) -> (N,), as a table (B, N) of one kind; nan where a block has none."""
    nothing = np.full(count, np.nan)
    return np.stack([numbers.get((block, kind), nothing) for block in blocks])


def from_mean(table: np.ndarray) -> np.ndarray:
    """Numbers (B, N) -> their deviations from the mean of their row; nan is ignored and kept."""
    return table - _of_rows(table, np.nanmean)


def of_largest(table: np.ndarray) -> np.ndarray:
    """Numbers (B, N), not negative -> their shares of the largest of their row; 0 where all are 0, nan stays."""
    largest = _of_rows(table, np.nanmax)
    return np.where(np.isnan(table), np.nan, np.divide(table, largest, out=np.zeros_like(table), where=largest > 0))


def _of_rows(table: np.ndarray, number: Callable[..., np.ndarray]) -> np.ndarray:
    """One number a row, (B, 1); nan for a row of nan alone."""
    numbers = np.full((len(table), 1), np.nan)
    some = np.isfinite(table).any(axis=1)
    numbers[some, 0] = number(table[some], axis=1)
    return numbers
