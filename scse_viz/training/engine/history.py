"""The history of a training: loss, Dice and all gates, in snapshots evenly spaced in log(steps)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.attention import record
from scse_viz.training.engine.losses import NO_CLASS, Batch, cross_entropy_and_dice

LARGEST_SIDE = 96
"""Maps are downsampled by averaging until no side is longer, which keeps files small."""
APART = 0.02
"""Share of the steps so far within which a later phase adds no snapshot."""


def snapshot_steps(steps: int, count: int = 20) -> list[int]:
    """About `count` steps from 0 to `steps`, both included, evenly spaced in log(steps) after the first."""
    return sorted({0, *np.geomspace(1, steps, count - 1).round().astype(int).tolist()})


@dataclass
class History:
    """One row for each snapshot of a network: step, validation loss, Dice (K,), and gates as uint8 in 0 to 255.

    Keys of `gates`: `encoder1/spatial_gate` (R, h, w), `encoder1/channel_gate` (R, C) over R reference slices,
    `encoder1/full_gate` (R, h, w), its mean over channels. Maps beyond 1 are divided by their maximum, which is stored
    in `encoder1/activation_maximum`: for a block without gates `encoder1/activation` (R, h, w), the mean absolute
    activation, for a non-local one `encoder1/attention`, the attention that each pixel receives. `losses` are mean
    training losses of `LOSS_EVERY` steps each.
    """

    steps: list[int] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    dice: list[list[float]] = field(default_factory=list)
    gates: dict[str, list[Tensor]] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)

    def keep(self, step: int, model: nn.Module, validation: Sequence[Batch], references: Tensor) -> None:
        """Add a snapshot: validate `model` and record its gates on the references (R, C, H, W)."""
        self.steps.append(step)
        loss, dice = validate(model, validation)
        self.validation_loss.append(loss)
        self.dice.append(dice.tolist())
        for name, block in record(model, references).blocks.items():
            if block.channel_gate is not None:
                self._append(f"{name}/channel_gate", block.channel_gate)
            if block.spatial_gate is not None:
                self._append(f"{name}/spatial_gate", _small(block.spatial_gate))
            if block.full_gate is not None:
                self._append(f"{name}/full_gate", _small(block.full_gate.mean(dim=1)))
            if block.attention is not None:
                self._append_scaled(f"{name}/attention", block.attention.received())
            if block.activation is not None:
                self._append_scaled(f"{name}/activation", block.activation)

    def _append_scaled(self, key: str, maps: Tensor) -> None:
        largest = maps.max().clamp_min(1e-9)
        self.gates.setdefault(f"{key}_maximum", []).append(largest.float().cpu().clone())
        self._append(key, _small(maps / largest))

    def _append(self, key: str, gate: Tensor) -> None:
        self.gates.setdefault(key, []).append((gate.float() * 255).round().clamp(0, 255).to(torch.uint8).cpu().clone())

    def followed_by(self, later: "History") -> "History":
        """This history continued by that of a later phase, without the snapshots right after the end of this one.

        Evenly spaced in log(steps), a phase begins with many; kept are those APART from the end before, and the last.
        """
        last = len(later.steps) - 1
        rows = [row for row, step in enumerate(later.steps) if step > APART * self.steps[-1] or row == last]
        return History(
            steps=self.steps + [self.steps[-1] + later.steps[row] for row in rows],
            validation_loss=self.validation_loss + [later.validation_loss[row] for row in rows],
            dice=self.dice + [later.dice[row] for row in rows],
            gates={key: kept + [later.gates[key][row] for row in rows] for key, kept in self.gates.items()},
            losses=self.losses + later.losses,
        )

    def save(self, path: Path, references: Tensor, classes: Sequence[str]) -> None:
        """Write a compressed .npz, with the first channel of the reference slices (R, C, H, W) as uint8."""
        np.savez_compressed(
            path,
            steps=np.array(self.steps),
            validation_loss=np.array(self.validation_loss, dtype=np.float32),
            dice=np.array(self.dice, dtype=np.float32),
            losses=np.array(self.losses, dtype=np.float32),
            classes=np.array(classes),
            references=(references[:, 0].clamp(0, 1) * 255).round().byte().numpy(),
            **cast(Any, {key: torch.stack(rows).numpy() for key, rows in self.gates.items()}),
        )


def validate(model: nn.Module, batches: Sequence[Batch]) -> tuple[float, Tensor]:
    """Mean unweighted loss, and Dice (K,) over the pixels of all batches together; nan where a class never occurs.

    Pixels of NO_CLASS count in neither.
    """
    model.eval()
    losses = []
    overlap = count = torch.zeros(())
    with torch.no_grad():
        for image, target in batches:
            logits = model(image.to(memory_format=torch.channels_last))
            classes = logits.shape[1]
            losses.append(cross_entropy_and_dice(logits, target, logits.new_ones(classes)).item())
            known = target != NO_CLASS
            predicted, target = logits.argmax(dim=1)[known], target[known]
            overlap = overlap + torch.bincount(target[predicted == target], minlength=classes)
            count = count + torch.bincount(predicted, minlength=classes) + torch.bincount(target, minlength=classes)
    model.train()
    return float(np.mean(losses)), 2 * overlap / count


def _small(maps: Tensor) -> Tensor:
    factor = -(-max(maps.shape[-2:]) // LARGEST_SIDE)
    return F.avg_pool2d(maps[:, None], factor, ceil_mode=True)[:, 0] if factor > 1 else maps
