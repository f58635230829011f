"""The one loop: networks learn in step from the same batches, on any device, and a stopped training resumes."""

import logging
import math
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from operator import methodcaller
from pathlib import Path
from threading import Event
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from scse_viz.system.devices import AUTO
from scse_viz.training.engine import checkpoint
from scse_viz.training.engine.history import History, snapshot_steps
from scse_viz.training.engine.learner import LOSS_EVERY, Learner, Row, learner
from scse_viz.training.engine.losses import Batch
from scse_viz.training.engine.machine import Machine
from scse_viz.training.engine.schedule import Schedule

log = logging.getLogger(__name__)


class Stopped(KeyboardInterrupt):
    """A training that stopped on request and left a checkpoint: of which networks, and after which step."""

    def __init__(self, name: str, step: int) -> None:
        super().__init__(f"{name}: stopped after step {step}; the same command resumes the training")
        self.step = step


def log_row(name: str, rows: Sequence[Row]) -> None:
    """Log the last validation of a network."""
    row = rows[-1]
    dice = " ".join("-" if math.isnan(row[key]) else f"{row[key]:.2f}" for key in row if key.startswith("Dice "))
    log.info("step %d %s: validation loss %.4f, Dice %s", row["step"], name, row["validation loss"], dice)


@dataclass(frozen=True, eq=False)
class Task:
    """What networks learn and how they are measured, the same on every machine.

    `batch(step)` must depend on the step alone, so that resuming gives identical final weights. `weights` (K,) are
    those of the classes in the cross-entropy; `validation` are batches; `references` (R, C, H, W) the slices whose
    gates go into the history; `facts` whatever else the weights depend on. `say` takes sentences about the course of
    the training, `measured` the rows of a network when one was added.
    """

    batch: Callable[[int], Batch]
    schedule: Schedule
    weights: Tensor
    classes: Sequence[str]
    validation: Sequence[Batch]
    references: Tensor
    facts: Mapping[str, Any] = field(default_factory=dict)
    say: Callable[[str], object] = log.info
    measured: Callable[[str, Sequence[Row]], object] = log_row

    @cached_property
    def snapshots(self) -> frozenset[int]:
        """The steps after which gates are recorded."""
        return frozenset(snapshot_steps(self.schedule.steps, self.schedule.snapshots))

    def on(self, device: torch.device) -> "Task":
        """The same with its tensors on a device."""
        validation = [(image.to(device), target.to(device)) for image, target in self.validation]
        weights, references = self.weights.to(device), self.references.to(device)
        return replace(self, weights=weights, validation=validation, references=references)


@dataclass(frozen=True, eq=False)
class Trained:
    """The history of each network, and the precision of the steps."""

    histories: Mapping[str, History]
    precision: str


def train(models: Mapping[str, nn.Module], task: Task, path: Path, machine: Machine) -> Trained:
    """Train the models in place, all on the same batches, with checkpoints at `path`; resume from an existing one.

    Raises CheckpointError for a checkpoint of another task, and Stopped after SIGINT or SIGTERM, once the step is done
    and the checkpoint written.
    """
    task, steps = task.on(machine.device), task.schedule.steps
    learners = {name: learner(model, machine.shared(model), task.schedule) for name, model in models.items()}
    facts = {**task.facts, **asdict(task.schedule), "networks": sorted(models)}
    precision = checkpoint.resume(path, facts, None if machine.precision == AUTO else machine.precision, learners)
    first, main = next(iter(learners.values())).step, machine.main
    with _stop_requests() as stop, ThreadPoolExecutor(machine.parallel) as pool:
        batches = machine.batches(task.batch, range(first, steps))
        head = list(islice(batches, 1))
        if first:
            task.say(f"resumes after step {first}")
        elif main:
            _measure(learners, task)
        if precision is None:
            precision, sentence = machine.quicker_precision(next(iter(models.values())), head[0], task.weights)
            task.say(sentence)
        over = pool.map if machine.parallel > 1 else map
        bar = tqdm(chain(head, batches), ", ".join(models), steps, initial=first, disable=None if main else True)
        for step, batch in enumerate(bar, first + 1):
            list(over(methodcaller("learn", batch, task.weights, precision), learners.values()))
            last, stopped = step == steps, machine.any_process(stop.is_set())
            if last:
                _settle(models, machine.batches(task.batch, range(max(0, steps - task.schedule.settle), steps)))
            if main:
                _measure(learners, task)
            if main and (last or stopped or step % task.schedule.checkpoint_every == 0):
                checkpoint.save(path, facts, precision, learners)
            if stopped and not last:
                raise Stopped(", ".join(models), step)
    machine.accelerator.wait_for_everyone()
    return Trained({name: learner.history for name, learner in learners.items()}, precision)


def _measure(learners: Mapping[str, Learner], task: Task) -> None:
    """Do what is due after the last step: log the loss, validate, keep a snapshot."""
    step, every = next(iter(learners.values())).step, task.schedule.report_every
    if step and step % LOSS_EVERY == 0:
        log.info(
            "step %d %s",
            step,
            " ".join(f"{name} {learner.history.losses[-1]:.4f}" for name, learner in learners.items()),
        )
    snapshot = step in task.snapshots
    if snapshot or (every and step % every == 0):
        for name, learner in learners.items():
            learner.measure(task.validation, task.references if snapshot else None, task.classes)
            task.measured(name, learner.rows)


def _settle(models: Mapping[str, nn.Module], batches: Iterable[Batch]) -> None:
    """Give batch normalisation the mean statistics of these batches, if there are any."""
    images = [image for image, _ in batches]
    for model in models.values() if images else ():
        update_bn(images, model)


@contextmanager
def _stop_requests() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set, so that no step is left half done; a second signal stops at once."""
    asked = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, _: object) -> None:
        asked.set()
        signal.signal(number, signal.default_int_handler)

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
