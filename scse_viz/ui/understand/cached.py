"""Caches of Understand: sums over single slices, history files, and the steps of one block."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from scse_viz.analysis.errors import ByEntropy, ByError, by_entropy, by_error, counted_pixels, verdicts
from scse_viz.analysis.structures import ByStructure, by_structure
from scse_viz.inference.belief import SliceCase, SliceTests, believe, case_of
from scse_viz.inference.health import SliceExam, examine_slice
from scse_viz.inference.relatives import RelativeSteps
from scse_viz.inference.relatives import relative_steps as steps_of_relative
from scse_viz.inference.steps import BlockSteps, block_steps, channel_gates_of_crop
from scse_viz.scans import ScanSlice
from scse_viz.scans.samples import Group, in_groups
from scse_viz.ui.shell import cached
from scse_viz.zoo import PRETRAINED, Card, home
from scse_viz.zoo.beliefs import BeliefResults, read_beliefs
from scse_viz.zoo.history import SUFFIX, TrainingHistory, read_history
from scse_viz.zoo.scores import Comparison, Experiment, NetworkResults, ResultsError
from scse_viz.zoo.scores import comparisons as read_comparisons
from scse_viz.zoo.scores import experiments as read_experiments
from scse_viz.zoo.scores import other_seeds as read_other_seeds


@cached.data
def structures(scan_slice: ScanSlice, card: Card) -> ByStructure:
    """The gates of one slice by predicted structure. Raises ScanError, WeightsError."""
    made = cached.result(scan_slice, card)
    return by_structure(made.gates, made.labels, len(card.structures), _slice_mm(scan_slice))


@cached.data
def errors(scan_slice: ScanSlice, card: Card, reference_labels: np.ndarray, groups: Sequence[Group]) -> ByError:
    """The gates of one slice where its prediction is right and wrong; reference_labels (H, W), numbers of the groups.

    Raises ScanError, WeightsError.
    """
    made = cached.result(scan_slice, card)
    verdict = verdicts(in_groups(made.labels, groups), reference_labels)
    return by_error(made.gates, verdict, _slice_mm(scan_slice))


@cached.data
def entropies(scan_slice: ScanSlice, card: Card) -> ByEntropy:
    """The gates of one slice by the entropy of its prediction. Raises ScanError, WeightsError."""
    made = cached.result(scan_slice, card)
    counted = counted_pixels(made.labels, made.confidence)
    return by_entropy(made.gates, made.entropy, counted, _slice_mm(scan_slice))


@cached.resource
def steps(scan_slice: ScanSlice, card: Card, block: str) -> BlockSteps:
    """The steps of one block on one slice, shared and read-only; the last few are kept. Raises as `structures`."""
    return block_steps(scan_slice, cached.network(card), card, block)


@cached.data
def exam(scan_slice: ScanSlice, card: Card, reference_labels: np.ndarray | None, groups: Sequence[Group]) -> SliceExam:
    """Every gate of one slice observed and switched off; reference_labels (H, W), numbers of the groups, or None.

    Raises ScanError, WeightsError.
    """
    return examine_slice(scan_slice, cached.network(card), card, reference_labels, groups)


@cached.data
def believed(
    scan_slice: ScanSlice, card: Card, block: str, number: int, _tell: Callable[[float], None]
) -> tuple[SliceCase, SliceTests] | None:
    """The tests of a block for a structure as the network predicts it on one slice; None where it is too small.

    Raises ScanError, WeightsError.
    """
    model = cached.network(card)
    case = case_of(scan_slice, model, card, number)
    return None if case is None else (case, believe(case, model, [block], _tell))


@cached.data
def crop(scan_slice: ScanSlice, card: Card, side: int) -> dict[str, np.ndarray]:
    """The channel gates when the network sees the middle of a slice alone, (C,) by block. Raises as `structures`."""
    return channel_gates_of_crop(scan_slice, cached.network(card), card, side)


def _slice_mm(scan_slice: ScanSlice) -> tuple[float, float]:
    return scan_slice.grid.row_mm, scan_slice.grid.column_mm


@st.cache_data(ttl="30s", show_spinner=False)
def other_seeds() -> list[NetworkResults]:
    """The results of the same networks trained with other seeds; empty where none can be read."""
    try:
        return read_other_seeds(PRETRAINED)
    except ResultsError:
        return []


@st.cache_data(ttl="30s", show_spinner=False)
def comparisons() -> list[Comparison]:
    """The comparisons of variants with none and scSE; empty where there are none that can be read."""
    try:
        return read_comparisons(PRETRAINED)
    except ResultsError:
        return []


@st.cache_data(ttl="30s", show_spinner=False)
def experiments() -> dict[str, Experiment]:
    """The experiments that explain the results, by name; empty where none can be read."""
    try:
        return read_experiments(PRETRAINED)
    except ResultsError:
        return {}


@cached.resource
def _history(name: str, changed: int) -> TrainingHistory:
    return read_history(home(name) / f"{name}{SUFFIX}")


@st.cache_data(ttl="30s", show_spinner=False)
def beliefs() -> dict[str, BeliefResults]:
    """Whether the maps of the networks can be believed, as it was measured; empty where nothing can be read."""
    try:
        return read_beliefs(PRETRAINED)
    except ResultsError:
        return {}


def history(card: Card) -> TrainingHistory:
    """The training history of a network. Raises HistoryError where there is none, or it cannot be used."""
    path = home(card.name) / f"{card.name}{SUFFIX}"
    return _history(card.name, path.stat().st_mtime_ns if path.is_file() else 0)


@cached.data
def relative_steps(scan_slice: ScanSlice, card: Card, block: str) -> RelativeSteps:
    """The steps of a block of a relative on one slice. Raises ScanError, WeightsError."""
    return steps_of_relative(scan_slice, cached.network(card), card, block)


def gated_blocks(scan_slice: ScanSlice, card: Card) -> list[str]:
    """The blocks of a network that have gates or attention, in the order of a pass. Raises ScanError, WeightsError."""
    return [name for name, gates in cached.result(scan_slice, card).gates.items() if gates.changeable]
