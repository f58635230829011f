"""Caches of Compare: agreement of several networks on one slice."""

from collections.abc import Callable, Mapping, Sequence
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
from scse_viz.rendering.panels import Panel, difference_panel, disagreement_panel, label_panel, outvoted_panel
from scse_viz.scans import ScanSlice
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.words import network_title
from scse_viz.zoo import Card
from scse_viz.zoo.class_sets import ClassSets, class_sets
from scse_viz.zoo.structures import Structure


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
    """How far networks agree on one slice, on the classes that all of them have. Raises ScanError, WeightsError."""
    labels = np.stack(_shared_labels(scan_slice, cards)[0])
    area = scan_slice.grid.row_mm * scan_slice.grid.column_mm
    differing = disagreement(labels)
    return NetworkAgreement(
        disagreement_panel(differing, len(labels), area),
        tuple(
            outvoted_panel(marked, area, title=f"{network_title(card)}, disagreement")
            for card, marked in zip(cards, outvoted(labels), strict=True)
        ),
        contested_share(labels),
        float(np.count_nonzero(differing)) * area / 100,
    )


@cached.data
def dice_of_pairs(scan_slice: ScanSlice, cards: Sequence[Card]) -> np.ndarray:
    """Dice of each pair of predictions of one slice, (N, N, shared classes). Raises ScanError, WeightsError."""
    return pairwise_dice(*_shared_labels(scan_slice, cards))


def _shared_labels(scan_slice: ScanSlice, cards: Sequence[Card]) -> tuple[list[np.ndarray], int]:
    """The predictions of networks in the numbers of the classes that all of them have, and how many these are."""
    classes = class_sets([card.structures for card in cards])
    results = [cached.result(scan_slice, card) for card in cards]
    labels = [classes.in_shared(made.labels, card.structures) for made, card in zip(results, cards, strict=True)]
    return labels, len(classes.shared)


@cached.data
def prediction(scan_slice: ScanSlice, card: Card, structures: tuple[Structure, ...]) -> Panel:
    """The prediction of a network in the numbers of `structures`, which hold its own. Raises as `agreement`."""
    made, grid = cached.result(scan_slice, card), scan_slice.grid
    labels = ClassSets(structures, structures).in_all(made.labels, card.structures)
    names = [structure.name for structure in structures]
    return label_panel(labels, names, grid.row_mm * grid.column_mm, title=f"{network_title(card)}, prediction")


@cached.data
def differences(
    scan_slice: ScanSlice, card: Card, reference: Card, blocks: Mapping[str, tuple[str, str]]
) -> dict[str, Panel]:
    """The spatial gates of a network minus those of another, by row, where both have one of the same size.

    blocks: row -> the block of either network.
    """
    minuend, subtrahend = (cached.result(scan_slice, network) for network in (card, reference))
    title, subtracted = network_title(card), network_title(reference)
    panels = {}
    for block, (own, others) in blocks.items():
        gates = minuend.gates[own]
        gate, less = gates.spatial_gate, subtrahend.gates.get(others, BlockGates()).spatial_gate
        if gate is not None and less is not None and gate.shape == less.shape:
            panels[block] = difference_panel(gate - less, gates.map_mm, title=f"{title}, {block} minus {subtracted}")
    return panels


MAP_MEASURES = {"correlation": correlations, "overlap": quartile_overlaps}
"""Measures of likeness of spatial gates: name -> function from maps to their matrix."""


@cached.data
def map_likeness(
    slices: Sequence[ScanSlice], cards: Sequence[Card], blocks: Sequence[Mapping[str, str]]
) -> dict[str, dict[str, np.ndarray]]:
    """How alike the gates of networks are by pixel, each on its slice: measure -> row -> (N, N); see MAP_MEASURES.

    blocks: row -> block, of each network.
    """
    results = [cached.result(scan_slice, card).gates for scan_slice, card in zip(slices, cards, strict=True)]
    gates = [
        {row: by_block[block] for row, block in own.items()} for by_block, own in zip(results, blocks, strict=True)
    ]
    maps = by_common_block(gates, "pixel_gate")
    return {
        name: {block: _matrix(measure, arrays) for block, arrays in maps.items()}
        for name, measure in MAP_MEASURES.items()
    }


def channel_likeness(gates: Sequence[Mapping[str, BlockGates]]) -> dict[str, np.ndarray]:
    """Rank correlation of the channel gates of networks by block: block -> (N, N)."""
    weights = by_common_block(gates, "channel_gate")
    return {block: _matrix(rank_correlations, arrays) for block, arrays in weights.items()}


def by_common_block(gates: Sequence[Mapping[str, BlockGates]], kind: str) -> dict[str, list[np.ndarray | None]]:
    """The gates of one kind by the blocks where two networks or more have it, None for a network that lacks it."""
    blocks = dict.fromkeys(block for of_network in gates for block in of_network)
    common = {block: [getattr(of_network.get(block, BlockGates()), kind) for of_network in gates] for block in blocks}
    return {block: arrays for block, arrays in common.items() if sum(array is not None for array in arrays) > 1}


def _matrix(measure: Callable[[Sequence[np.ndarray]], np.ndarray], arrays: Sequence[np.ndarray | None]) -> np.ndarray:
    """A measure of likeness of N gates, of which some may be missing: (N, N), nan for these."""
    there = [number for number, array in enumerate(arrays) if array is not None]
    values = np.full((len(arrays), len(arrays)), np.nan)
    values[np.ix_(there, there)] = measure([array for array in arrays if array is not None])
    return values
