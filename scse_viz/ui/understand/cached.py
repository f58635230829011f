"""What Understand keeps: sums over single slices, growth files, and the steps of one block."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from scse_viz.analysis.errors import ByEntropy, ByError, by_entropy, by_error, counted_pixels, verdicts
from scse_viz.analysis.structures import ByStructure, by_structure
from scse_viz.inference.steps import BlockSteps, block_steps, channel_gates_of_crop
from scse_viz.scans import Scan, slice_grid
from scse_viz.scans.samples import Group, in_groups
from scse_viz.ui.shell import cached
from scse_viz.zoo import PRETRAINED, Card, home
from scse_viz.zoo.history import SUFFIX, GrowthFile, read_growth
from scse_viz.zoo.scores import NetworkResults, ResultsError
from scse_viz.zoo.scores import results as read_results

SLICES = 4000


@st.cache_data(max_entries=SLICES, show_spinner=False)
def _structures(_scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str) -> ByStructure:
    found, view = cached.result(_scan, plane, index, _card), slice_grid(_scan, plane)
    return by_structure(found.gates, found.labels, len(_card.structures), found.pixel_mm, (view.row_mm, view.column_mm))


def structures(scan: Scan, plane: str, index: int, card: Card) -> ByStructure:
    """The gates of one slice by predicted structure. Raises ScanError, WeightsError."""
    return _structures(scan, scan.digest, plane, index, card, card.name, card.sha256)


@st.cache_data(max_entries=SLICES, show_spinner=False)
def _errors(
    _scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str, truth: np.ndarray,
    _groups: Sequence[Group], groups: str,
) -> ByError:  # fmt: skip
    found, view = cached.result(_scan, plane, index, _card), slice_grid(_scan, plane)
    verdict = verdicts(in_groups(found.labels, _groups), truth)
    return by_error(found.gates, verdict, found.pixel_mm, (view.row_mm, view.column_mm))


def errors(scan: Scan, plane: str, index: int, card: Card, truth: np.ndarray, groups: Sequence[Group]) -> ByError:
    """The gates of one slice where its prediction is right and wrong; truth (H, W) in the labels of the groups.

    Raises ScanError, WeightsError.
    """
    return _errors(scan, scan.digest, plane, index, card, card.name, card.sha256, truth, groups, repr(groups))


@st.cache_data(max_entries=SLICES, show_spinner=False)
def _entropies(_scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str) -> ByEntropy:
    found, view = cached.result(_scan, plane, index, _card), slice_grid(_scan, plane)
    counted = counted_pixels(found.labels, found.confidence)
    return by_entropy(found.gates, found.entropy, counted, found.pixel_mm, (view.row_mm, view.column_mm))


def entropies(scan: Scan, plane: str, index: int, card: Card) -> ByEntropy:
    """The gates of one slice by the entropy of its prediction. Raises ScanError, WeightsError."""
    return _entropies(scan, scan.digest, plane, index, card, card.name, card.sha256)


@st.cache_resource(max_entries=4, show_spinner=False)
def _steps(
    _scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str, block: str
) -> BlockSteps:
    return block_steps(_scan, cached.network(name, sha256), _card, plane, index, block)


def steps(scan: Scan, plane: str, index: int, card: Card, block: str) -> BlockSteps:
    """One block at work on one slice, shared and only to be read; the last few are kept. Raises as `structures`."""
    return _steps(scan, scan.digest, plane, index, card, card.name, card.sha256, block)


@st.cache_data(max_entries=100, show_spinner=False)
def _crop(
    _scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str, side: int
) -> dict[str, np.ndarray]:
    return channel_gates_of_crop(_scan, cached.network(name, sha256), _card, plane, index, side)


def crop(scan: Scan, plane: str, index: int, card: Card, side: int) -> dict[str, np.ndarray]:
    """The channel gates when the network sees the middle of a slice alone, (C,) by block. Raises as `structures`."""
    return _crop(scan, scan.digest, plane, index, card, card.name, card.sha256, side)


@st.cache_data(ttl="30s", show_spinner=False)
def results() -> dict[str, NetworkResults]:
    """What was measured of the networks, by name; empty where nothing was, or nothing that can be read."""
    try:
        return read_results(PRETRAINED)
    except ResultsError:
        return {}


@st.cache_resource(max_entries=40, show_spinner=False)
def _growth(name: str, changed: int) -> GrowthFile:
    return read_growth(home(name) / f"{name}{SUFFIX}")


def growth(card: Card) -> GrowthFile:
    """What was kept while a network was trained. Raises GrowthError where there is nothing, or nothing of use."""
    path = home(card.name) / f"{card.name}{SUFFIX}"
    return _growth(card.name, path.stat().st_mtime_ns if path.is_file() else 0)
