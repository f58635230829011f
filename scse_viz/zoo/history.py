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
    (R, H, W) uint8. `gates`, by block and kind: `spatial_gate` (M, R, h, w) and `channel_gate` (M, R, C), uint8 of 0 to
    255; `full_gate` (M, R, h, w), its mean over channels; for a block without gates `activation` (M, R, h, w) and
    `activation_maximum` (M,), likewise `attention` for a non-local one. In the file a gate is `encoder1/spatial_gate`.
    """

    steps: np.ndarray
    validation_loss: np.ndarray
    dice: np.ndarray
    losses: np.ndarray
    classes: tuple[str, ...]
    references: np.ndarray
    gates: Mapping[str, Mapping[str, np.ndarray]]

    @property
    def loss_steps(self) -> np.ndarray:
        """The last step of the part that each of `losses` is the mean of, (L,)."""
        return self.steps[-1] * np.arange(1, len(self.losses) + 1) / max(len(self.losses), 1)

    def snapshot_at(self, step: int) -> int:
        """The number of the last snapshot not after a step."""
        return int(np.searchsorted(self.steps, step, side="right")) - 1

    def gates_at(self, snapshot: int, reference: int) -> dict[str, BlockGates]:
        """The gates in one snapshot on one reference slice, by block: 0 to 1, activations on their own scale."""
        return {block: self._block_at(kinds, snapshot, reference) for block, kinds in self.gates.items()}

    @staticmethod
    def _block_at(kinds: Mapping[str, np.ndarray], snapshot: int, reference: int) -> BlockGates:
        gates: dict[str, Any] = {}
        for kind, rows in _maps(kinds).items():
            scale = kinds[_maximum(kind)][snapshot] if kind in SCALED else 1.0
            gate = (rows[snapshot, reference] * (scale / EIGHT_BITS)).astype(np.float32)
            gates[kind] = gate[None] if kind == "full_gate" else gate
        return BlockGates(**gates)

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
            gates=_by_block(arrays),
        )
    except (*DAMAGED, OSError, ValueError, KeyError) as error:
        raise HistoryError(f"{path.name} cannot be read as a history file: {error}") from error
    _check(history, path.name)
    return history


def _by_block(arrays: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of a file by block and kind."""
    gates: dict[str, dict[str, np.ndarray]] = {}
    for name, rows in arrays.items():
        block, _, kind = name.partition("/")
        if kind in ARRAYS:
            gates.setdefault(block, {})[kind] = rows
    return gates


def _maximum(kind: str) -> str:
    return f"{kind}_maximum"


def _maps(kinds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of a block without the maxima of its maps."""
    return {kind: rows for kind, rows in kinds.items() if not kind.endswith(_maximum(""))}


def _check(history: TrainingHistory, name: str) -> None:
    snapshots = len(history.steps)
    references = len(history.references)
    maps = [(kind, rows, kinds) for kinds in history.gates.values() for kind, rows in _maps(kinds).items()]
    checks = {
        "it holds no snapshot": snapshots > 0 and history.steps.ndim == 1,
        "its steps do not rise": bool((np.diff(history.steps) > 0).all()),
        "it lacks one loss for each snapshot": history.validation_loss.shape == (snapshots,)
        and history.losses.ndim == 1,
        "it lacks one Dice for each snapshot and class": history.dice.shape == (snapshots, len(history.classes)),
        "it holds no reference slice": history.references.ndim == 3 and references > 0,
        "it holds no gates": bool(maps),
        "it lacks gates for each snapshot and reference slice": all(
            rows.shape[:2] == (snapshots, references) and rows.ndim == (3 if kind == "channel_gate" else 4)
            for kind, rows, _ in maps
        ),
        "its activations or attention lack a maximum for each snapshot": all(
            kinds.get(_maximum(kind), np.zeros(0)).shape == (snapshots,) for kind, _, kinds in maps if kind in SCALED
        ),
    }
    for sentence, holds in checks.items():
        if not holds:
            raise HistoryError(f"{name} cannot be read as a history file: {sentence}")
