"""What the tests look at: a slice as a network sees it, a structure in it, and the maps of the network's blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.attention import Recording
from scse_viz.inference.slices import network_input, window
from scse_viz.scans import PLANES, Scan, ScanError, slice_of
from scse_viz.twins import evaluated_twin
from scse_viz.zoo import Card

DARK = 0.05
"""Pixels of the network's input up to this value are air, unless the network finds a structure there."""
LEAST_PIXELS = 20
"""A slice shows a structure from this number of pixels on."""
APART = 8
"""A slice is another one at this share, 1 / 8, of the plane's slices away."""
OTHERS = 3
BATCH = 8


@dataclass(frozen=True, eq=False)
class Case:
    """One slice as input x (1, C, h, w), and what the tests need beside it, on the input's grid.

    `structure` (h, w) bool are the pixels of the class `number`, from reference labels or, where there are none, as the
    network predicts it; `head` (h, w) bool the pixels that count. `others` (N, C, h, w) are distant slices of the same
    scan, of which the first replaces pixels that are removed.
    """

    x: Tensor
    number: int
    structure: np.ndarray
    head: np.ndarray
    others: Tensor


def slices_with(labels: np.ndarray, plane: str, number: int, count: int) -> list[int]:
    """At most `count` slices of a plane of labels (X, Y, Z) that show a structure, spread evenly over its extent."""
    pixels = np.count_nonzero(labels == number, axis=tuple(axis for axis in range(3) if axis != PLANES[plane]))
    shown = np.flatnonzero(pixels >= LEAST_PIXELS)
    if not len(shown):
        return []
    positions = np.linspace(0, len(shown) - 1, count + 2)[1:-1] if count < len(shown) else np.arange(len(shown))
    return sorted({int(shown[round(position)]) for position in positions})


def cases_of(
    scan: Scan,
    model: nn.Module,
    card: Card,
    plane: str,
    indices: Sequence[int],
    number: int,
    labels: np.ndarray | None = None,
) -> Iterator[Case]:
    """The cases of some slices for the structure with a class number; labels (X, Y, Z) are in class numbers.

    Slices without LEAST_PIXELS of the structure are passed over. Raises ScanError as `inference.segment_slice`.
    """
    levels = window(scan, card)
    runner = evaluated_twin(model)
    for index in indices:
        x = network_input(scan, card, plane, [index], levels).contiguous()
        with torch.no_grad():
            predicted = logits_of(runner, x).argmax(dim=1)[0].numpy()
        known = predicted if labels is None else _on_input(slice_of(labels, plane, index), x)
        structure = known == number
        if np.count_nonzero(structure) < LEAST_PIXELS:
            continue
        head = (x[0].amax(dim=0).numpy() > DARK) | (predicted > 0) | structure
        others = network_input(scan, card, plane, _distant(scan, plane, index), levels)
        yield Case(x, number, structure, head, others)


def logits_of(runner: nn.Module, x: Tensor) -> Tensor:
    """x (B, C, h, w) -> logits (B, classes, h, w). Raises ScanError for a network of another output."""
    logits = runner(x)
    if not isinstance(logits, Tensor) or logits.ndim != 4 or logits.shape[-2:] != x.shape[-2:]:
        raise ScanError("the network does not give one value for each class and pixel; these tests need that")
    return logits


def maps_of(recording: Recording, size: tuple[int, int], row: int = 0) -> dict[str, np.ndarray]:
    """The map of every block on the input's grid (h, w): its gate by pixel, or the activation that stands in for it."""
    found = {}
    for name, block in recording.blocks.items():
        of_pixels = block.spatial_gate
        if of_pixels is None and block.full_gate is not None:
            of_pixels = block.full_gate.mean(dim=1)
        if of_pixels is None and block.channel_gate is None:
            of_pixels = block.activation
        if of_pixels is not None and of_pixels.ndim == 3:
            found[name] = enlarged(of_pixels[row].numpy(), size)
    return found


def weights_of(recording: Recording, row: int = 0) -> dict[str, np.ndarray]:
    """The channel gate (C,) of every block that has one."""
    return {
        name: block.channel_gate[row].numpy()
        for name, block in recording.blocks.items()
        if block.channel_gate is not None
    }


def enlarged(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map (h / s, w / s) on the grid (h, w) of the input, every pixel the value of what covers it.

    The scale s is the power of two that fits; maps lie over the input from its top left, and may reach beyond it.
    """
    rows, columns = (_cells(cells, pixels) for cells, pixels in zip(values.shape, size, strict=True))
    return values[rows[:, None], columns[None]].astype(np.float32)


def dice_of(runner: nn.Module, images: Tensor, case: Case) -> np.ndarray:
    """Dice of the structure in each of several pictures (N, C, h, w) -> (N,)."""
    wanted = torch.from_numpy(case.structure)
    found = []
    for some in images.split(BATCH):
        with torch.no_grad():
            predicted = logits_of(runner, some).argmax(dim=1) == case.number
        both = (predicted & wanted).sum(dim=(1, 2))
        found.append(2 * both / (predicted.sum(dim=(1, 2)) + wanted.sum()))
    return torch.cat(found).numpy()


def _cells(cells: int, pixels: int) -> np.ndarray:
    scale = 1
    while cells * scale < pixels:
        scale *= 2
    return np.arange(pixels) // scale


def _on_input(labels: np.ndarray, x: Tensor) -> np.ndarray:
    """Labels (H, W) on the grid of the input, by the nearest pixel."""
    resized = F.interpolate(torch.from_numpy(labels.astype(np.float32))[None, None], size=x.shape[-2:], mode="nearest")
    return resized[0, 0].numpy().astype(np.int64)


def _distant(scan: Scan, plane: str, index: int) -> list[int]:
    """Slices far from one, in turn on its either side, within the middle of the plane where heads are."""
    count = scan.voxels.shape[PLANES[plane]]
    step = max(1, count // APART)
    candidates = [index + sign * step * times for times in (1, 2, 3) for sign in (1, -1)]
    inside = [each for each in candidates if 0.15 * count <= each < 0.85 * count and 0 <= each < count]
    return inside[:OTHERS] or [(index + count // 2) % count]
