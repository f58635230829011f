"""Intervene: change gates or knock out channels, and see the effect on the prediction."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.gates import named_arrays
from scse_viz.inference import SliceResult
from scse_viz.inference.ablation import region
from scse_viz.intervention import Region
from scse_viz.scans import ScanError
from scse_viz.ui.intervene import cached as intervene_cached
from scse_viz.ui.intervene import channels, controls, maps, numbers, sweeps
from scse_viz.ui.intervene.cached import NetworkSlice
from scse_viz.ui.intervene.maps import Outcome
from scse_viz.ui.intervene.plan import Manner, changes_of, python_of
from scse_viz.ui.shell import address, cached, export, sidebar
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import verbatim
from scse_viz.zoo import Card, WeightsError


def page() -> None:
    """The page: controls for each block, the slice before and after, channels, tables, sweeps."""
    view = sidebar.view()
    card = sidebar.choose_network(view)
    view = view.of(card)
    block = sidebar.choose_block(card)
    controls.begin([row.name for row in card.block_table])
    where = f" · {view.position}" if view.position else ""
    st.markdown(f"#### {verbatim(view.scan.name)}{where}")
    st.caption(f"{card.name}: what does a gate contribute? Change it, and see the effect on the prediction.")
    lost = st.container()
    try:
        _draw(view, card, block)
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
    with lost:
        address.draw_lost()


def _draw(view: View, card: Card, block: str) -> None:
    at = NetworkSlice(view.slice, card, view.reference_labels, view.source.groups)
    with st.spinner("Segmenting and recording gates", show_time=False):
        before = cached.result(view.slice, card)
        magnitudes = intervene_cached.magnitudes(at)
    gates = {name: of_block.changeable for name, of_block in before.gates.items()}
    manner, structure = _draw_controls(view, card, before, block)
    counts = {name: len(values) for name, values in magnitudes.items()}
    changes = changes_of(controls.current(), manner, gates, counts)
    with st.spinner("Segmenting with the changes", show_time=False):
        outcome = Outcome(view, card, changes, before, intervene_cached.result(at, changes))
    maps.draw_predictions(outcome)
    numbers.draw_metrics(outcome)
    fixed = fixed_channels(card)
    bars = None if block in fixed else channels.draw(block, before.gates[block].channel_gate, magnitudes[block])
    if block in fixed:
        st.info(verbatim(f"{block}: {fixed[block]}"))
    tables = numbers.draw_tables(outcome)
    maps.draw_gates(outcome)
    swept = sweeps.draw(at, before, manner, block, fixed)
    figures = {**({f"channels of {block} by weight": bars} if bars else {}), **swept.figures}
    code = python_of(changes, view.plane, view.index, structure) if changes else ""
    export.offer(view, _contents(outcome, figures, {**tables, **swept.tables}, code))


def _contents(
    outcome: Outcome, figures: Mapping[str, go.Figure], tables: Mapping[str, pd.DataFrame], code: str
) -> export.ExportContents:
    """What the page exports: the slice before and after as arrays, beside its figures, tables and code."""
    before, after = outcome.before, outcome.after
    return export.ExportContents(
        page="intervene",
        models=[outcome.card],
        figures=figures,
        tables=tables,
        maps={
            "changed pixels": export.slice_map(outcome.view, outcome.changed.astype(np.float32)),
            "prediction after": export.slice_map(outcome.view, after.labels),
        },
        arrays={
            "labels_before": before.labels,
            "labels_after": after.labels,
            "confidence_before": before.confidence,
            "confidence_after": after.confidence,
            **{f"after/{name}": gate for name, gate in named_arrays(after.gates).items()},
        },
        code=code,
    )


def fixed_channels(card: Card) -> dict[str, str]:
    """The blocks whose channels cannot be knocked out, each with the reason."""
    reasons = {}
    for block in card.block_table:
        if not block.ran:
            reasons[block.name] = "it never runs, so neither its gates nor its channels have an effect."
        elif block.branches:
            reasons[block.name] = "its gate chooses among branches, and no channel of its own leaves it."
        elif block.divided:
            reasons[block.name] = "it is several products inside a module, of which none is its output."
    return reasons


def _draw_controls(view: View, card: Card, before: SliceResult, block: str) -> tuple[Manner, int]:
    """Draw the controls; the manner of actions, and the class number of the region's structure."""
    gates = {name: of_block.changeable for name, of_block in before.gates.items()}
    if not any(gates.values()):
        st.info("This network has no gates to change. Knock out channels below, or choose a variant with gates.")
        controls.draw_said()
        return Manner(), 1
    controls.draw(gates, card.block_table, block)
    kinds = list(dict.fromkeys(kind for of_block in gates.values() for kind in of_block))
    chosen, structure, seed = controls.draw_manner(kinds, card.structures)
    controls.draw_said()
    inside = before.labels == structure
    if not inside.any() and controls.uses_region():
        st.warning(f"No {card.structures[structure].name} is predicted in this slice, so its region is empty.")

    def made(value: float) -> Region:
        return region(inside, value, view.slice, card)

    divided = frozenset(row.name for row in card.block_table if row.divided)
    return Manner(chosen, seed, made, divided), structure
