"""The run of a whole plane: start, progress, stop, and heat maps of the slices done."""

from functools import partial
from uuid import uuid4

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from scse_viz.analysis.by_slice import by_block, from_mean, of_largest
from scse_viz.figures import by_slice
from scse_viz.inference.jobs import Job, Ticket
from scse_viz.scans import ScanError
from scse_viz.ui.shell import cached, export
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import verbatim
from scse_viz.ui.volume import cached as volume_cached
from scse_viz.ui.volume import numbers as volume_numbers
from scse_viz.zoo import Card, WeightsError

NUMBER = "volume_number"
TICKET = "volume_ticket"
ASKED = "volume_asked"
"""Runs that a session asked for and did not stop; one that ended because the connection was lost begins again."""
JUMPED = "volume_jumped"
CHART = "volume_heat_map"
EVERY_S = 1.0
MEAN, DEVIATION, SATURATION = "mean gate", "deviation", "saturation"
NUMBERS = {MEAN: "means", DEVIATION: "means", SATURATION: "saturations"}
KINDS = {"spatial gates": "spatial_gate", "channel gates": "channel_gate", "full gates": "full_gate"}


def find(view: View, card: Card) -> Job | None:
    """The job of this scan, network and plane, whichever session started it."""
    return volume_cached.jobs().find(view.scan, card, view.plane)


def draw_progress(view: View, card: Card) -> None:
    """Draw progress with a button to start or stop; the page runs again when a job starts or ends."""
    following = _under_way(view, card)
    st.fragment(_draw_progress, run_every=EVERY_S if following else None)(view, card, following)


def draw_results(view: View, card: Card) -> None:
    """Draw heat maps of the slices done, updated while a job runs."""
    st.fragment(_draw_results, run_every=EVERY_S if _under_way(view, card) else None)(view, card)


def draw_tables(view: View, card: Card) -> None:
    """Draw volumes and Dice of the slices done, updated while a job runs."""
    st.fragment(_draw_tables, run_every=EVERY_S if _under_way(view, card) else None)(view, card)


def heat_map(view: View, job: Job, number: str) -> go.Figure:
    """Blocks by slices of a job: one of NUMBERS, or what is shown without gates: attention, or the mean activation."""
    numbers, blocks = getattr(job, NUMBERS[number]), list(job.gates)
    tables = {title: by_block(numbers, blocks, kind, job.count) for title, kind in KINDS.items()}
    tables = {title: table for title, table in tables.items() if np.isfinite(table).any()}
    draw = partial(by_slice.block_slices, blocks=blocks, plane=view.plane, current=view.index)
    if not tables and any(gates.attention is not None for gates in job.gates.values()):
        title = "attention: the pixel that is looked at most, as a share of the block's largest"
        return draw({title: of_largest(by_block(_peaks(job), blocks, "attention", job.count))}, quantity=by_slice.SHARE)
    if not tables:
        shares = of_largest(by_block(job.means, blocks, "activation", job.count))
        title = "no gates: mean |activation|, as a share of the block's largest"
        return draw({title: shares}, quantity=by_slice.SHARE)
    if number == DEVIATION:
        tables = {title: from_mean(table) for title, table in tables.items()}
        return draw(tables, quantity=by_slice.DEVIATION)
    return draw(tables, quantity=by_slice.Quantity(number))


def _peaks(job: Job) -> dict[tuple[str, str], np.ndarray]:
    """Attention of the pixel that is looked at most, by block: (N,), nan in slices not done; its mean is always 1."""
    return {
        (block, "attention"): np.where(job.done, gates.attention.max(axis=(1, 2)), np.nan)
        for block, gates in job.gates.items()
        if gates.attention is not None
    }


def _under_way(view: View, card: Card) -> bool:
    job = find(view, card)
    return job is not None and job.under_way


def _draw_progress(view: View, card: Card, following: bool) -> None:
    job = find(view, card)
    if following and not _under_way(view, card):
        st.rerun()
    line = st.container(horizontal=True, vertical_alignment="center")
    message, action = line.container(), line.container(width="content")
    ticket, asked = _ticket(), st.session_state.setdefault(ASKED, set())
    which = (view.scan.digest, card.sha256, view.plane)
    if which in asked and (job is None or job.state == "stopped"):
        _start(view, card, message)
    wanted = job is not None and ticket in job.wanted_by
    with message:
        _say(view, job, wanted)
    if job is not None and job.state == "finished":
        asked.discard(which)
        return
    if job is not None and wanted and job.under_way:
        if action.button("Stop", key="volume_stop", help="Finished slices are kept."):
            asked.discard(which)
            volume_cached.jobs().leave(ticket, job)
            st.rerun()
        return
    missing = view.slice.grid.count - (job.ready if job else 0)
    label = f"Run {missing} slices" if job is None or not job.ready else f"Run the other {missing}"
    help_ = "Runs in the background, starting at the slice shown. Other pages can be used meanwhile."
    if action.button(label, key="volume_start", type="primary", help=help_):
        _start(view, card, message)


def _start(view: View, card: Card, message: DeltaGenerator) -> None:
    """Queue the run, or say why it cannot be."""
    try:
        with st.spinner("Loading the network", show_time=False):
            model = cached.network(card)
    except WeightsError as error:
        message.error(verbatim(str(error)))
        return
    st.session_state[ASKED].add((view.scan.digest, card.sha256, view.plane))
    volume_cached.jobs().start(_ticket(), view.scan, card, view.plane, model, first=view.index)
    st.rerun()


def _ticket() -> Ticket:
    return volume_cached.ticket(st.session_state.setdefault(TICKET, uuid4().hex))


def _say(view: View, job: Job | None, wanted: bool) -> None:
    """Draw the state of the run."""
    if job is None:
        st.caption("Only the slice below has been computed. Run the plane for heat maps, volumes and 3-D maps.")
        return
    done = f"{job.ready} of {job.count} {view.plane} slices"
    if job.under_way:
        if job.state == "waiting":
            ahead = volume_cached.jobs().ahead(job)
            text = f"Waiting for {ahead} other {'run' if ahead == 1 else 'runs'} to end" if ahead else "Starting"
        elif wanted:
            text = done + (f", about {_duration(job.seconds_left)} to go" if job.seconds_left is not None else "")
        else:
            text = f"{done}; stopping after this one" if len(job.wanted_by) == 0 else f"{done}, for another session"
        st.progress(job.ready / job.count, text=text)
    elif job.state == "failed":
        known = isinstance(job.error, ScanError)
        reason = str(job.error) if known else f"an internal error, {job.error!r}; see the log"
        st.error(verbatim(f"{'' if known else 'The run ended with '}{reason}"))
    elif job.state == "finished":
        st.caption(f"All {job.count} {view.plane} slices are done; they are kept in memory while the app runs.")
    else:
        st.caption(f"Stopped: {done} are done; everything below refers to those.")
    other_runs = [run for run in volume_cached.jobs().wanted(_ticket()) if run is not job]
    if other_runs:
        listed = ", ".join(f"{run.plane} {run.ready} of {run.count}" for run in other_runs)
        st.caption(f"Your other runs: {listed}.")


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min"


def _draw_results(view: View, card: Card) -> None:
    if st.session_state.pop(JUMPED, False):
        st.rerun()  # the slice in the sidebar has changed
    job = find(view, card)
    if job is None or not job.ready:
        return
    st.subheader(
        "Blocks through the volume",
        help="Columns are slices, rows are blocks. Click a cell to go to its slice. Means and shares are over the "
        "whole map of a slice, or over all channels.",
    )
    number = st.segmented_control(
        "Number",
        list(NUMBERS),
        default=MEAN,
        required=True,
        key=NUMBER,
        bind="query-params",
        disabled=not any(gates.kinds for gates in job.gates.values()),
        help="Mean gate, 0 to 1. Deviation: mean gate minus the block's mean over the slices, to show small changes. "
        "Saturation: the share of gates within 0.05 of 0 or 1, where the sigmoid's gradient is nearly 0.",
    )
    figure = heat_map(view, job, str(number))
    export.chart(figure, key=CHART, on_select=lambda: _jump(view.plane), selection_mode="points", width="stretch")


def _draw_tables(view: View, card: Card) -> None:
    job = find(view, card)
    if job is not None and job.ready:
        volume_numbers.draw(view, card, job)


def _jump(plane: str) -> None:
    """Go to the slice of the clicked cell."""
    points = st.session_state[CHART].selection.points
    if points:
        st.session_state[plane] = int(points[0]["x"])
        st.session_state[JUMPED] = True
