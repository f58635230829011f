"""From a folder of scans to a network that the app opens: what `scse-viz train` runs."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from scse_viz import zoo
from scse_viz.models.skeleton import DEPTH
from scse_viz.scans import PLANES
from scse_viz.training.augmentation import centred
from scse_viz.training.engine.learner import Row
from scse_viz.training.engine.loop import Task, train
from scse_viz.training.engine.losses import median_frequency_weights
from scse_viz.training.engine.machine import Machine
from scse_viz.training.engine.schedule import Schedule
from scse_viz.training.own.card import card_figures, training
from scse_viz.training.own.classes import DataError
from scse_viz.training.own.crops import Augmentation, Crops, default_size, slice_pair, whole_slices
from scse_viz.training.own.data import Data
from scse_viz.training.own.metrics import sentence, write_rows
from scse_viz.training.own.settings import Settings
from scse_viz.training.shipped import REDUCTIONS
from scse_viz.zoo import Card
from scse_viz.zoo.history import SUFFIX

VALIDATION_SLICES = 64
"""Slices on which Dice is measured while training; the card reports it on whole volumes."""


def train_network(data: Data, variant: str, settings: Settings, out: Path, machine: Machine) -> Card:
    """Train one network; write its weights, card and history to `out`, its checkpoint and metrics to NAME.run there.

    Raises as `engine.loop.train`, and DataError for what cannot be trained.
    """
    card = _card(data, variant, settings)
    name = card.name
    size = settings.size or default_size(data.training, card)
    processes = machine.accelerator
    _check(card, settings, size, out, processes.num_processes)
    augmentation = Augmentation(mirror=0.0) if data.classes.sided else Augmentation()
    crops = Crops(data.training, card, settings.batch, size, settings.seed, augmentation, data.paints)
    task, run, main = task_of(data, crops, settings), out / f"{name}.run", machine.main
    if main:
        _write_split(run, data)
        task = replace(task, say=tqdm.write, measured=partial(_report, run, task.schedule))
    task = replace(task, batch=partial(crops.of_step, rank=processes.process_index, ranks=processes.num_processes))
    model = card.network(settings.seed)
    source = _start(model, card, settings)
    task = replace(task, facts={**task.facts, "encoder-weights": source})
    trained = train({name: model}, task, run / "checkpoint.pt", machine)
    if not main:
        return card
    history = trained.histories[name]
    where = {"device": str(machine.device), "precision": trained.precision}
    card = replace(
        card,
        training=training(data, crops, settings, {**where, **_encoder_facts(card, source)}),
        figures=card_figures(model.eval(), card, data, history),
    )
    history.save(out / f"{name}{SUFFIX}", task.references, task.classes)
    return zoo.save(model.cpu(), card, out)


def _card(data: Data, variant: str, settings: Settings) -> Card:
    """The card of a network before its training."""
    return replace(
        data.card,
        name=f"{data.card.anatomy}-{settings.architecture}-{variant}",
        architecture=settings.architecture,
        variant=variant,
        widths=settings.widths,
        encoder=settings.encoder,
        reduction=REDUCTIONS.get(settings.architecture, data.card.reduction),
    )


def task_of(data: Data, crops: Crops, settings: Settings) -> Task:
    """What the engine is to do: crops of the training scans, validation on slices of those held out."""
    counts = torch.from_numpy(np.sum([volume.counts for volume in data.training], axis=0)).float()
    return Task(
        batch=crops.of_step,
        schedule=settings.schedule,
        weights=median_frequency_weights(counts),
        classes=[structure.name for structure in crops.card.structures],
        validation=list(whole_slices(data.validation, crops.card, VALIDATION_SLICES, data.paints)),
        references=torch.cat(list(_references(data, crops.card, crops.size))),
        facts=_facts(data, crops),
    )


def _start(model: nn.Module, card: Card, settings: Settings) -> str | None:
    """Give an encoder the first weights that the user chose; where they are from, None for random ones."""
    if settings.encoder_weights is None:
        return None
    from scse_viz.training.own.encoder import encoder_weights, start_from

    weights = encoder_weights(card, settings.encoder_weights)
    start_from(model, weights)
    return weights.source


def _encoder_facts(card: Card, source: str | None) -> dict[str, str]:
    """What a card says of an encoder of another library."""
    return {"encoder": card.encoder, "encoder_weights": source or "random"} if card.encoder else {}


def _report(run: Path, schedule: Schedule, name: str, rows: Sequence[Row]) -> None:
    """Write all rows to metrics.csv, and print the last where a report is due."""
    write_rows(run / "metrics.csv", rows)
    step = rows[-1]["step"]
    if step and (step % schedule.report_every == 0 or step == schedule.steps):
        tqdm.write(sentence(rows[-1], schedule.steps))


def _check(card: Card, settings: Settings, size: int, out: Path, processes: int) -> None:
    """Raises DataError for what cannot be trained or written."""
    if (zoo.PRETRAINED / f"{card.name}.json").exists() and out.resolve() != zoo.PRETRAINED.resolve():
        raise DataError(f"{card.name} is a shipped network; choose another --name")
    share = settings.batch // processes
    if share == 0:
        raise DataError(f"--batch {settings.batch} is too small for {processes} processes; choose at least {processes}")
    depth = len(card.widths) if card.encoder else DEPTH
    if share * math.ceil(size / 2**depth) ** 2 == 1:
        raise DataError(
            f"--batch {settings.batch} of --size {size} leaves a single pixel to normalise over in the bottleneck; "
            "choose a larger batch or size"
        )
    try:
        card.network()
    except ValueError as error:
        option = f"--architecture {card.architecture}" if card.encoder else "--widths"
        raise DataError(f"{option}: {error}") from error
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be created, {error.strerror}; choose another folder") from error


def _references(data: Data, card: Card, size: int) -> Iterator[Tensor]:
    """In up to two planes, the held-out slice that shows most of the structures: (1, C, S, S)."""
    volume = data.validation[0]
    for plane in card.planes[-2:]:
        across = tuple(axis for axis in range(3) if axis != PLANES[plane])
        index = int((volume.classes > 0).sum(axis=across).argmax())
        image, _ = slice_pair(volume, card, plane, index, data.paints, np.random.default_rng(0))
        yield centred(image, (size, size))


def _facts(data: Data, crops: Crops) -> dict[str, Any]:
    """Everything but the schedule that the weights depend on, under the names of the options."""
    card = crops.card
    return {
        "data": data.digest,
        "classes": [structure.name for structure in card.structures],
        "validation": [volume.name for volume in data.validation],
        "labels-only": data.paints and asdict(data.paints),
        "planes": card.planes,
        "pixel-mm": card.pixel_mm,
        "widths": card.widths,
        "encoder": card.encoder,
        "batch": crops.batch,
        "size": crops.size,
        "augmentation": asdict(crops.augmentation),
    }


def _write_split(run: Path, data: Data) -> None:
    run.mkdir(parents=True, exist_ok=True)
    split = {
        "training": [volume.name for volume in data.training],
        "validation": [volume.name for volume in data.validation],
    }
    (run / "split.json").write_text(json.dumps(split, indent=1) + "\n", encoding="utf-8")
