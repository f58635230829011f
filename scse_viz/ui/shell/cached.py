"""The cache that all sessions share: networks, and results keyed by the content of scan and weights and by slice.

All of it lies in one store within one budget, from which the least recently used goes first (`scse_viz.memory`). A
result can be reached only with the digest of its scan, and is dropped once no session has that scan open.
"""

import inspect
import pickle
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import is_dataclass
from functools import singledispatch, wraps
from hashlib import sha256
from typing import Any, ParamSpec, TypeVar

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import ScriptRunContext, add_script_run_ctx, get_script_run_ctx
from torch import nn

from scse_viz import zoo
from scse_viz.blocks import Pairs
from scse_viz.inference import SliceResult, segment_slice
from scse_viz.inference.looks import looks_from, pairs_of
from scse_viz.inference.turns import Pages, one_core
from scse_viz.memory import Store, default_limit
from scse_viz.rendering.panels import Panel, attention_panel, block_panel, intensity_range, label_panel, middle_of_head
from scse_viz.scans import PLANES, Scan, ScanSlice, read_labels, read_scan
from scse_viz.scans.samples import Sample, samples
from scse_viz.system.container import cores
from scse_viz.system.devices import device_of_app, on_device
from scse_viz.ui.shell.words import network_title
from scse_viz.zoo import PRETRAINED, Card
from scse_viz.zoo.scores import NetworkResults, readable_results

listing = st.cache_data(ttl="30s", show_spinner=False)(zoo.listing)
known_samples = st.cache_data(ttl="30s", show_spinner=False)(samples)
AT_ONCE = min(2, cores())
"""Networks that run in parallel for one page: a single small one leaves much of two cores idle."""
UNNOTICED = 0.5
"""Seconds of passes without a spinner."""
REQUESTED = "own_networks_requested"
"""Where a session has the Python of the requests that open its own networks again, by the sha256 of their cards."""
OWN = "own_networks"
"""Where a session has its own networks while the script runs, by the sha256 of their cards."""
P = ParamSpec("P")
R = TypeVar("R")

device = device_of_app()
store = Store(default_limit())
pages = Pages()


@singledispatch
def content(value: Any) -> Hashable:
    """What results depend on, as a key: the content of a scan, not its name; the weights of a network, not its card.

    Raises TypeError for a value that has no content to compare; a module that has such arguments registers theirs.
    """
    if value is not None and not isinstance(value, str | int | float | bytes) and not _compares(value):
        raise TypeError(f"{type(value).__qualname__} is no key of a cache; register its content")
    return value


content.register(Scan, lambda scan: scan.digest)
content.register(ScanSlice, lambda scan_slice: scan_slice.key)
content.register(Card, lambda card: (card.name, card.sha256))
content.register(Mapping, lambda items: tuple((key, content(value)) for key, value in items.items()))
content.register(np.generic, lambda number: number.item())
content.register(range, tuple)
content.register(list, lambda items: tuple(map(content, items)))
content.register(tuple, lambda items: tuple(map(content, items)))
content.register(
    np.ndarray, lambda array: (array.shape, array.dtype.str, sha256(np.ascontiguousarray(array)).hexdigest())
)


def data(function: Callable[P, R]) -> Callable[P, R]:
    """Cache the results of a function by the content of its arguments; every caller gets its own copy.

    Arguments whose names begin with _ are not part of the key.
    """
    key_of = _keys(function)

    @wraps(function)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        return pickle.loads(_value(key_of(*args, **kwargs), lambda: pickle.dumps(function(*args, **kwargs), 5)))

    return kept


def resource(function: Callable[P, R]) -> Callable[P, R]:
    """Cache the results of a function as `data` does, but share one copy among all callers, who only read it."""
    key_of = _keys(function)

    @wraps(function)
    def kept(*args: P.args, **kwargs: P.kwargs) -> R:
        return _value(key_of(*args, **kwargs), lambda: function(*args, **kwargs))

    return kept


def holds(function: Callable[..., Any], *args: Any) -> bool:
    """Whether the result of a function that `data` or `resource` caches is at hand."""
    return store.find(_keys(inspect.unwrap(function))(*args)) is not None


def _value(key: Hashable, make: Callable[[], Any]) -> Any:
    """The value of a key; making it counts as work that a page waits for."""
    value = store.find(key)
    if value is not None:
        return value
    with pages.first():
        return store.get(key, make)


def _keys(function: Callable[..., Any]) -> Callable[..., tuple[Hashable, ...]]:
    """Arguments of a function -> their key in the store."""
    name, signature = f"{function.__module__}.{function.__qualname__}", inspect.signature(function)

    def key_of(*args: Any, **kwargs: Any) -> tuple[Hashable, ...]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return name, *(content(value) for key, value in bound.arguments.items() if not key.startswith("_"))

    return key_of


def _compares(value: Any) -> bool:
    """Whether a value is a frozen dataclass of comparable fields."""
    return is_dataclass(value) and type(value).__eq__ is not object.__eq__ and type(value).__hash__ is not None


def cards() -> dict[str, Card]:
    """The cards of all folders of networks, by name."""
    return listing().cards


@st.cache_data(ttl="30s", show_spinner=False)
def network_results() -> dict[str, NetworkResults]:
    """What was measured of the shipped networks, by name; empty where a file cannot be read."""
    return readable_results(PRETRAINED)


def network(card: Card) -> nn.Module:
    """A network that the session opened itself, or one of the zoo. Raises WeightsError."""
    held = st.session_state.get(OWN, {}) if get_script_run_ctx() is not None else {}
    return held[card.sha256] if card.sha256 in held else _of_zoo(card)


@resource
def _of_zoo(card: Card) -> nn.Module:
    """A network of the zoo, loaded again when the hash on its card changes. Raises WeightsError."""
    return on_device(zoo.load(card.name), device)


@data
def result(scan_slice: ScanSlice, card: Card) -> SliceResult:
    """The prediction and gates of a network on one slice. Raises ScanError, WeightsError."""
    return segment_slice(scan_slice, network(card), card)


@resource
def _pairs(scan_slice: ScanSlice, card: Card, block: str) -> Pairs:
    return pairs_of(scan_slice, network(card), card, block)


@data
def looks(scan_slice: ScanSlice, card: Card, block: str, pixel: tuple[int, int]) -> Panel:
    """Where a pixel (row, column) of a slice looks in a non-local block. Raises ScanError, WeightsError."""
    info = next(row for row in card.block_table if row.name == block)
    made = result(scan_slice, card)
    shares = looks_from(_pairs(scan_slice, card, block), pixel, scan_slice.grid, info.scale, made.pixel_mm)
    title = f"{network_title(card)}, {block}: where row {pixel[0]}, column {pixel[1]} looks"
    return attention_panel(shares, made.gates[block].map_mm, title=title)


def segmented(scan_slice: ScanSlice, cards: Sequence[Card], *, drawn: bool = False) -> list[Future[SliceResult]]:
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
    """Attach a thread of the pool to the run of a page; its networks take one core, since passes run in parallel."""
    add_script_run_ctx(None, run)
    one_core()


@resource
def sample_scan(sample: Sample) -> Scan:
    """The scan of a sample, shared by all sessions and read only."""
    return read_scan(sample.scan)


@resource
def sample_labels(sample: Sample) -> np.ndarray | None:
    """The labels of a sample on the grid of its scan, (X, Y, Z), if it has any."""
    return read_labels(sample.label_file, sample_scan(sample)) if sample.labels else None


@data
def shown_intensities(scan: Scan) -> tuple[float, float]:
    """The intensities that are drawn black and white."""
    return intensity_range(scan.voxels)


@data
def first_slice(scan: Scan, plane: str) -> int:
    """The slice to begin with: through the middle of the head."""
    return middle_of_head(scan.voxels, PLANES[plane])


@data
def panels(scan_slice: ScanSlice, card: Card) -> dict[str, Panel]:
    """The pictures of one slice and network: "prediction", and every block by name. Raises ScanError, WeightsError."""
    made, grid, title = result(scan_slice, card), scan_slice.grid, network_title(card)
    names = [structure.name for structure in card.structures]
    prediction = label_panel(made.labels, names, grid.row_mm * grid.column_mm, title=f"{title}, prediction")
    blocks = {name: block_panel(gates, title=f"{title}, {name}") for name, gates in made.gates.items()}
    return {"prediction": prediction, **blocks}
