"""A network in training: its optimizer, its learning rate, and everything measured on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import ChainedScheduler

from scse_viz.analysis.agreement import mean_dice
from scse_viz.training.engine.history import History, validate
from scse_viz.training.engine.losses import Batch
from scse_viz.training.engine.machine import loss_of
from scse_viz.training.engine.schedule import Schedule

LOSS_EVERY = 50
Row = dict[str, float]


@dataclass(eq=False)
class Learner:
    """`wrapped` is the model as processes share it; `rows` are the validations; `recent` the last training losses."""

    model: nn.Module
    wrapped: nn.Module
    optimizer: AdamW
    rates: ChainedScheduler
    step: int = 0
    history: History = field(default_factory=History)
    rows: list[Row] = field(default_factory=list)
    recent: list[float] = field(default_factory=list)

    def learn(self, batch: Batch, weights: Tensor, precision: str) -> None:
        """Take a step on a batch; `weights` (K,) are those of the classes in the cross-entropy."""
        loss = loss_of(self.wrapped, batch, weights, precision)
        loss.backward()
        self.optimizer.step()
        self.rates.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.recent = [*self.recent, loss.item()][-LOSS_EVERY:]
        if self.step % LOSS_EVERY == 0:
            self.history.losses.append(float(np.mean(self.recent)))

    def measure(self, validation: Sequence[Batch], references: Tensor | None, classes: Sequence[str]) -> None:
        """Validate the network and add a row; with `references`, add a snapshot of its gates on them to the history."""
        if references is None:
            loss, scores = validate(self.model, validation)
            dice = scores.tolist()
        else:
            self.history.keep(self.step, self.model, validation, references)
            loss, dice = self.history.validation_loss[-1], self.history.dice[-1]
        row = {
            "step": float(self.step),
            "training loss": float(np.mean(self.recent)) if self.recent else float("nan"),
            "validation loss": loss,
            "mean Dice": float(mean_dice(np.asarray(dice))),
        }
        self.rows.append(row | {f"Dice {name}": score for name, score in zip(classes[1:], dice[1:], strict=True)})

    def state(self) -> dict[str, Any]:
        """Its state, as a checkpoint stores it."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rates": self.rates.state_dict(),
            "step": self.step,
            "history": vars(self.history),
            "rows": self.rows,
            "recent": self.recent,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rates.load_state_dict(state["rates"])
        self.step, self.history = state["step"], History(**state["history"])
        self.rows, self.recent = state["rows"], state["recent"]


def learner(model: nn.Module, wrapped: nn.Module, schedule: Schedule) -> Learner:
    """A network at the beginning of a schedule."""
    optimizer = AdamW(model.parameters(), lr=schedule.rate, weight_decay=schedule.decay, fused=True)
    return Learner(model, wrapped, optimizer, schedule.rates(optimizer))
