"""Measures of a network: overlap and distance of structures, cost, and a paired test of two networks."""

import math
import statistics
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from scse_viz.analysis import dice
from scse_viz.inference import LARGEST, cost, network_input, resampled, window
from scse_viz.scans import Scan, slice_grid, volume_of
from scse_viz.scans.samples import Group, in_groups, known_labels
from scse_viz.system.devices import beside
from scse_viz.training.engine.losses import NO_CLASS
from scse_viz.zoo import Card
from scse_viz.zoo.scores import Score

BATCH = 4
PERCENTILE = 95
PASSES = 25
"""Passes timed of each of two networks, alternating."""


def segment_volume(scan: Scan, model: nn.Module, card: Card, plane: str) -> np.ndarray:
    """Class numbers of a whole scan, slice by slice: (X, Y, Z) uint8."""
    return volume_of(segment(scan, model, card, plane, range(slice_grid(scan, plane).count)), plane)


def segment(scan: Scan, model: nn.Module, card: Card, plane: str, indices: Sequence[int]) -> np.ndarray:
    """Class numbers of slices, the same as `inference.segment_slices` gives, without gates: (N, H, W) uint8."""
    grid, levels = slice_grid(scan, plane), window(scan, card)
    together = max(1, min(BATCH, LARGEST // (grid.height * grid.width)))
    predictions = []
    for start in range(0, len(indices), together):
        x = network_input(scan, card, plane, indices[start : start + together], levels)
        with torch.inference_mode():
            logits = resampled(model(beside(x, model)), (grid.height, grid.width))
        predictions.append(logits.argmax(dim=1).cpu().numpy().astype(np.uint8))
    return np.concatenate(predictions)


def scores(
    labels: np.ndarray, reference: np.ndarray, groups: Sequence[Group], spacing: tuple[float, float, float]
) -> dict[str, Score]:
    """Group -> Dice and distance: `labels` class numbers, `reference` labels of groups (X, Y, Z), spacing in mm.

    Voxels whose reference is NO_CLASS count neither for a structure nor against it.
    """
    labels = np.where(reference == NO_CLASS, 0, labels)
    predicted, labelled = in_groups(labels, groups), known_labels(reference, groups)
    overlap = group_dice(labels, reference, groups)
    return {
        group.name: Score(
            dice=overlap[group.name],
            hd95_mm=_rounded(hausdorff95(predicted == group.label, labelled == group.label, spacing), 3),
        )
        for group in groups
    }


def group_dice(labels: np.ndarray, reference: np.ndarray, groups: Sequence[Group]) -> dict[str, float | None]:
    """Group -> Dice, None where neither has it: `labels` class numbers, `reference` labels of groups, of any shape."""
    last = max(group.label for group in groups)
    overlap = dice(in_groups(labels, groups), known_labels(reference, groups), last + 1)
    return {group.name: _rounded(float(overlap[group.label]), 4) for group in groups}


def hausdorff95(prediction: np.ndarray, reference: np.ndarray, spacing: tuple[float, float, float]) -> float | None:
    """95th percentile of the distances between two surfaces in mm, the larger of both directions; masks (X, Y, Z).

    None where a mask is empty. MONAI's.
    """
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance  # takes seconds to import

    if not (prediction.any() and reference.any()):
        return None
    first, second = (torch.from_numpy(mask)[None, None] for mask in (prediction, reference))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # MONAI 1.6 warns of its own call
        distance = compute_hausdorff_distance(
            first, second, include_background=True, percentile=PERCENTILE, spacing=spacing
        )
    return float(distance)


def paired_p(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """p of the two-sided Wilcoxon signed-rank test over common subjects; None for fewer than two.

    Wilcoxon, Biometrics Bulletin 1945.
    """
    differences = [first[subject] - second[subject] for subject in first if subject in second]
    if len(differences) < 2:
        return None
    if not any(differences):
        return 1.0
    return float(stats.wilcoxon(differences).pvalue)


def smallest_p(subjects: int) -> float:
    """The smallest p of the test: all differences of one sign, one of 2^n cases, on either side."""
    return min(1.0, 2.0 ** (1 - subjects))


def without_blocks(card: Card) -> Card:
    """The same network without blocks."""
    return replace(card, variant="none")


def parameters_added(card: Card) -> float:
    """Parameters that the blocks add, in percent of the network without them."""
    with_blocks, without = (cost.parameters(compared.network()) for compared in (card, without_blocks(card)))
    return 100 * (with_blocks / without - 1)


def multiply_adds(card: Card, size: tuple[int, int]) -> int:
    """Multiply-adds of one slice of `size` pixels; see `inference.cost`."""
    return cost.multiply_adds(card.network().eval(), torch.zeros(1, card.in_channels, *size))


def time_ratio(card: Card, size: tuple[int, int], passes: int) -> float:
    """Duration of a pass relative to the network without blocks: ratio of medians over alternating passes.

    On one thread, by the thread's own clock, which other processes do not advance. Weights do not matter.
    """
    x = torch.rand(1, card.in_channels, *size)
    models = [timed.network(seed=0).eval() for timed in (card, without_blocks(card))]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            for model in models:
                model(x)
            seconds = [[_seconds(model, x) for model in models] for _ in range(passes)]
    finally:
        torch.set_num_threads(threads)
    of_this, of_plain = (statistics.median(times) for times in zip(*seconds, strict=True))
    return of_this / of_plain


def _seconds(model: nn.Module, x: Tensor) -> float:
    start = time.thread_time()
    model(x)
    return time.thread_time() - start


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)
