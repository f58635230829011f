"""Caches of Volume: the jobs of all sessions, and layers drawn from their results."""

import atexit

import numpy as np
import streamlit as st

from scse_viz.analysis.gates import BlockGates
from scse_viz.inference.jobs import Job, Jobs, Ticket
from scse_viz.rendering.colours import ACTIVATION_SCALE, ATTENTION_SCALE, GATE_SCALES
from scse_viz.rendering.panels import GATE_RANGE, MAP_KINDS, Panel, block_panel, label_panel
from scse_viz.rendering.volumes import Layer, label_layer, map_layer, scan_layer
from scse_viz.scans import Scan, ScanSlice
from scse_viz.ui.components.viewer.viewer import MapLegend
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.words import network_title
from scse_viz.zoo import Card

MAP_TITLES = {
    "spatial_gate": ("spatial gate", GATE_SCALES[0]),
    "full_gate": ("full gate, mean over channels", GATE_SCALES[0]),
    "attention": (MAP_KINDS["attention"].title, ATTENTION_SCALE),
    "activation": ("mean |activation|, a.u.", ACTIVATION_SCALE),
}
"""What a map shows -> its title and colours."""


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The jobs of this process, shared by all sessions."""
    made = Jobs(cached.store, cached.pages)
    atexit.register(made.close)
    return made


@st.cache_resource(scope="session", show_spinner=False)
def ticket(session: str) -> Ticket:
    """A session's subscription to runs, which ends when its tab is closed; `session` tells sessions apart."""
    return Ticket()


def panels(scan_slice: ScanSlice, card: Card, block: str, job: Job | None) -> tuple[Panel, Panel]:
    """Prediction and block of one slice as pictures, from the job if it has them. Raises ScanError, WeightsError."""
    if job is None or not job.done[scan_slice.index]:
        drawn = cached.panels(scan_slice, card)
        return drawn["prediction"], drawn[block]
    grid, title = scan_slice.grid, network_title(card)
    names = [structure.name for structure in card.structures]
    labels, gates = job.labels[scan_slice.index], job.gates_of(scan_slice.index)
    prediction = label_panel(labels, names, grid.row_mm * grid.column_mm, title=f"{title}, prediction")
    return prediction, block_panel(gates[block], title=f"{title}, {block}")


@cached.resource
def _scan_layer(scan: Scan) -> Layer:
    return scan_layer(scan, cached.shown_intensities(scan))


@cached.resource
def _label_layer(scan: Scan, card: Card, _job: Job, plane: str, done: bytes) -> Layer:
    return label_layer(scan, _job.label_volume())


@cached.resource
def _map_layer(scan: Scan, card: Card, _job: Job, plane: str, done: bytes, block: str) -> Layer:
    finished, gates = np.frombuffer(done, dtype=bool), _job.gates[block]
    assert gates.map is not None
    return map_layer(scan, plane, gates.map, finished, gates.map_mm, map_range(gates))


def layers(scan: Scan, card: Card, job: Job | None, block: str) -> dict[str, Layer]:
    """Layers of the 3-D view: the scan and, from a job that is not running, the prediction and a block's map."""
    drawn = {"scan": _scan_layer(scan)}
    if job is not None and job.ready and not job.under_way:
        key = (scan, card, job, job.plane, job.done.tobytes())
        if job.gates[block].map is not None:
            drawn["map"] = _map_layer(*key, block)
        drawn["labels"] = _label_layer(*key)
    return drawn


def map_range(gates: BlockGates) -> tuple[float, float]:
    """The range of a map's colours: gates 0 to 1, attention and activations 0 to their maximum over the slices done."""
    if gates.map is None or gates.pixel_gate is not None:
        return GATE_RANGE
    return 0.0, float(gates.map.max()) or 1.0


def map_legend(gates: BlockGates, block: str) -> MapLegend:
    """What the map of a block shows, in which colours."""
    title, scale = MAP_TITLES[next((kind for kind in MAP_TITLES if getattr(gates, kind) is not None), "activation")]
    return MapLegend(f"{block}, {title}", map_range(gates), scale)
