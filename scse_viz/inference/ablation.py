"""Ablation on one slice: predictions of a network with gates changed or channels knocked out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.attention import record
from scse_viz.inference.features import features_of
from scse_viz.inference.inputs import LARGEST, accepted, one_image, prepared_slice, resampled
from scse_viz.inference.slices import changed_pass
from scse_viz.intervention import Change, Region, sweep_channels
from scse_viz.scans import ScanSlice, SliceGrid
from scse_viz.system.devices import beside
from scse_viz.zoo import Card


@dataclass(frozen=True, eq=False)
class Prediction:
    """A prediction on the slice's own grid: `labels` (H, W) uint8 and `probabilities` (classes, H, W)."""

    labels: np.ndarray
    probabilities: np.ndarray


def predict(
    scan_slice: ScanSlice, model: nn.Module, card: Card, changes: Mapping[str, Change] | None = None
) -> Prediction:
    """Segment one slice with blocks changed as `changes` says. Raises as `inference.segment_slice`."""
    recording = changed_pass(model, prepared_slice(scan_slice, card), changes or {})
    return _predictions(recording.output, scan_slice.grid)[0]


def predict_without(
    scan_slice: ScanSlice, model: nn.Module, card: Card, block: str, channels: Sequence[int]
) -> Iterator[tuple[int, Prediction]]:
    """Segment one slice with each of some channels of a block knocked out alone: yields channel and prediction.

    Channels are batched up to `inference.LARGEST` pixels. Raises as `inference.segment_slice`.
    """
    inputs, grid = prepared_slice(scan_slice, card), scan_slice.grid
    x = one_image(inputs, "knocking out channels one by one")
    together = max(1, min(len(channels), LARGEST // x[0, 0].numel(), LARGEST // (grid.height * grid.width)))
    for some, recording in sweep_channels(model, beside(x, model), block, channels, batch=together):
        yield from zip(some, _predictions(inputs.joined(recording).output, grid), strict=True)


def channel_magnitudes(scan_slice: ScanSlice, model: nn.Module, card: Card) -> dict[str, np.ndarray]:
    """Mean |v| of every channel of the features v (C, h, w) that leave each block: block -> (C,), float32.

    A block that no pass reaches has no channels.
    """
    magnitudes = prepared_slice(scan_slice, card)
    with accepted(magnitudes):
        recording = magnitudes.joined(record(model, beside(magnitudes.x, model), features=True))
    return {
        name: np.abs(features_of(recording, name)[1]).mean(axis=(1, 2)) if block.ran else np.zeros(0, np.float32)
        for name, block in recording.blocks.items()
    }


def region(inside: np.ndarray, value: float, scan_slice: ScanSlice, card: Card) -> Region:
    """A mask (H, W) bool of a slice as the region in which spatial gates are set to `value`.

    The mask is resampled to the network's input as the slice is, and padded as the network pads its input.
    """
    inputs = prepared_slice(scan_slice, card)
    mask = resampled(torch.from_numpy(inside.astype(np.float32))[None, None], inputs.size)
    height, width = one_image(inputs, "a region").shape[-2:]
    height, width = height + -height % card.multiple, width + -width % card.multiple  # as our networks pad themselves
    padded = F.pad(mask, (0, width - mask.shape[-1], 0, height - mask.shape[-2]), mode="replicate")
    return Region(padded[0, 0].clamp(0, 1), value)


def _predictions(logits: Tensor, grid: SliceGrid) -> list[Prediction]:
    logits = resampled(logits, (grid.height, grid.width))
    labels = logits.argmax(dim=1).to(torch.uint8)
    return [
        Prediction(classes.numpy(), probabilities.numpy())
        for classes, probabilities in zip(labels, logits.softmax(dim=1), strict=True)
    ]
