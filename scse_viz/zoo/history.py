"""NAME.history.npz: loss, Dice and gates of a network over its training, read without torch."""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scse_viz.analysis.gates import BlockGates

SUFFIX = ".history.npz"
STEPS, VALIDATION_LOSS, DICE, LOSSES = "steps", "validation_loss", "dice", "losses"
CLASSES, REFERENCES = "classes", "references"
SCALED = ("activation", "attention")
"""Kinds of maps that are stored divided by their maximum."""
ARRAYS = ("channel_gate", "spatial_gate", "full_gate", *SCALED, *(f"{kind}_maximum" for kind in SCALED))
EIGHT_BITS = 255
DAMAGED = (EOFError, MemoryError, NotImplementedError, RuntimeError, SyntaxError, zipfile.BadZipFile, zlib.error)
"""What zipfile and NumPy raise for bytes that were changed, beside errors of values and keys."""


class HistoryError(ValueError):
    """A history file that cannot be used; the message is a sentence for users."""


@dataclass(frozen=True, eq=False)
class TrainingHistory:
    """One network at M snapshots of its training, on R reference slices.

    `steps` (M,) from 0, rising; `validation_loss` (M,); `dice` (M, K) of every class, nan where it never occurs;
    `losses` (L,), the mean training loss of equal parts of the steps; `classes` (K names); `references`
    (R, H, W) uint8. `gates`: `encoder1/spatial_gate` (M, R, h, w) and `encoder1/channel_gate` (M, R, C), uint8 of 0 to
    255; of a full gate `encoder1/full_gate` (M, R, h, w), its mean over channels; for a block without gates
    `encoder1/activation` (M, R, h, w) and `encoder1/activation_maximum` (M,), likewise `attention` for a non-local one.
    """

    steps: np.ndarray
    validation_loss: np.ndarray
    dice: np.ndarray
    losses: np.ndarray
    classes: tuple[str, ...]
    references: np.ndarray
    gates: Mapping[str, np.ndarray]

    @property
    def loss_steps(self) -> np.ndarray:
        """The last step of the part that each of `losses` is the mean of, (L,)."""
        return self.steps[-1] * np.arange(1, len(self.losses) + 1) / max(len(self.losses), 1)

    def snapshot_at(self, step: int) -> int:
        """The number of the last snapshot not after a step."""
        return int(np.searchsorted(self.steps, step, side="right")) - 1

    def gates_at(self, snapshot: int, reference: int) -> dict[str, BlockGates]:
        """The gates in one snapshot on one reference slice, by block: 0 to 1, activations on their own scale."""
        arrays: dict[str, dict[str, Any]] = {}
        for name, rows in self.gates.items():
            block, _, kind = name.partition("/")
            if not kind.endswith("_maximum"):
                scale = self.gates[f"{name}_maximum"][snapshot] if kind in SCALED else 1.0
                gate = (rows[snapshot, reference] * (scale / EIGHT_BITS)).astype(np.float32)
                arrays.setdefault(block, {})[kind] = gate[None] if kind == "full_gate" else gate
        return {block: BlockGates(**kinds) for block, kinds in arrays.items()}

    def mean_dice(self, leave_out: tuple[str, ...] = ()) -> np.ndarray:
        """Dice (M,) of every snapshot: mean over the structures that occur, without background and `leave_out`."""
        kept = [number for number, name in enumerate(self.classes) if number and name not in leave_out]
        scores = self.dice[:, kept]
        counts = (~np.isnan(scores)).sum(axis=1)
        return np.divide(np.nansum(scores, axis=1), counts, out=np.full(len(scores), np.nan), where=counts > 0)


def read_history(path: Path) -> TrainingHistory:
    """Read a history file. Raises HistoryError for one that is missing, damaged, or holds arrays that do not fit."""
    if not path.is_file():
        raise HistoryError(f"{path.name} is missing: this network has no training history")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        history = TrainingHistory(
            steps=arrays.pop(STEPS),
            validation_loss=arrays.pop(VALIDATION_LOSS),
            dice=arrays.pop(DICE),
            losses=arrays.pop(LOSSES),
            classes=tuple(str(name) for name in arrays.pop(CLASSES)),
            references=arrays.pop(REFERENCES),
            gates={name: rows for name, rows in arrays.items() if name.partition("/")[2] in ARRAYS},
        )
    except (*DAMAGED, OSError, ValueError, KeyError) as error:
        raise HistoryError(f"{path.name} cannot be read as a history file: {error}") from error
    _check(history, path.name)
    return history


def _check(history: TrainingHistory, name: str) -> None:
    snapshots = len(history.steps)
    references = len(history.references)
    maps = {gate: rows for gate, rows in history.gates.items() if not gate.endswith("_maximum")}
    checks = {
        "it holds no snapshot": snapshots > 0 and history.steps.ndim == 1,
        "its steps do not rise": bool((np.diff(history.steps) > 0).all()),
        "it lacks one loss for each snapshot": history.validation_loss.shape == (snapshots,)
        and history.losses.ndim == 1,
        "it lacks one Dice for each snapshot and class": history.dice.shape == (snapshots, len(history.classes)),
        "it holds no reference slice": history.references.ndim == 3 and references > 0,
        "it holds no gates": bool(maps),
        "it lacks gates for each snapshot and reference slice": all(
            rows.shape[:2] == (snapshots, references) and rows.ndim == (3 if gate.endswith("channel_gate") else 4)
            for gate, rows in maps.items()
        ),
        "its activations or attention lack a maximum for each snapshot": all(
            history.gates.get(f"{gate}_maximum", np.zeros(0)).shape == (snapshots,)
            for gate in maps
            if gate.endswith(SCALED)
        ),
    }
    for sentence, holds in checks.items():
        if not holds:
            raise HistoryError(f"{name} cannot be read as a history file: {sentence}")
