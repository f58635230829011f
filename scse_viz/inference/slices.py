"""A slice of a scan through a network: its prediction and its gates."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.analysis.gates import GATE_KINDS, BlockGates
from scse_viz.attention import Recording
from scse_viz.intervention import Change, intervene
from scse_viz.scans import Scan, ScanError, ScanSlice, SliceGrid, slice_grid, slice_of
from scse_viz.sites import Site
from scse_viz.zoo import Card

TOLERANCE = 0.05
"""A slice is not resampled where its pixel size is within this share of the card's."""
LARGEST = 1024 * 1024
"""Pixels of one pass, all slices of a batch together: 0.6 GB of features in a shipped U-Net."""
SAMPLE = 500_000
"""Voxels, about, from which percentiles are computed; a larger scan is subsampled evenly."""
KINDS = (*GATE_KINDS, "activation")


@dataclass(frozen=True, eq=False)
class SliceResult:
    """Prediction and gates of a network on one slice of H x W pixels.

    `labels` (H, W) uint8 class numbers, `confidence` (H, W) float32, the probability of that class, and `entropy`
    (H, W) float32, that of all probabilities from 0 (certain) to 1 (uniform), lie on the slice's own grid. `gates`,
    float32, by block in the order of the pass. `pixel_mm` is the pixel size of the network's input (row, column); a
    pixel of a map of scale s covers s times that, from the top left.
    """

    labels: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    gates: dict[str, BlockGates]
    pixel_mm: tuple[float, float]


def window(scan: Scan, card: Card) -> tuple[float, float]:
    """The intensities mapped to 0 and 1: the card's percentiles over the whole scan, the same for all its slices.

    Where the two percentiles coincide the scan's minimum and maximum are used; a constant scan maps to 0.
    """
    step = math.ceil((scan.voxels.size / SAMPLE) ** (1 / 3))
    low, high = np.percentile(scan.voxels[::step, ::step, ::step], (card.window.low, card.window.high))
    if low == high:
        low, high = float(scan.voxels.min()), float(scan.voxels.max())
    if low == high:
        high = low + max(1, abs(low))
    return float(low), float(high)


def input_size(scan: Scan, card: Card, plane: str) -> tuple[int, int]:
    """Rows and columns of the network's input: the slice's own, or those of the slice resampled to `card.pixel_mm`.

    Raises ScanError for a plane the scan lacks, and for slices beyond `LARGEST` before or after resampling.
    """
    if plane not in scan.planes:
        raise ScanError(
            f"{scan.name}: no {plane} slices in this image; choose {' or '.join(scan.planes) or 'another image'}"
        )
    grid = slice_grid(scan, plane)
    rows = _pixels(grid.height, grid.row_mm, card.pixel_mm)
    columns = _pixels(grid.width, grid.column_mm, card.pixel_mm)
    for height, width in ((grid.height, grid.width), (rows, columns)):
        if height * width > LARGEST:
            raise ScanError(
                f"{scan.name}: {plane} slices of {height} × {width} pixels; the limit is {LARGEST:,} pixels, "
                "crop or shrink the image"
            )
    return rows, columns


def network_input(scan: Scan, card: Card, plane: str, indices: Sequence[int], levels: tuple[float, float]) -> Tensor:
    """Slices of a plane as input of a network: (B, in_channels, h, w) in 0 to `card.window.maximum`.

    `levels` are those of `window`. The field of view is kept, its edges aligned. Raises as `input_size`, and ScanError
    for a network whose channels are scans of different kinds.
    """
    if card.channels:
        raise ScanError(
            f"{scan.name}: one scan, and {card.name} was trained on {len(card.channels)} at once "
            f"({', '.join(card.channels)}), which cannot be opened yet; choose a network of one channel"
        )
    size = input_size(scan, card, plane)
    low, high = levels
    slices = np.stack([slice_of(scan.voxels, plane, index) for index in indices]).astype(np.float64)
    x = torch.from_numpy(((slices - low) / (high - low)).clip(0, card.window.maximum).astype(np.float32))
    return resampled(x[:, None], size).expand(-1, card.in_channels, -1, -1)


def slice_input(scan_slice: ScanSlice, card: Card) -> Tensor:
    """One slice as input of a network, (1, in_channels, h, w). Raises as `network_input`."""
    return network_input(scan_slice.scan, card, scan_slice.plane, [scan_slice.index], window(scan_slice.scan, card))


def segment_slice(
    scan_slice: ScanSlice,
    model: nn.Module,
    card: Card,
    *,
    changes: Mapping[str, Change] | None = None,
    sites: Mapping[str, Site] | None = None,
) -> SliceResult:
    """Segment one slice and record its gates, with blocks changed as `changes` says; see `intervention.intervene`.

    `sites` tells where the blocks are, which else a pass of its own finds in a network that is not ours. Raises
    ScanError as `input_size`, ValueError for a change of something the network lacks.
    """
    recording = intervene(model, slice_input(scan_slice, card), changes or {}, sites=sites)
    return next(_results(recording, scan_slice.grid, card))


def segment_slices(
    scan: Scan, model: nn.Module, card: Card, plane: str, *, indices: Sequence[int] | None = None, batch: int = 4
) -> Iterator[tuple[int, SliceResult]]:
    """Segment slices of a plane, all of them unless `indices` says which, and yield each with its index.

    `batch` slices go through the network at once, fewer where they would be beyond `LARGEST` pixels together; the
    results are those of single slices. Each batch is computed when its first slice is requested. Raises as
    `segment_slice`.
    """
    rows, columns = input_size(scan, card, plane)
    grid = slice_grid(scan, plane)
    wanted = range(grid.count) if indices is None else indices
    levels = window(scan, card)
    together = max(1, min(batch, LARGEST // (rows * columns), LARGEST // (grid.height * grid.width)))
    for start in range(0, len(wanted), together):
        some = wanted[start : start + together]
        recording = intervene(model, network_input(scan, card, plane, some, levels), {})
        yield from zip(some, _results(recording, grid, card), strict=True)


def resampled(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, antialiased when shrinking: x (B, C, H, W) -> (B, C, *size) over the same field of view."""
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=True)


def _results(recording: Recording, grid: SliceGrid, card: Card) -> Iterator[SliceResult]:
    """The results of a recorded batch, slice by slice, on their own grid."""
    rows, columns = recording.output.shape[-2:]
    pixel_mm = (grid.row_mm * grid.height / rows, grid.column_mm * grid.width / columns)
    scales = {block.name: block.scale for block in card.block_table}
    logits = resampled(recording.output, (grid.height, grid.width))
    peak, labels = logits.max(dim=1)
    probabilities = logits.softmax(dim=1)
    confidence = probabilities.amax(dim=1)
    # - sum p log p, where log p = logits - log sum exp(logits), over its largest possible value.
    total = peak - confidence.log()
    spread = total - (probabilities * logits).sum(dim=1)
    entropy = (spread / math.log(logits.shape[1])).clamp(0, 1)
    for row in range(len(logits)):
        yield SliceResult(  # copies: a caller that keeps one slice must not keep its batch
            labels=labels[row].numpy().astype(np.uint8),
            confidence=confidence[row].numpy().copy(),
            entropy=entropy[row].numpy().copy(),
            gates=_gates(recording, row, scales, pixel_mm),
            pixel_mm=pixel_mm,
        )


def _gates(
    recording: Recording, row: int, scales: Mapping[str, int], pixel_mm: tuple[float, float]
) -> dict[str, BlockGates]:
    """The gates of one image of a batch; scales: block -> down-sampling factor of its map."""
    gates = {}
    for name, block in recording.blocks.items():
        if name not in scales:
            continue
        arrays = {kind: gate[row].numpy().copy() for kind in KINDS if (gate := getattr(block, kind)) is not None}
        map_mm = (scales[name] * pixel_mm[0], scales[name] * pixel_mm[1])
        gates[name] = BlockGates(**arrays, map_mm=map_mm, ran=block.ran)
    return gates


def _pixels(count: int, from_mm: float, to_mm: float) -> int:
    """The number of `to_mm` pixels over `count` pixels of `from_mm`; `count` where the sizes agree within TOLERANCE."""
    if abs(from_mm / to_mm - 1) <= TOLERANCE:
        return count
    return max(1, round(count * from_mm / to_mm))
