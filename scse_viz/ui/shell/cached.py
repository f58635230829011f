"""Caches shared by all sessions: networks, and results by the content of scan and weights and by the slice.

An entry can be reached only with the digest of its scan; uploaded scans themselves stay in their session.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Any, ParamSpec, TypeVar

import numpy as np
import streamlit as st
import torch
from streamlit.runtime.scriptrunner import ScriptRunContext, add_script_run_ctx, get_script_run_ctx
from threadpoolctl import ThreadpoolController

from scse_viz import zoo
from scse_viz.inference import SliceResult, segment_slice
from scse_viz.models import EncoderDecoder
from scse_viz.rendering.panels import Panel, block_panel, intensity_range, label_panel, middle_of_head
from scse_viz.scans import PLANES, Scan, ScanSlice, read_labels, read_scan
from scse_viz.scans.samples import Sample, samples
from scse_viz.ui.shell.words import variant_title
from scse_viz.zoo import Card

cards = st.cache_data(ttl="30s", show_spinner=False)(zoo.cards)
known_samples = st.cache_data(ttl="30s", show_spinner=False)(samples)
AT_ONCE = 2
"""Networks that run in parallel for one page: a single small one leaves much of two cores idle."""
UNNOTICED = 0.5
"""Seconds of passes without a spinner."""
P = ParamSpec("P")
R = TypeVar("R")


HASHES: dict[Any, Any] = {
    Scan: lambda scan: scan.digest,
    ScanSlice: lambda scan_slice: scan_slice.key,
    Card: lambda card: (card.name, card.sha256),
}
"""What results depend on: the content of a scan, not its name; the weights of a network, not what its card says."""


def data(max_entries: int, hashes: Mapping[Any, Any] | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`st.cache_data` with scans, slices and cards hashed by their content; every caller gets its own copy."""
    return st.cache_data(max_entries=max_entries, show_spinner=False, hash_funcs={**HASHES, **(hashes or {})})


def resource(max_entries: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`st.cache_resource` with scans, slices and cards hashed by their content: shared by all sessions, read only."""
    return st.cache_resource(max_entries=max_entries, show_spinner=False, hash_funcs=HASHES)


@resource(40)
def network(card: Card) -> EncoderDecoder:
    """A network of the zoo, loaded again when the hash on its card changes. Raises WeightsError."""
    return zoo.load(card.name)


@data(400)
def result(scan_slice: ScanSlice, card: Card) -> SliceResult:
    """The prediction and gates of a network on one slice. Raises ScanError, WeightsError."""
    return segment_slice(scan_slice, network(card), card)


def results(scan_slice: ScanSlice, cards: Sequence[Card], *, drawn: bool = False) -> list[Future[SliceResult]]:
    """`result` of several networks, all finished; a future raises what `result` would.

    With `drawn`, their `panels` are made as well, those of one network beside the pass of the next. A spinner shows
    only to those who wait: its animation would take time from the passes.
    """
    compute = _drawn if drawn else result
    with ThreadPoolExecutor(AT_ONCE, initializer=_begin, initargs=(get_script_run_ctx(),)) as pool:
        futures = [pool.submit(compute, scan_slice, card) for card in cards]
        if wait(futures, timeout=UNNOTICED).not_done:
            with st.spinner("Segmenting and recording gates", show_time=False):
                wait(futures)
        return futures


def _drawn(scan_slice: ScanSlice, card: Card) -> SliceResult:
    panels(scan_slice, card)
    return result(scan_slice, card)


def _begin(run: ScriptRunContext | None) -> None:
    """Attach a thread of the pool to the run of a page, and limit its networks to one thread.

    Passes run in parallel already; a pass split over cores would wait at every layer for the slowest of them. The
    limit applies to this thread alone: torch.set_num_threads would lower that of every thread that starts later.
    """
    add_script_run_ctx(None, run)
    torch.get_num_threads()  # torch sets the number of a new thread when it is first asked for it
    _libraries().limit(limits=1, user_api="openmp")


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


@resource(8)
def sample_scan(sample: Sample) -> Scan:
    """The scan of a sample, shared by all sessions and read only."""
    return read_scan(sample.scan)


@resource(8)
def sample_labels(sample: Sample) -> np.ndarray:
    """The labels of a sample on the grid of its scan, (X, Y, Z)."""
    return read_labels(sample.labels, sample_scan(sample))


@data(64)
def shown_intensities(scan: Scan) -> tuple[float, float]:
    """The intensities that are drawn black and white."""
    return intensity_range(scan.voxels)


@data(64)
def first_slice(scan: Scan, plane: str) -> int:
    """The slice to begin with: through the middle of the head."""
    return middle_of_head(scan.voxels, PLANES[plane])


@data(400)
def panels(scan_slice: ScanSlice, card: Card) -> dict[str, Panel]:
    """The pictures of one slice and network: "prediction", and every block by name. Raises ScanError, WeightsError."""
    made, grid, title = result(scan_slice, card), scan_slice.grid, variant_title(card.variant)
    names = [structure.name for structure in card.structures]
    prediction = label_panel(made.labels, names, grid.row_mm * grid.column_mm, title=f"{title}, prediction")
    blocks = {name: block_panel(gates, title=f"{title}, {name}") for name, gates in made.gates.items()}
    return {"prediction": prediction, **blocks}
