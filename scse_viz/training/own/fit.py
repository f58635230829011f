"""The loop of one network on whatever machine there is: Accelerate carries devices, precision and processes.

The checkpoint is ours and one file, since the crops of a step depend on its number alone: weights, optimiser and what
was measured are the whole state.
"""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import AdamW
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from scse_viz.training.engine.history import History, snapshots, validate
from scse_viz.training.engine.loop import Schedule
from scse_viz.training.engine.losses import cross_entropy_and_dice
from scse_viz.training.own.crops import Crops
from scse_viz.training.own.progress import Progress, resume, save, write_rows
from scse_viz.zoo import Card

REPORTS = 20
"""How many times in a training validation Dice is said and the state is saved."""


class Stopped(KeyboardInterrupt):
    """A training that was asked to stop and left its state; `step` is the one that it goes on with."""

    def __init__(self, name: str, step: int) -> None:
        super().__init__(name, step)
        self.name, self.step = name, step


@dataclass(frozen=True, eq=False)
class Task:
    """What to train and how to measure it, the same on every machine.

    `weights` (K,) are those of the classes in the loss; `validation` whole slices, images (1, C, h, w) with classes
    (1, h, w); `references` (R, C, S, S) the slices whose gates are kept; `facts` all that decides about the weights.
    """

    card: Card
    crops: Crops
    schedule: Schedule
    weights: Tensor
    validation: Sequence[tuple[Tensor, Tensor]]
    references: Tensor
    facts: Mapping[str, Any]


def fit(task: Task, run: Path, accelerator: Accelerator, workers: int = 0) -> tuple[nn.Module, History]:
    """Train the network of a task, on from the checkpoint in the folder `run` if there is one; with what was kept.

    Raises DataError for a checkpoint of another task, and Stopped after SIGINT or SIGTERM, when the step is done and
    the checkpoint is written.
    """
    schedule, device, checkpoint = task.schedule, accelerator.device, run / "checkpoint.pt"
    model: nn.Module = task.card.network(schedule.seed).to(device).to(memory_format=torch.channels_last).train()
    optimizer = AdamW(model.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
    progress = resume(checkpoint, model, optimizer, task.facts)
    wrapped, optimizer = accelerator.prepare(model, optimizer)
    model = accelerator.unwrap_model(wrapped)
    main = accelerator.is_main_process
    reports = {round(schedule.steps * part / REPORTS) for part in range(1, REPORTS + 1)}
    snapshot_steps = set(snapshots(schedule.steps, schedule.snapshots))
    ours = _Steps(task.crops, progress.step, schedule.steps, accelerator.process_index, accelerator.num_processes)
    loader = DataLoader(ours, batch_size=None, num_workers=workers)
    bar = tqdm(
        total=schedule.steps, initial=progress.step, desc=task.card.name, unit="step", disable=None if main else True
    )
    weights = task.weights.to(device)
    with bar, _asked_to_stop() as asked:
        for image, target in loader:
            if main and progress.step in snapshot_steps | reports:
                _measure(progress, model, task, snapshot_steps, run)
            if main and progress.step in reports:
                bar.write(progress.sentence(schedule.steps))
            for group in optimizer.param_groups:
                group["lr"] = schedule.rate_at(progress.step)
            with accelerator.autocast():
                logits = wrapped(image.to(device, memory_format=torch.channels_last))
            loss = cross_entropy_and_dice(logits, target.to(device), weights)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            progress.stepped(loss.item())
            bar.update()
            if asked.is_set():
                accelerator.set_trigger()
            stop = accelerator.check_trigger()  # of any process: all stop after the same step
            if main and (stop or progress.step in reports):
                save(checkpoint, progress, model, optimizer, task.facts)
            if stop:
                raise Stopped(task.card.name, progress.step)
    if main and progress.history.steps[-1] < schedule.steps:
        _measure(progress, model, task, snapshot_steps, run)
        print(progress.sentence(schedule.steps))
        save(checkpoint, progress, model, optimizer, task.facts)
    accelerator.wait_for_everyone()
    return _still(model, task.card), progress.history


class _Steps(Dataset):
    """The crops of the steps from `first` to `last` that fall to one process of `ranks`."""

    def __init__(self, crops: Crops, first: int, last: int, rank: int, ranks: int) -> None:
        self.crops, self.first, self.last, self.rank, self.ranks = crops, first, last, rank, ranks

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        return self.crops.of_step(self.first + row, self.rank, self.ranks)


def _measure(progress: Progress, model: nn.Module, task: Task, snapshot_steps: set[int], run: Path) -> None:
    """Validate the network as it is, keep its gates where this is a snapshot of history, and write metrics.csv."""
    device = next(model.parameters()).device
    still = _still(model, task.card).to(device)
    validation = [(image.to(device), target.to(device)) for image, target in task.validation]
    if progress.step in snapshot_steps:
        progress.history.keep(progress.step, still, validation, task.references.to(device))
        loss, dice = progress.history.validation_loss[-1], progress.history.dice[-1]
    else:
        loss, found = validate(still, validation)
        dice = found.tolist()
    progress.measured(loss, dice, [structure.name for structure in task.card.structures])
    write_rows(run / "metrics.csv", progress.rows)


def _still(model: nn.Module, card: Card) -> nn.Module:
    """A network of its own with the same weights: Accelerate changes the one that it trains."""
    still = card.network()
    still.load_state_dict(model.state_dict())
    return still.eval()


@contextmanager
def _asked_to_stop() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set, so that no step is left half done; a second signal ends at once."""
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
