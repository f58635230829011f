"""NAME.run/metrics.csv, and the sentences that report a validation."""

import csv
from collections.abc import Sequence
from pathlib import Path

from scse_viz.training.engine.learner import Row

MOST = 6
"""Structures up to which a sentence gives Dice one by one."""


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write metrics.csv anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({key: round(value, 5) for key, value in row.items()} for row in rows)


def sentence(row: Row, steps: int) -> str:
    """A validation in words; of many structures the mean alone."""
    dice = [f"{key.removeprefix('Dice ')} {score:.3f}" for key, score in row.items() if key.startswith("Dice ")]
    detail = f" ({', '.join(dice)})" if len(dice) <= MOST else ""
    return (
        f"step {row['step']:.0f} of {steps}: validation Dice {row['mean Dice']:.3f}{detail}, "
        f"loss {row['validation loss']:.3f}"
    )
