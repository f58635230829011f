"""Where the pixels of a slice look: the attention of one non-local block, from one pixel to all others."""

import numpy as np
from torch import nn

from scse_viz.attention import find_sites, record
from scse_viz.blocks import Pairs
from scse_viz.inference.inputs import prepared_slice
from scse_viz.scans import ScanSlice, SliceGrid
from scse_viz.system.devices import beside
from scse_viz.zoo import Card


def pairs_of(scan_slice: ScanSlice, model: nn.Module, card: Card, block: str) -> Pairs:
    """Queries and keys of a non-local block on one slice.

    Raises KeyError for a block that the network lacks, ValueError for one without attention, and ScanError and
    IndexError as `inference.segment_slice`.
    """
    inputs = prepared_slice(scan_slice, card)
    x = beside(inputs.x, model)
    recording = inputs.joined(record(model, x, sites={block: find_sites(model, x)[block]}))
    pairs = recording.blocks[block].attention
    if pairs is None:
        raise ValueError(f"block {block!r} of {card.name} has no attention; choose a block of a non-local network")
    return pairs


def looks_from(
    pairs: Pairs, pixel: tuple[int, int], grid: SliceGrid, scale: int, pixel_mm: tuple[float, float]
) -> np.ndarray:
    """Where one pixel (row, column) of a slice looks: (h, w) float32, in multiples of an even share.

    scale: that of the block; pixel_mm: pixels of the network's input, as in SliceResult.
    """
    height, width = pairs.query.shape[2:]
    row = int((pixel[0] + 0.5) * grid.row_mm // (scale * pixel_mm[0]))
    column = int((pixel[1] + 0.5) * grid.column_mm // (scale * pixel_mm[1]))
    shares = pairs.row(min(row, height - 1), min(column, width - 1))[0]
    return (shares * shares.numel()).numpy()
