"""What is kept between runs: networks once a process, results by the content of scan and weights and by the slice.

Nothing here can be reached but by the digest of a scan's own content; uploaded scans themselves stay in their session.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import streamlit as st
import torch
from streamlit.runtime.scriptrunner import ScriptRunContext, add_script_run_ctx, get_script_run_ctx

from scse_viz import zoo
from scse_viz.inference import SliceResult, segment_slice
from scse_viz.models import BLOCK_NAMES, EncoderDecoder
from scse_viz.rendering.panels import Panel, block_panel, intensity_range, label_panel, middle_of_head
from scse_viz.scans import PLANES, Scan, read_labels, read_scan, slice_grid
from scse_viz.scans.samples import Sample, samples
from scse_viz.ui.shell.words import variant_title
from scse_viz.zoo import Card

cards = st.cache_data(ttl="30s", show_spinner=False)(zoo.cards)
known_samples = st.cache_data(ttl="30s", show_spinner=False)(samples)
AT_ONCE = 2
"""Networks that run side by side for one page: a single small one leaves much of two cores idle."""


@st.cache_resource(max_entries=40, show_spinner=False)
def network(name: str, sha256: str) -> EncoderDecoder:
    """A network of the zoo; sha256 is that of its card, so that new weights are loaded anew. Raises WeightsError."""
    return zoo.load(name)


@st.cache_data(max_entries=400, show_spinner=False)
def _result(_scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str) -> SliceResult:
    return segment_slice(_scan, network(name, sha256), _card, plane, index)


def result(scan: Scan, plane: str, index: int, card: Card) -> SliceResult:
    """What a network makes of one slice. Raises ScanError, WeightsError."""
    return _result(scan, scan.digest, plane, index, card, card.name, card.sha256)


def results(scan: Scan, plane: str, index: int, cards: Sequence[Card]) -> list[Future[SliceResult]]:
    """`result` of several networks, all of them done; a future raises what `result` would."""
    with ThreadPoolExecutor(AT_ONCE, initializer=_begin, initargs=(get_script_run_ctx(),)) as pool:
        return [pool.submit(result, scan, plane, index, card) for card in cards]


def _begin(run: ScriptRunContext | None) -> None:
    """A thread of the pool belongs to the run of a page, and its networks use no other: a pass that is shared out
    waits at every layer for its slowest part, here for whoever else wants the cores."""
    add_script_run_ctx(None, run)
    torch.set_num_threads(1)


@st.cache_resource(max_entries=8, show_spinner=False)
def sample_scan(sample: Sample) -> Scan:
    """The scan of a sample, shared by everybody and read only."""
    return read_scan(sample.scan)


@st.cache_resource(max_entries=8, show_spinner=False)
def sample_labels(sample: Sample) -> np.ndarray:
    """The labels of a sample on the grid of its scan, (X, Y, Z)."""
    return read_labels(sample.labels, sample_scan(sample))


@st.cache_data(max_entries=64, show_spinner=False)
def _facts(_scan: Scan, digest: str) -> tuple[tuple[float, float], dict[str, int]]:
    return intensity_range(_scan.voxels), {plane: middle_of_head(_scan.voxels, axis) for plane, axis in PLANES.items()}


def shown_intensities(scan: Scan) -> tuple[float, float]:
    """The intensities that are drawn black and white."""
    return _facts(scan, scan.digest)[0]


def first_slice(scan: Scan, plane: str) -> int:
    """The slice to begin with: through the middle of what is bright."""
    return _facts(scan, scan.digest)[1][plane]


@st.cache_data(max_entries=400, show_spinner=False)
def _panels(_scan: Scan, digest: str, plane: str, index: int, _card: Card, name: str, sha256: str) -> dict[str, Panel]:
    found = result(_scan, plane, index, _card)
    view = slice_grid(_scan, plane)
    title = variant_title(_card.variant)
    names = [structure.name for structure in _card.structures]
    prediction = label_panel(found.labels, names, view.row_mm * view.column_mm, title=f"{title}, prediction")
    blocks = {
        block: block_panel(found.gates, block, found.pixel_mm, title=f"{title}, {block}") for block in BLOCK_NAMES
    }
    return {"prediction": prediction, **blocks}


def panels(scan: Scan, plane: str, index: int, card: Card) -> dict[str, Panel]:
    """The pictures of one slice and network: "prediction", and every block by name. Raises ScanError, WeightsError."""
    return _panels(scan, scan.digest, plane, index, card, card.name, card.sha256)
