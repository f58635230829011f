"""A segmentation of many slices against labels: volumes and Dice by structure, over the slices that there are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.segmentation import dice, volumes_ml


@dataclass(frozen=True, eq=False)
class LabelAgreement:
    """By label number, (K,): volumes in ml, and Dice, nan where a label is in neither."""

    found_ml: np.ndarray
    truth_ml: np.ndarray
    dice: np.ndarray


def agreement(found: np.ndarray, truth: np.ndarray, done: np.ndarray, voxel_mm3: float, classes: int) -> LabelAgreement:
    """Two label arrays (N, H, W) -> how they agree over the slices that are `done` (N,); numbers below `classes`."""
    found, truth = found[done], truth[done]
    return LabelAgreement(
        volumes_ml(found, voxel_mm3, classes), volumes_ml(truth, voxel_mm3, classes), dice(found, truth, classes)
    )


def by_block(numbers: Mapping[tuple[str, str], np.ndarray], blocks: Sequence[str], kind: str, count: int) -> np.ndarray:
    """Numbers of gates by slice, (block, kind) -> (N,), of one kind as a table (B, N), nan for none."""
    nothing = np.full(count, np.nan)
    return np.stack([numbers.get((block, kind), nothing) for block in blocks])


def from_mean(table: np.ndarray) -> np.ndarray:
    """Numbers (B, N) -> each less the mean of its row; nan is left out, and stays."""
    return table - _of_rows(table, np.nanmean)


def of_largest(table: np.ndarray) -> np.ndarray:
    """Numbers (B, N), not negative -> each as a share of the largest of its row, 0 where all are 0."""
    largest = _of_rows(table, np.nanmax)
    return np.where(np.isnan(table), np.nan, np.divide(table, largest, out=np.zeros_like(table), where=largest > 0))


def _of_rows(table: np.ndarray, number: Callable[..., np.ndarray]) -> np.ndarray:
    """One number for each row that has any, (B, 1); nan for the others."""
    found = np.full((len(table), 1), np.nan)
    some = np.isfinite(table).any(axis=1)
    found[some, 0] = number(table[some], axis=1)
    return found
