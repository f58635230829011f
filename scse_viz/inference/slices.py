"""A slice of a scan through a network: its prediction and its gates."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from scse_viz.analysis.gates import ARRAY_KINDS, BlockGates
from scse_viz.attention import BlockRecord, Recording
from scse_viz.inference.inputs import (
    LARGEST,
    Prepared,
    accepted,
    channel_scans,
    input_size,
    prepared,
    prepared_slice,
    resampled,
    window,
)
from scse_viz.intervention import Change, intervene
from scse_viz.recording.sites import Site
from scse_viz.scans import Scan, ScanSlice, SliceGrid, slice_grid
from scse_viz.system.devices import beside
from scse_viz.zoo import Card


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


def segment_slice(
    scan_slice: ScanSlice,
    model: nn.Module,
    card: Card,
    *,
    changes: Mapping[str, Change] | None = None,
    sites: Mapping[str, Site] | None = None,
) -> SliceResult:
    """Segment one slice and record its gates, with blocks changed as `changes` says; see `intervention.intervene`.

    `sites` tells where the blocks are, which otherwise takes an extra pass in a network that is not ours. Raises
    ScanError as `input_size`, ValueError for a change of something the network lacks.
    """
    inputs = prepared_slice(scan_slice, card)
    return next(results_of(changed_pass(model, inputs, changes or {}, sites=sites), scan_slice.grid, card))


def segment_slices(
    scan: Scan, model: nn.Module, card: Card, plane: str, *, indices: Sequence[int] | None = None, batch: int = 4
) -> Iterator[tuple[int, SliceResult]]:
    """Segment slices of a plane, all of them unless `indices` says which, and yield each with its index.

    `batch` slices go through the network at once, fewer where together they would exceed `LARGEST` pixels; the
    results are those of single slices. Each batch is computed when its first slice is requested. Raises as
    `segment_slice`.
    """
    rows, columns = input_size(scan, card, plane)
    grid = slice_grid(scan, plane)
    wanted = range(grid.count) if indices is None else indices
    levels = [window(channel_scan, card) for channel_scan in channel_scans(scan, card)]
    together = max(1, min(batch, LARGEST // (rows * columns), LARGEST // (grid.height * grid.width)))
    for start in range(0, len(wanted), together):
        some = wanted[start : start + together]
        recording = changed_pass(model, prepared(scan, card, plane, some, levels), {})
        yield from zip(some, results_of(recording, grid, card), strict=True)


def changed_pass(
    model: nn.Module, inputs: Prepared, changes: Mapping[str, Change], *, sites: Mapping[str, Site] | None = None
) -> Recording:
    """One pass with blocks changed as `changes` says; its output is class logits (B, classes, rows, columns)."""
    with accepted(inputs):
        return inputs.joined(intervene(model, beside(inputs.x, model), changes, sites=sites))


def results_of(recording: Recording, grid: SliceGrid, card: Card) -> Iterator[SliceResult]:
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
    """The gates of one image of a batch by block of the card; scales: block -> down-sampling factor of its map.

    A stage may be missing in a small image, where two resolutions of a larger one coincide: it has nothing.
    """
    gates = {}
    for name, scale in scales.items():
        block = recording.blocks.get(name, BlockRecord(ran=False))
        by_kind = {kind: getattr(block, kind) for kind in ARRAY_KINDS}
        if block.attention is not None:
            by_kind["attention"], scale = block.attention.received(), scale * block.attention.step
        arrays = {kind: gate[row].numpy().copy() for kind, gate in by_kind.items() if gate is not None}
        map_mm = (scale * pixel_mm[0], scale * pixel_mm[1])
        gates[name] = BlockGates(**arrays, map_mm=map_mm, ran=block.ran)
    return gates
