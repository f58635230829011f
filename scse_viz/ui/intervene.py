"""Intervene: what was this gate worth? Change gates or channels, and see what becomes of the prediction."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from scse_viz.effects import region
from scse_viz.inference import SliceResult
from scse_viz.intervention import Region
from scse_viz.models import BLOCK_NAMES
from scse_viz.scans import ScanError
from scse_viz.ui import (
    cached,
    intervene_channels,
    intervene_console,
    intervene_numbers,
    intervene_pictures,
    intervene_sweeps,
    sidebar,
    state,
    takeaway,
)
from scse_viz.ui.cached import intervene
from scse_viz.ui.cached.intervene import Place
from scse_viz.ui.intervene_pictures import Outcome
from scse_viz.ui.intervene_plan import Manner, changes_of, python_of
from scse_viz.ui.sidebar import View
from scse_viz.ui.words import verbatim
from scse_viz.zoo import Card, WeightsError

WIDGETS = (
    *sidebar.KEYS,
    *("architecture", "variant", "block"),
    *intervene_console.KEYS,
    *intervene_channels.KEYS,
    *intervene_sweeps.KEYS,
    *takeaway.KEYS,
)
GATES = ("channel_gate", "spatial_gate")


def page() -> None:
    """The page: a strip of controls for each block, before and after, channels, tables, sweeps."""
    view = sidebar.view()
    card = sidebar.choose_network(view)
    block = sidebar.choose_block()
    intervene_console.begin()
    where = f" · {view.place}" if view.place else ""
    st.markdown(f"#### {verbatim(view.scan.name)}{where}")
    st.caption(f"{card.name}: what was a gate worth? Take it away, and see what becomes of the prediction.")
    lost = st.container()
    try:
        _draw(view, card, block)
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
    with lost:
        state.note_lost(WIDGETS)


def _draw(view: View, card: Card, block: str) -> None:
    place = Place(view.scan, view.plane, view.index, card, view.truth, view.source.groups)
    with st.spinner("Segmenting and recording gates", show_time=False):
        before = cached.result(view.scan, view.plane, view.index, card)
        magnitudes = intervene.magnitudes(place)
    gates = {name: [kind for kind in GATES if f"{name}/{kind}" in before.gates] for name in BLOCK_NAMES}
    manner, structure = _draw_controls(view, card, before, gates)
    counts = {name: len(values) for name, values in magnitudes.items()}
    changes = changes_of(intervene_console.current(), manner, gates, counts)
    with st.spinner("Segmenting with the changes", show_time=False):
        outcome = Outcome(view, card, changes, before, intervene.result(place, changes))
    intervene_pictures.draw_predictions(outcome)
    intervene_numbers.draw_metrics(outcome)
    bars = intervene_channels.draw(block, before.gates.get(f"{block}/channel_gate"), magnitudes[block])
    tables = intervene_numbers.draw_tables(outcome)
    intervene_pictures.draw_gates(outcome)
    swept = intervene_sweeps.draw(place, before, gates, manner, block)
    takeaway.offer(
        view,
        page="intervene",
        models=[card],
        figures={f"channels of {block} by weight": bars, **swept.figures},
        tables={**tables, **swept.tables},
        maps={"changed pixels": outcome.changed.astype(np.float32), "prediction after": outcome.after.labels},
        arrays={
            "labels_before": before.labels,
            "labels_after": outcome.after.labels,
            "confidence_before": before.confidence,
            "confidence_after": outcome.after.confidence,
            **{f"after/{name}": gate for name, gate in outcome.after.gates.items()},
        },
        code=python_of(changes, card.name, view.plane, view.index, structure) if changes else "",
    )


def _draw_controls(
    view: View, card: Card, before: SliceResult, gates: Mapping[str, Sequence[str]]
) -> tuple[Manner, int]:
    """The controls; how actions are meant, and the number of the structure of a region."""
    if not any(gates.values()):
        st.info("This network has no gates to change: knock out channels below, or choose a variant with a block.")
        intervene_console.draw_said()
        return Manner(), 1
    intervene_console.draw(gates)
    chosen, structure, seed = intervene_console.draw_manner(gates[BLOCK_NAMES[0]], card.structures)
    intervene_console.draw_said()
    inside = before.labels == structure
    if not inside.any() and intervene_console.uses_region():
        st.warning(f"No {card.structures[structure].name} is predicted in this slice: a region inside it is empty.")

    def made(value: float) -> Region:
        return region(inside, value, view.scan, card, view.plane)

    return Manner(chosen, seed, made), structure
