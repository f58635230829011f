"""What the page Compare keeps: agreement of several networks on one slice, by the content of scan and weights."""

from collections.abc import Sequence
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
from scse_viz.models import BLOCK_NAMES
from scse_viz.rendering.panels import Panel, difference_panel, disagreement_panel, outvoted_panel
from scse_viz.scans import ScanSlice
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.words import variant_title
from scse_viz.zoo import Card


@dataclass(frozen=True, eq=False)
class NetworkAgreement:
    """Networks on one slice: where they disagree, who is outvoted there, and the Dice (N, N, classes) of each pair.

    `contested` is the share of what any network segments on which they disagree, `area` that in cm².
    """

    disagreement: Panel
    outvoted: tuple[Panel, ...]
    dice: np.ndarray
    contested: float
    area: float


@cached.data(100)
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
        pairwise_dice([*labels], len(cards[0].structures)),
        contested_share(labels),
        float(np.count_nonzero(differing)) * area / 100,
    )


@cached.data(200)
def differences(scan_slice: ScanSlice, card: Card, reference: Card) -> dict[str, Panel]:
    """The spatial gates of a network minus those of another, by block, where both have one of the same size."""
    one, other = (cached.result(scan_slice, each) for each in (card, reference))
    title, subtracted = variant_title(card.variant), variant_title(reference.variant)
    sizes = {block: panel.map_mm for block, panel in cached.panels(scan_slice, card).items()}
    panels = {}
    for block in BLOCK_NAMES:
        gate, less = (each.gates.get(f"{block}/spatial_gate") for each in (one, other))
        size = sizes[block]
        if gate is not None and less is not None and gate.shape == less.shape and size is not None:
            panels[block] = difference_panel(gate - less, size, title=f"{title}, {block} minus {subtracted}")
    return panels


MAP_MEASURES = {"correlation": correlations, "overlap": quartile_overlaps}
"""How two spatial gates are compared: the name of the measure, and what computes its matrix."""


@cached.data(200)
def map_likeness(slices: Sequence[ScanSlice], cards: Sequence[Card]) -> dict[str, dict[str, np.ndarray]]:
    """How alike the spatial gates of networks are, each on its slice: measure -> block -> (N, N); see MAP_MEASURES."""
    gates = [cached.result(scan_slice, card).gates for scan_slice, card in zip(slices, cards, strict=True)]
    maps = {block: [found[f"{block}/spatial_gate"] for found in gates] for block in BLOCK_NAMES}
    return {name: {block: measure(each) for block, each in maps.items()} for name, measure in MAP_MEASURES.items()}


def channel_likeness(gates: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Rank correlation of the channel gates of networks by block: block -> (N, N)."""
    return {block: rank_correlations([found[f"{block}/channel_gate"] for found in gates]) for block in BLOCK_NAMES}
