"""Caches of Explore: a few inspections, which are large, and many of the small results drawn from them."""

from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.gates import BlockGates, Recalibration, channel_share, recalibration
from scse_viz.inference.features import Inspection, inspect_block
from scse_viz.rendering.panels import Panel, feature_panels
from scse_viz.scans import ScanSlice
from scse_viz.ui.shell import cached
from scse_viz.zoo import Card


@dataclass(frozen=True, eq=False)
class BlockSummary:
    """The effect of a block on the features of one slice, and the share of its channel half where the halves are
    added."""

    recalibration: Recalibration
    channel_share: float | None


@cached.resource
def inspection(scan_slice: ScanSlice, card: Card, block: str) -> Inspection:
    """The features of one block, shared and read-only; the last few are kept. Raises ScanError, WeightsError."""
    return inspect_block(scan_slice, cached.network(card), card, block)


@cached.data
def block_summary(scan_slice: ScanSlice, card: Card, block: str) -> BlockSummary:
    """The effect of one block on a slice's features. Raises ScanError, WeightsError."""
    features = inspection(scan_slice, card, block)
    gates = cached.result(scan_slice, card).gates[block]
    share = None
    if gates.channel_gate is not None and gates.spatial_gate is not None and _halves_add(features, gates):
        share = channel_share(features.before, gates.channel_gate, gates.spatial_gate)
    return BlockSummary(recalibration(features.before, features.after), share)


def _halves_add(features: Inspection, gates: BlockGates) -> bool:
    """Whether a block returned u c + u s, as scSE does, and not the maximum or product of its halves."""
    assert gates.channel_gate is not None
    assert gates.spatial_gate is not None
    sums = features.before * (gates.channel_gate[:, None, None] + gates.spatial_gate)
    return np.allclose(features.after, sums, rtol=1e-3, atol=1e-4 * float(np.abs(sums).max()))


@cached.data
def channel(scan_slice: ScanSlice, card: Card, block: str, number: int) -> tuple[Panel, Panel]:
    """One channel's feature maps before and after a block, on one scale. Raises ScanError, WeightsError."""
    features = inspection(scan_slice, card, block)
    size = cached.result(scan_slice, card).gates[block].map_mm
    return feature_panels(features.before[number], features.after[number], size, title=f"{block}, channel {number}")


@cached.data
def probabilities(scan_slice: ScanSlice, card: Card, _block: str, pixel: tuple[int, int]) -> np.ndarray:
    """The probability of every class at one pixel (row, column) of a slice, (classes,).

    Every block's inspection holds them; `_block`, not part of the key, names the one to read. Raises ScanError,
    WeightsError.
    """
    return inspection(scan_slice, card, _block).probabilities[:, pixel[0], pixel[1]].copy()
