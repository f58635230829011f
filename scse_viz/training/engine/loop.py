"""The loop: several networks on the same batches in step, resumable, logged."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from scse_viz.training.engine.history import History, snapshots
from scse_viz.training.engine.losses import cross_entropy_and_dice

LOSS_EVERY = 50
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: `steps` batches, peak learning rate `rate` after `warmup` steps, polynomial decay.

    `snapshots` is how many the history has. With `settle`, batch normalisation takes in the end the mean statistics of
    the last so many batches, seen with the final weights, instead of a running mean of the last few: precise
    BatchNorm, in Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021 (arXiv 2105.07576).
    """

    steps: int
    seed: int = 0
    rate: float = 2e-3
    warmup: int = 200
    power: float = 0.9
    decay: float = 1e-4
    checkpoint_every: int = 500
    snapshots: int = 20
    settle: int = 0

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return self.rate * rise * (1 - step / self.steps) ** self.power


@dataclass(frozen=True)
class Phase:
    """A part of a training: `batch` pictures a step, their rows and columns in pixels of 1 mm from `sizes` in turn."""

    name: str
    batch: int
    sizes: tuple[tuple[int, int], ...]
    schedule: Schedule


def train(
    models: Mapping[str, nn.Module],
    batch: Callable[[int], tuple[Tensor, Tensor]],
    schedule: Schedule,
    *,
    weights: Tensor,
    validation: Sequence[tuple[Tensor, Tensor]],
    references: Tensor,
    checkpoint: Path,
    bfloat16: bool = True,
) -> dict[str, History]:
    """Train the models in place, all on the same batches, and return what was kept of each.

    `batch(step)` gives image (B, C, H, W) and classes (B, H, W) int64 and must depend on the step alone: then a run
    that was stopped and goes on from `checkpoint` ends with the very weights of an uninterrupted one. `weights` (K,)
    are the classes' weights in the cross-entropy. Raises ValueError for a checkpoint of another schedule.
    """
    models = {name: model.to(memory_format=torch.channels_last).train() for name, model in models.items()}
    optimizers = {
        name: AdamW(model.parameters(), lr=schedule.rate, weight_decay=schedule.decay, fused=True)
        for name, model in models.items()
    }
    history = {name: History() for name in models}
    first = _resume(checkpoint, schedule, models, optimizers, history)
    when = set(snapshots(schedule.steps, schedule.snapshots))
    running = dict.fromkeys(models, 0.0)
    for step in tqdm(range(first, schedule.steps), initial=first, total=schedule.steps, desc="training", mininterval=5):
        if step in when:
            _keep_all(step, models, history, validation, references)
        image, target = batch(step)
        image = image.contiguous(memory_format=torch.channels_last)
        for name, model in models.items():
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
                logits = model(image)
            loss = cross_entropy_and_dice(logits, target, weights)
            optimizers[name].param_groups[0]["lr"] = schedule.rate_at(step)
            loss.backward()
            optimizers[name].step()
            optimizers[name].zero_grad()
            running[name] += loss.item() / LOSS_EVERY
        if (step + 1) % LOSS_EVERY == 0:
            for name in models:
                history[name].losses.append(running[name])
                running[name] = 0.0
            log.info("step %d %s", step + 1, " ".join(f"{n} {history[n].losses[-1]:.4f}" for n in models))
        if (step + 1) % schedule.checkpoint_every == 0 or step + 1 == schedule.steps:
            if step + 1 == schedule.steps:
                if schedule.settle:
                    _settle(models, batch, range(max(0, schedule.steps - schedule.settle), schedule.steps))
                _keep_all(schedule.steps, models, history, validation, references)
            _save(checkpoint, step + 1, schedule, models, optimizers, history)
    return history


def _settle(models: Mapping[str, nn.Module], batch: Callable[[int], tuple[Tensor, Tensor]], steps: range) -> None:
    """Give batch normalisation the mean statistics of the images of these steps."""
    images = [batch(step)[0].contiguous(memory_format=torch.channels_last) for step in steps]
    for model in models.values():
        update_bn(images, model)


def _keep_all(
    step: int,
    models: Mapping[str, nn.Module],
    history: Mapping[str, History],
    validation: Sequence[tuple[Tensor, Tensor]],
    references: Tensor,
) -> None:
    for name, model in models.items():
        history[name].keep(step, model, validation, references)
        shown = " ".join("-" if math.isnan(value) else f"{value:.2f}" for value in history[name].dice[-1])
        log.info("step %d %s: validation loss %.4f, Dice %s", step, name, history[name].validation_loss[-1], shown)


def _save(
    path: Path,
    step: int,
    schedule: Schedule,
    models: Mapping[str, nn.Module],
    optimizers: Mapping[str, AdamW],
    history: Mapping[str, History],
) -> None:
    """Write the state beside the old one and swap, so that a stop in between loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "step": step,
        "schedule": asdict(schedule),
        "models": {name: model.state_dict() for name, model in models.items()},
        "optimizers": {name: optimizer.state_dict() for name, optimizer in optimizers.items()},
        "history": {name: vars(kept) for name, kept in history.items()},
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _resume(
    path: Path,
    schedule: Schedule,
    models: Mapping[str, nn.Module],
    optimizers: Mapping[str, AdamW],
    history: dict[str, History],
) -> int:
    """Load the checkpoint, if there is one, into the arguments; the step to go on with."""
    if not path.exists():
        return 0
    state: dict[str, Any] = torch.load(path, weights_only=True)
    if state["schedule"] != asdict(schedule) or set(state["models"]) != set(models):
        raise ValueError(
            f"{path.name} belongs to another schedule or other networks; move it away or repeat its options"
        )
    for name, model in models.items():
        model.load_state_dict(state["models"][name])
        optimizers[name].load_state_dict(state["optimizers"][name])
        history[name] = History(**state["history"][name])
    log.info("going on from step %d", state["step"])
    return int(state["step"])
