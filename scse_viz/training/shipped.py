"""What the trainings of the shipped networks share: their cards, the random numbers of a step, and the command."""

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Generator, Tensor

from scse_viz.blocks import VARIANTS
from scse_viz.models import ARCHITECTURES
from scse_viz.scans import PLANES
from scse_viz.training.engine.loop import Phase, train
from scse_viz.training.engine.losses import median_frequency_weights
from scse_viz.zoo import Card
from scse_viz.zoo.structures import ANATOMIES

Batch = tuple[Tensor, Tensor]
COUNTED = 100
"""Batches from which the frequencies of classes are taken."""


def card(anatomy: str, architecture: str, variant: str, widths: Mapping[str, tuple[int, ...]]) -> Card:
    """The card of a network of ours, before it has weights; widths by architecture."""
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
    )


def generator_of(phases: Sequence[Phase], phase: Phase, seed: int, step: int) -> Generator:
    """The random numbers of one step of a phase: the same for every network, and others in every step of all phases."""
    before = sum(earlier.schedule.steps for earlier in phases[: phases.index(phase)])
    return Generator().manual_seed(seed * 1_000_003 + before + step)


def class_weights(batch: Callable[[int], Batch], classes: int, power: float) -> Tensor:
    """Median-frequency weights (classes,) from the classes' frequencies in the first hundred batches."""
    counts = torch.zeros(classes)
    for step in range(COUNTED):
        counts += torch.bincount(batch(step)[1].view(-1), minlength=classes)
    return median_frequency_weights(counts, power=power)


def options_of(argv: list[str] | None, description: str | None, *, data: str, reference: str) -> argparse.Namespace:
    """The options of a training; `data` and `reference` say what these are. Sets torch's threads, makes the folder."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help=data)
    parser.add_argument("--reference", type=Path, required=True, help=f"{reference}, for the history files")
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoints and the log")
    parser.add_argument("--architecture", choices=list(ARCHITECTURES), default="unet")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=["none", "cse", "sse", "scse"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    return options


def train_phases(
    options: argparse.Namespace,
    phases: Sequence[Phase],
    card_of: Callable[[str, str], Card],
    batches: Callable[[Phase], Callable[[int], Batch]],
    weights: Callable[[Phase], Tensor],
    *,
    validation: Sequence[Batch],
    references: Tensor,
) -> None:
    """Train the variants of one architecture side by side through all phases; checkpoints stay in the run folder."""
    cards = [card_of(options.architecture, variant) for variant in options.variants]
    name = "-".join([cards[0].anatomy, options.architecture, *options.variants])
    logging.basicConfig(filename=options.run / f"{name}.log", level=logging.INFO, format="%(asctime)s %(message)s")
    models = {each.name: each.network(options.seed) for each in cards}
    for phase in phases:
        train(
            models,
            batches(phase),
            replace(phase.schedule, seed=options.seed),
            weights=weights(phase),
            validation=validation,
            references=references,
            checkpoint=options.run / f"{name}-{phase.name}.pt",
        )
