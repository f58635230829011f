"""The features that enter and leave one block on one slice."""

from dataclasses import dataclass

import numpy as np
from torch import nn

from scse_viz.attention import find_sites, record
from scse_viz.inference.slices import resampled, slice_input
from scse_viz.scans import ScanSlice
from scse_viz.zoo import Card


@dataclass(frozen=True, eq=False)
class Inspection:
    """One pass recorded at one block: the features `before` and `after` it, (C, h, w) float32.

    `probabilities` (classes, H, W) float32 are the prediction's, on the slice's own grid. All arrays are read-only, so
    that an inspection can be shared.
    """

    before: np.ndarray
    after: np.ndarray
    probabilities: np.ndarray


def inspect_block(scan_slice: ScanSlice, model: nn.Module, card: Card, block: str) -> Inspection:
    """Run one slice through a network and keep the features of one of its blocks.

    Raises KeyError for a block the network lacks, and ScanError and IndexError as `inference.segment_slice`.
    """
    sites = {block: find_sites(model)[block]}
    x = slice_input(scan_slice, card)
    recording = record(model, x, features=True, sites=sites)
    grid = scan_slice.grid
    logits = resampled(recording.output, (grid.height, grid.width))
    found = recording.blocks[block]
    assert found.before is not None
    assert found.after is not None
    kept = [tensor[0].numpy() for tensor in (found.before, found.after, logits.softmax(dim=1))]
    for array in kept:
        array.setflags(write=False)
    return Inspection(*kept)
