"""Shared by the commands that train the shipped networks: options, and the loop over phases."""

import argparse
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scse_viz.blocks import VARIANTS
from scse_viz.models import ALL_ARCHITECTURES
from scse_viz.system.devices import AUTO
from scse_viz.training.engine.loop import Stopped, Task, train
from scse_viz.training.engine.losses import Batch
from scse_viz.training.engine.machine import DEVICES, PRECISIONS, machine_for
from scse_viz.training.engine.schedule import Phase
from scse_viz.zoo import Card


def parser_of(description: str | None, *, data: str, reference: str) -> argparse.ArgumentParser:
    """The common options; `data` and `reference` describe these folders and files."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help=data)
    parser.add_argument("--reference", type=Path, required=True, help=f"{reference}, for the training histories")
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoints and log")
    parser.add_argument("--architecture", choices=ALL_ARCHITECTURES, default="unet")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=["none", "cse", "sse", "scse"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument(
        "--precision", choices=(AUTO, *PRECISIONS), default=AUTO, help="auto: the quicker on this machine"
    )
    parser.add_argument("--threads", type=int, default=1, help="torch threads of each network")
    parser.add_argument("--parallel", type=int, default=1, help="networks trained in parallel")
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare batches")
    return parser


def options_of(parser: argparse.ArgumentParser, argv: list[str] | None) -> argparse.Namespace:
    """The parsed options; sets torch's threads and creates the run folder."""
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    return options


@dataclass(frozen=True, eq=False)
class Course:
    """A training of several variants side by side: `phases` one after another, each with its batches and weights."""

    phases: Sequence[Phase]
    card_of: Callable[[str, str], Card]
    batches: Callable[[Phase], Callable[[int], Batch]]
    weights: Callable[[Phase], Tensor]
    validation: Sequence[Batch]
    references: Tensor
    facts: Mapping[str, Any] = field(default_factory=dict)


def train_phases(options: argparse.Namespace, course: Course) -> None:
    """Train the variants of one architecture through all phases; checkpoints and log stay in the run folder."""
    cards = [course.card_of(options.architecture, variant) for variant in options.variants]
    name = "-".join([cards[0].anatomy, options.architecture, *options.variants])
    logging.basicConfig(filename=options.run / f"{name}.log", level=logging.INFO, format="%(asctime)s %(message)s")
    models = {card.name: card.network(options.seed) for card in cards}
    machine = machine_for(
        options.device, workers=options.workers, parallel=options.parallel, precision=options.precision
    )
    for phase in course.phases:
        task = Task(
            batch=course.batches(phase),
            schedule=replace(phase.schedule, seed=options.seed),
            weights=course.weights(phase),
            classes=[structure.name for structure in cards[0].structures],
            validation=course.validation,
            references=course.references,
            facts={**course.facts, "batch": phase.batch, "sizes": phase.sizes},
        )
        try:
            train(models, task, options.run / f"{name}-{phase.name}.pt", machine)
        except Stopped as stop:
            sys.exit(str(stop))
