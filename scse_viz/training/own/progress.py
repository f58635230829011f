"""Where a training is and what was measured on the way: the checkpoint, and the rows of metrics.csv."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from scse_viz.training.engine.history import History
from scse_viz.training.engine.loop import LOSS_EVERY
from scse_viz.training.own.classes import DataError


@dataclass
class Progress:
    """The next step, history, the rows of metrics.csv so far, and the training losses of the last steps."""

    step: int = 0
    history: History = field(default_factory=History)
    rows: list[dict[str, float]] = field(default_factory=list)
    recent: list[float] = field(default_factory=list)

    def stepped(self, loss: float) -> None:
        """Count a step with its loss."""
        self.step += 1
        self.recent = [*self.recent, loss][-LOSS_EVERY:]
        if self.step % LOSS_EVERY == 0:
            self.history.losses.append(float(np.mean(self.recent)))

    def measured(self, loss: float, dice: Sequence[float], names: Sequence[str]) -> None:
        """Add a row: validation loss and Dice by class of the network as it is at this step."""
        row = {
            "step": float(self.step),
            "training loss": float(np.mean(self.recent)) if self.recent else float("nan"),
            "validation loss": loss,
            "mean Dice": mean_dice(dice),
        }
        self.rows.append(row | {f"Dice {name}": score for name, score in zip(names[1:], dice[1:], strict=True)})

    def sentence(self, steps: int) -> str:
        """The last row for people; of many structures the mean alone."""
        row = self.rows[-1]
        each = [f"{key.removeprefix('Dice ')} {score:.3f}" for key, score in row.items() if key.startswith("Dice ")]
        detail = f" ({', '.join(each)})" if len(each) <= 6 else ""
        return (
            f"step {self.step} of {steps}: validation Dice {row['mean Dice']:.3f}{detail}, "
            f"loss {row['validation loss']:.3f}"
        )


def mean_dice(dice: Sequence[float]) -> float:
    """The mean over the structures that occur, background left out; nan where none does."""
    found = [score for score in dice[1:] if not np.isnan(score)]
    return float(np.mean(found)) if found else float("nan")


def write_rows(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Write metrics.csv anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({key: round(value, 5) for key, value in row.items()} for row in rows)


def save(path: Path, progress: Progress, model: nn.Module, optimizer: Optimizer, facts: Mapping[str, Any]) -> None:
    """Write the checkpoint beside the old one and swap, so that a stop in between loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    state = {
        "facts": as_json(facts),
        "progress": {"step": progress.step, "rows": progress.rows, "recent": progress.recent},
        "history": vars(progress.history),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(state, partial)
    partial.replace(path)


def resume(path: Path, model: nn.Module, optimizer: Optimizer, facts: Mapping[str, Any]) -> Progress:
    """Load the checkpoint, if there is one, into network and optimiser; raises DataError where its facts differ."""
    if not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True, map_location="cpu")
    wanted = as_json(facts)
    for name in sorted({*state["facts"], *wanted}):
        was, now = state["facts"].get(name), wanted.get(name)
        if was != now:
            said = f" ({was}, now {now})" if len(f"{was}{now}") < 80 else ""
            raise DataError(
                f"{path.parent.name}: holds a training with another {name}{said}; repeat its options to go on with "
                "it, or choose another --out or --name"
            )
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return Progress(**state["progress"], history=History(**state["history"]))


def as_json(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON keeps them, tuples as lists, so that those of a file compare with those of a run."""
    return dict(json.loads(json.dumps(facts)))
