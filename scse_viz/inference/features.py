"""The features that enter and leave one block on one slice."""

from dataclasses import dataclass

import numpy as np
from torch import nn

from scse_viz.attention import Recording, find_sites, record
from scse_viz.inference.inputs import accepted, prepared_slice, resampled
from scse_viz.scans import ScanSlice
from scse_viz.system.devices import beside
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

    Raises KeyError for a block that the network lacks, ValueError for one that no pass reaches, and ScanError and
    IndexError as `inference.segment_slice`.
    """
    features = prepared_slice(scan_slice, card)
    with accepted(features):
        x = beside(features.x, model)
        sites = {block: find_sites(model, x)[block]}
        recording = features.joined(record(model, x, features=True, sites=sites))
    grid = scan_slice.grid
    logits = resampled(recording.output, (grid.height, grid.width))
    kept = [*features_of(recording, block), logits.softmax(dim=1)[0].numpy()]
    for array in kept:
        array.setflags(write=False)
    return Inspection(*kept)


def features_of(recording: Recording, block: str) -> tuple[np.ndarray, np.ndarray]:
    """The features (C, h, w) that enter and leave a block, of the first image of a recording that has kept them.

    C counts the channels of all branches where a gate chooses among branches. A block that is divided over several
    products is assumed to leave its features as they entered, and a stage that takes a list of features to have
    received them as it leaves them. Raises ValueError for a block that did not run.
    """
    recorded = recording.blocks[block]
    before = recorded.after if recorded.before is None else recorded.before
    if before is None:
        raise ValueError(f"block {block!r} did not run in this pass, so it has no features")
    before, after = before, before if recorded.after is None else recorded.after
    before, after = (features.flatten(1, -3)[0] for features in (before, after))  # (C, h, w)
    return before.numpy(), after.numpy()
