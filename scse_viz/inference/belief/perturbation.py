"""Small changes of a slice that should not matter: shifts, a flip, noise, each with what undoes it on a map."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

SHIFTS = ((2, 0), (-2, 0), (0, 2), (0, -2))
"""Rows and columns, in pixels of the network's input."""
NOISE = 0.03
"""Standard deviation, of the range from black to white."""
REACH = 2
"""Pixels at the edge of the picture that a shift moves out of it."""

Undo = Callable[[np.ndarray], np.ndarray]


def perturbed(x: Tensor, *, seed: int = 0) -> Iterator[tuple[str, Tensor, Undo]]:
    """Changed copies of an input (1, C, h, w): a name, the copy, and what takes a map (h, w) of it back."""
    for rows, columns in SHIFTS:
        yield f"shifted by {rows}, {columns} pixels", _shifted(x, rows, columns), _undo_shift(rows, columns)
    yield "flipped", x.flip(-1), lambda values: values[:, ::-1]
    noise = torch.randn(x.shape, generator=Generator().manual_seed(seed))
    yield "with noise", (x + NOISE * noise).clamp_min(0), lambda values: values


def interior(head: np.ndarray) -> np.ndarray:
    """The pixels of a mask (h, w) that no shift moves out of the picture."""
    kept = np.zeros_like(head)
    kept[REACH:-REACH, REACH:-REACH] = head[REACH:-REACH, REACH:-REACH]
    return kept


def _shifted(x: Tensor, rows: int, columns: int) -> Tensor:
    height, width = x.shape[-2:]
    padded = F.pad(x, (REACH,) * 4, mode="replicate")
    top, left = REACH - rows, REACH - columns
    return padded[..., top : top + height, left : left + width]


def _undo_shift(rows: int, columns: int) -> Undo:
    return lambda values: np.roll(values, (-rows, -columns), axis=(0, 1))
