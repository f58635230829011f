"""What Volume keeps: the jobs of all sessions, and what is drawn from their results."""

import atexit

import numpy as np
import streamlit as st

from scse_viz.inference.jobs import Job, Jobs
from scse_viz.rendering.panels import GATE_RANGE, Panel, block_panel, label_panel
from scse_viz.rendering.volumes import Layer, label_layer, map_layer, scan_layer
from scse_viz.scans import Scan, slice_grid
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.words import variant_title
from scse_viz.zoo import Card


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The jobs of this process, which sessions share."""
    made = Jobs()
    atexit.register(made.close)
    return made


def panels(scan: Scan, plane: str, index: int, card: Card, block: str, job: Job | None) -> tuple[Panel, Panel]:
    """Prediction and block of one slice as pictures, from a job where it has them. Raises ScanError, WeightsError."""
    if job is None or not job.done[index]:
        found = cached.panels(scan, plane, index, card)
        return found["prediction"], found[block]
    view, title = slice_grid(scan, plane), variant_title(card.variant)
    names = [structure.name for structure in card.structures]
    prediction = label_panel(job.labels[index], names, view.row_mm * view.column_mm, title=f"{title}, prediction")
    return prediction, block_panel(job.gates_of(index), block, job.pixel_mm, title=f"{title}, {block}")


@st.cache_resource(max_entries=4, show_spinner=False)
def _scan_layer(_scan: Scan, digest: str) -> Layer:
    return scan_layer(_scan, cached.shown_intensities(_scan))


@st.cache_resource(max_entries=8, show_spinner=False)
def _label_layer(_scan: Scan, digest: str, _job: Job, plane: str, sha256: str, done: bytes) -> Layer:
    return label_layer(_scan, _job.label_volume())


@st.cache_resource(max_entries=16, show_spinner=False)
def _map_layer(_scan: Scan, digest: str, _job: Job, plane: str, sha256: str, done: bytes, name: str) -> Layer:
    finished = np.frombuffer(done, dtype=bool)
    return map_layer(_scan, plane, _job.gates[name], finished, _job.map_mm(name), map_span(_job, name))


def layers(scan: Scan, card: Card, job: Job | None, name: str | None) -> dict[str, Layer]:
    """What the 3-D view draws: the scan, and of a job that rests the map `name`, if any, and the prediction."""
    drawn = {"scan": _scan_layer(scan, scan.digest)}
    if job is not None and job.ready and not job.under_way:
        key = (scan, scan.digest, job, job.plane, card.sha256, job.done.tobytes())
        if name is not None:
            drawn["map"] = _map_layer(*key, name)
        drawn["labels"] = _label_layer(*key)
    return drawn


def map_span(job: Job, name: str) -> tuple[float, float]:
    """The values of a map's colours: gates from 0 to 1, activations to the largest of the slices that are done."""
    return GATE_RANGE if name.endswith("gate") else (0.0, float(job.gates[name].max()) or 1.0)
