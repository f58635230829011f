"""What Explore keeps: few whole inspections, for they are large, and many of the small things drawn from them."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from scse_viz.analysis.gates import Recalibration, channel_share, recalibration
from scse_viz.inference.features import Inspection, inspect_block
from scse_viz.rendering.panels import Panel, feature_panels
from scse_viz.scans import Scan
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.words import block_scale
from scse_viz.zoo import Card

HALVES_ADD = "scse"
"""The variant whose result is the sum of its halves, so that each has a share of it."""


@dataclass(frozen=True, eq=False)
class Stage:
    """A block on one slice: what it did to the features, and the share of the channel half where halves add up."""

    recalibration: Recalibration
    channel_share: float | None


@st.cache_resource(max_entries=4, show_spinner=False)
def _inspection(
    _scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str, block: str
) -> Inspection:
    return inspect_block(_scan, cached.network(name, sha256), _card, plane, index, block)


def inspection(scan: Scan, plane: str, index: int, card: Card, block: str) -> Inspection:
    """The features of one block, shared and read-only; only the last few are kept. Raises ScanError, WeightsError."""
    return _inspection(scan, scan.digest, plane, index, card, card.name, card.sha256, block)


@st.cache_data(max_entries=400, show_spinner=False)
def _stage(_scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str, block: str) -> Stage:
    found = inspection(_scan, plane, index, _card, block)
    share = None
    if _card.variant == HALVES_ADD:
        gates = cached.result(_scan, plane, index, _card).gates
        share = channel_share(found.before, gates[f"{block}/channel_gate"], gates[f"{block}/spatial_gate"])
    return Stage(recalibration(found.before, found.after), share)


def stage(scan: Scan, plane: str, index: int, card: Card, block: str) -> Stage:
    """What one block did to a slice's features. Raises ScanError, WeightsError."""
    return _stage(scan, scan.digest, plane, index, card, card.name, card.sha256, block)


@st.cache_data(max_entries=400, show_spinner=False)
def _channel(
    _scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str, block: str, channel: int
) -> tuple[Panel, Panel]:
    found = inspection(_scan, plane, index, _card, block)
    row_mm, column_mm = cached.result(_scan, plane, index, _card).pixel_mm
    size = (block_scale(block) * row_mm, block_scale(block) * column_mm)
    return feature_panels(found.before[channel], found.after[channel], size, title=f"{block}, channel {channel}")


def channel(scan: Scan, plane: str, index: int, card: Card, block: str, number: int) -> tuple[Panel, Panel]:
    """One channel's feature map before and after a block, on one scale. Raises ScanError, WeightsError."""
    return _channel(scan, scan.digest, plane, index, card, card.name, card.sha256, block, number)


@st.cache_data(max_entries=400, show_spinner=False)
def _probabilities(
    _scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str, _block: str, row: int,
    column: int,
) -> np.ndarray:  # fmt: skip
    return inspection(_scan, plane, index, _card, _block).probabilities[:, row, column].copy()


def probabilities(scan: Scan, plane: str, index: int, card: Card, block: str, place: tuple[int, int]) -> np.ndarray:
    """The probability of every class at one pixel (row, column) of a slice, (classes,).

    Every block's inspection has them; `block` says which one to take them from. Raises ScanError, WeightsError.
    """
    return _probabilities(scan, scan.digest, plane, index, card, card.name, card.sha256, block, *place)
