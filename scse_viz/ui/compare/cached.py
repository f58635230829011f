"""Caches of Compare: agreement of several networks on one slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scse_viz.analysis.agreement import (
    contested_share,
    correlations,
    disagreement,
    outvoted,
    pairwise_dice,
    quartile_overlaps,
    rank_correlations,
)
from scse_viz.analysis.gates import BlockGates
from scse_viz.rendering.panels import Panel, difference_panel, disagreement_panel, outvoted_panel
from scse_viz.scans import ScanSlice
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.words import variant_title
from scse_viz.zoo import Card


@dataclass(frozen=True, eq=False)
class NetworkAgreement:
    """Networks on one slice: where they disagree, and which are outvoted there.

    `contested` is the area of disagreement as a share of what at least one network segments, `area` that in cm².
    """

    disagreement: Panel
    outvoted: tuple[Panel, ...]
    contested: float
    area: float


@cached.data
def agreement(scan_slice: ScanSlice, cards: Sequence[Card]) -> NetworkAgreement:
    """How far networks agree on one slice. Raises ScanError, WeightsError."""
    labels = np.stack([cached.result(scan_slice, card).labels for card in cards])
    area = scan_slice.grid.row_mm * scan_slice.grid.column_mm
    differing = disagreement(labels)
    return NetworkAgreement(
        disagreement_panel(differing, len(labels), area),
        tuple(
            outvoted_panel(marked, area, title=f"{variant_title(card.variant)}, disagreement")
            for card, marked in zip(cards, outvoted(labels), strict=True)
        ),
        contested_share(labels),
        float(np.count_nonzero(differing)) * area / 100,
    )


@cached.data
def dice_of_pairs(scan_slice: ScanSlice, cards: Sequence[Card]) -> np.ndarray:
    """Dice of each pair of predictions of one slice, (N, N, classes). Raises ScanError, WeightsError."""
    return pairwise_dice([cached.result(scan_slice, card).labels for card in cards], len(cards[0].structures))


@cached.data
def differences(scan_slice: ScanSlice, card: Card, reference: Card) -> dict[str, Panel]:
    """The spatial gates of a network minus those of another, at blocks of one name where both have one of one size."""
    one, other = (cached.result(scan_slice, each) for each in (card, reference))
    title, subtracted = variant_title(card.variant), variant_title(reference.variant)
    panels = {}
    for block, gates in one.gates.items():
        gate, less = gates.spatial_gate, other.gates.get(block, BlockGates()).spatial_gate
        if gate is not None and less is not None and gate.shape == less.shape:
            panels[block] = difference_panel(gate - less, gates.map_mm, title=f"{title}, {block} minus {subtracted}")
    return panels


MAP_MEASURES = {"correlation": correlations, "overlap": quartile_overlaps}
"""Measures of likeness of spatial gates: name -> function of maps, gives their matrix."""


@cached.data
def map_likeness(slices: Sequence[ScanSlice], cards: Sequence[Card]) -> dict[str, dict[str, np.ndarray]]:
    """How alike the spatial gates of networks are, each on its slice: measure -> block -> (N, N); see MAP_MEASURES."""
    gates = [cached.result(scan_slice, card).gates for scan_slice, card in zip(slices, cards, strict=True)]
    maps = by_common_block(gates, "spatial_gate")
    return {name: {block: measure(each) for block, each in maps.items()} for name, measure in MAP_MEASURES.items()}


def channel_likeness(gates: Sequence[Mapping[str, BlockGates]]) -> dict[str, np.ndarray]:
    """Rank correlation of the channel gates of networks by block: block -> (N, N)."""
    return {block: rank_correlations(weights) for block, weights in by_common_block(gates, "channel_gate").items()}


def by_common_block(gates: Sequence[Mapping[str, BlockGates]], kind: str) -> dict[str, list[np.ndarray]]:
    """The gates of one kind of several networks, by the blocks at which all of them have one."""
    common = {block: [getattr(each.get(block, BlockGates()), kind) for each in gates] for block in gates[0]}
    return {block: arrays for block, arrays in common.items() if all(array is not None for array in arrays)}
