"""What the recipes of the shipped networks share: cards, the random numbers of a step, the weights of classes."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Generator, Tensor

from scse_viz.models import SMP_UNET
from scse_viz.scans import PLANES
from scse_viz.training.engine.losses import NO_CLASS, Batch, median_frequency_weights
from scse_viz.training.engine.schedule import Phase
from scse_viz.zoo import Card
from scse_viz.zoo.structures import ANATOMIES

REDUCTIONS = {"scse-r16": 16, SMP_UNET: 16}
"""Variants and architectures whose blocks have other than C / 2 hidden units."""
NOTES = {
    "scse-max": "the larger of both halves, r = 2, as in the code of Roy et al.",
    "scse-r16": "scSE with r = 16, as in segmentation_models_pytorch",
    "soca": "covariances of at most 128 × 128 pixels: of a larger map, every k-th row and column",
    "nonlocal": "at most 32 × 32 pixels are looked at: of a larger map, means of k × k pixels",
    "ag": "gates on the four skip connections; bottleneck and decoder stages have none",
    SMP_UNET: "encoder tu-regnety_002 from random weights, with a squeeze and excitation in each of its blocks; scSE, "
    "where the decoder has it, has r = 16, and the first one of the last block never runs",
}
"""What a card says about a variant or an architecture beside its name."""
COUNTED = 100
"""Batches from which class frequencies are estimated."""


ENCODERS = {SMP_UNET: "tu-regnety_002"}
"""Architecture -> its encoder, where the name leaves it open. RegNetY has a squeeze and excitation in every block;
Radosavovic et al., Designing Network Design Spaces, CVPR 2020."""


def card(anatomy: str, architecture: str, variant: str, widths: Mapping[str, tuple[int, ...]]) -> Card:
    """The card of a shipped network before it has weights; widths by architecture."""
    return Card(
        name=f"{anatomy}-{architecture}-{variant}",
        anatomy=anatomy,
        architecture=architecture,
        variant=variant,
        widths=widths[architecture],
        structures=ANATOMIES[anatomy],
        planes=tuple(PLANES),
        parameters=0,
        sha256="",
        reduction=REDUCTIONS.get(architecture, REDUCTIONS.get(variant, 2)),
        encoder=ENCODERS.get(architecture, ""),
    )


def generator_of(phases: Sequence[Phase], phase: Phase, seed: int, step: int) -> Generator:
    """The random numbers of one step of a phase: the same for all networks, different in every step of all phases."""
    before = sum(earlier.schedule.steps for earlier in phases[: phases.index(phase)])
    return Generator().manual_seed(seed * 1_000_003 + before + step)


def class_weights(batch: Callable[[int], Batch], classes: int, power: float) -> Tensor:
    """Median-frequency weights (classes,), from the frequencies in the first hundred batches."""
    counts = torch.zeros(classes)
    for step in range(COUNTED):
        target = batch(step)[1]
        counts += torch.bincount(target[target != NO_CLASS], minlength=classes)
    return median_frequency_weights(counts, power=power)
