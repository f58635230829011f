"""Changed gates on one slice of a scan: the answers of a network to be compared, block by block, channel by channel."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.attention import record
from scse_viz.inference.slices import LARGEST, input_size, resampled, slice_input
from scse_viz.intervention import Change, Region, intervene, sweep_channels
from scse_viz.models.skeleton import DEPTH
from scse_viz.scans import ScanSlice, SliceGrid
from scse_viz.zoo import Card


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network says of a slice, on its own grid: `labels` (H, W) uint8 and `probabilities` (classes, H, W)."""

    labels: np.ndarray
    probabilities: np.ndarray


def predict(
    scan_slice: ScanSlice, model: nn.Module, card: Card, changes: Mapping[str, Change] | None = None
) -> Prediction:
    """One slice through a network, with blocks changed where `changes` say. Raises as `inference.segment_slice`."""
    x = slice_input(scan_slice, card)
    return _predictions(intervene(model, x, changes or {}).output, scan_slice.grid)[0]


def predict_without(
    scan_slice: ScanSlice, model: nn.Module, card: Card, block: str, channels: Sequence[int]
) -> Iterator[tuple[int, Prediction]]:
    """One slice through a network with one channel of a block knocked out: yields each channel with the answer.

    As many channels go together as the limit of `inference` lets pass. Raises as `inference.segment_slice`.
    """
    x, grid = slice_input(scan_slice, card), scan_slice.grid
    together = max(1, min(len(channels), LARGEST // x[0, 0].numel(), LARGEST // (grid.height * grid.width)))
    for some, recording in sweep_channels(model, x, block, channels, batch=together):
        yield from zip(some, _predictions(recording.output, grid), strict=True)


def channel_magnitudes(scan_slice: ScanSlice, model: nn.Module, card: Card) -> dict[str, np.ndarray]:
    """The mean of |v| over every channel of the features v (C, h, w) that leave each block: block -> (C,), float32."""
    recording = record(model, slice_input(scan_slice, card), features=True)
    found = {}
    for name, block in recording.blocks.items():
        assert block.after is not None
        found[name] = block.after[0].abs().mean(dim=(1, 2)).numpy()
    return found


def region(inside: np.ndarray, value: float, scan_slice: ScanSlice, card: Card) -> Region:
    """A part of a slice (H, W) bool as a region in which spatial gates of our networks are `value`.

    The region is brought to the network's input as the slice is, and padded as the network pads it.
    """
    mask = resampled(
        torch.from_numpy(inside.astype(np.float32))[None, None], input_size(scan_slice.scan, card, scan_slice.plane)
    )
    height, width = mask.shape[-2:]
    multiple = 2**DEPTH
    padded = F.pad(mask, (0, -width % multiple, 0, -height % multiple), mode="replicate")
    return Region(padded[0, 0].clamp(0, 1), value)


def _predictions(logits: Tensor, grid: SliceGrid) -> list[Prediction]:
    logits = resampled(logits, (grid.height, grid.width))
    labels = logits.argmax(dim=1).to(torch.uint8)
    return [
        Prediction(each.numpy(), probabilities.numpy())
        for each, probabilities in zip(labels, logits.softmax(dim=1), strict=True)
    ]
