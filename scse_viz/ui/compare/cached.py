"""What the page Compare keeps: agreement of several networks on one slice, by the content of scan and weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

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
from scse_viz.scans import Scan, slice_grid
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.words import variant_title
from scse_viz.zoo import Card


@dataclass(frozen=True, eq=False)
class Agreement:
    """Networks on one slice: where they disagree, who is outvoted there, and the Dice (N, N, classes) of each pair.

    `contested` is the share of what any network segments on which they disagree, `area` that in cm².
    """

    disagreement: Panel
    outvoted: tuple[Panel, ...]
    dice: np.ndarray
    contested: float
    area: float


@st.cache_data(max_entries=100, show_spinner=False)
def _agreement(
    _scan: Scan, digest: str, plane: str, index: int, _cards: Sequence[Card], weights: tuple[tuple[str, str], ...]
) -> Agreement:
    labels = np.stack([cached.result(_scan, plane, index, card).labels for card in _cards])
    view = slice_grid(_scan, plane)
    area = view.row_mm * view.column_mm
    differing = disagreement(labels)
    return Agreement(
        disagreement_panel(differing, len(labels), area),
        tuple(
            outvoted_panel(marked, area, title=f"{variant_title(card.variant)}, disagreement")
            for card, marked in zip(_cards, outvoted(labels), strict=True)
        ),
        pairwise_dice([*labels], len(_cards[0].structures)),
        contested_share(labels),
        float(np.count_nonzero(differing)) * area / 100,
    )


def agreement(scan: Scan, plane: str, index: int, cards: Sequence[Card]) -> Agreement:
    """How far networks agree on one slice. Raises ScanError, WeightsError."""
    return _agreement(scan, scan.digest, plane, index, cards, _weights(cards))


@st.cache_data(max_entries=200, show_spinner=False)
def _differences(
    _scan: Scan, digest: str, plane: str, index: int, _cards: tuple[Card, Card], weights: tuple[tuple[str, str], ...]
) -> dict[str, Panel]:
    one, other = (cached.result(_scan, plane, index, card) for card in _cards)
    title, subtracted = (variant_title(card.variant) for card in _cards)
    sizes = {block: panel.map_mm for block, panel in cached.panels(_scan, plane, index, _cards[0]).items()}
    panels = {}
    for block in BLOCK_NAMES:
        gate, reference = (each.gates.get(f"{block}/spatial_gate") for each in (one, other))
        size = sizes[block]
        if gate is not None and reference is not None and gate.shape == reference.shape and size is not None:
            panels[block] = difference_panel(gate - reference, size, title=f"{title}, {block} minus {subtracted}")
    return panels


def differences(scan: Scan, plane: str, index: int, card: Card, reference: Card) -> dict[str, Panel]:
    """The spatial gates of a network minus those of another, by block, where both have one of the same size."""
    pair = (card, reference)
    return _differences(scan, scan.digest, plane, index, pair, _weights(pair))


MAP_MEASURES = {"correlation": correlations, "overlap": quartile_overlaps}
"""How two spatial gates are compared: the name of the measure, and what computes its matrix."""


@st.cache_data(max_entries=200, show_spinner=False)
def _map_likeness(
    _slices: Sequence[tuple[Scan, str, int]],
    _cards: Sequence[Card],
    slices: tuple[tuple[str, str, int], ...],
    weights: tuple[tuple[str, str], ...],
) -> dict[str, dict[str, np.ndarray]]:
    gates = [cached.result(*place, card).gates for place, card in zip(_slices, _cards, strict=True)]
    maps = {block: [found[f"{block}/spatial_gate"] for found in gates] for block in BLOCK_NAMES}
    return {name: {block: measure(each) for block, each in maps.items()} for name, measure in MAP_MEASURES.items()}


def map_likeness(slices: Sequence[tuple[Scan, str, int]], cards: Sequence[Card]) -> dict[str, dict[str, np.ndarray]]:
    """How alike the spatial gates of networks are, each on its slice: measure -> block -> (N, N); see MAP_MEASURES."""
    keys = tuple((scan.digest, plane, index) for scan, plane, index in slices)
    return _map_likeness(slices, cards, keys, _weights(cards))


def channel_likeness(gates: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Rank correlation of the channel gates of networks by block: block -> (N, N)."""
    return {block: rank_correlations([found[f"{block}/channel_gate"] for found in gates]) for block in BLOCK_NAMES}


def _weights(cards: Sequence[Card]) -> tuple[tuple[str, str], ...]:
    return tuple((card.name, card.sha256) for card in cards)
