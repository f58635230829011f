"""Understand, gate health: which gates attend to the image, and which are constant, saturated or without effect."""

import json
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from scse_viz.analysis.gates import BlockGates
from scse_viz.analysis.health import Diagnosis
from scse_viz.inference.health import Gate, SliceExam, diagnoses, evenly_spaced, observed
from scse_viz.rendering.panels import Panel
from scse_viz.scans import ScanError, ScanSlice
from scse_viz.scans.samples import Group
from scse_viz.ui.components.network import network
from scse_viz.ui.shell import cached, export, sidebar
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import network_title, verbatim
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand import shortcuts, slices
from scse_viz.zoo import Card, WeightsError

SLICES, PASSES = 8, 160
"""Slices that are examined, and passes, about: a slice takes one for itself and one for every gate."""
KINDS = {"channel_gate": "channel gate", "spatial_gate": "spatial gate", "full_gate": "full gate"}
COLUMNS = {
    "mean": "mean",
    "spread_within": "spread, pixels or channels",
    "spread_slices": "spread, slices",
    "saturation": "saturated",
    "entropy": "entropy, bit",
    "shut": "channels shut",
}


def draw(view: View) -> None:
    """Draw a verdict on every gate of a network over slices of the plane, as a table and over the drawn network."""
    card = sidebar.choose_network(view)
    view = view.of(card)
    shortcuts.choose_variants(view, card)
    st.markdown(f"#### {verbatim(view.scan.name)} · {card.name}")
    if not {*card.gates} & {*KINDS}:
        st.info(f"{network_title(card)} has no gates. Choose cSE, sSE or scSE in the sidebar.")
        return
    indices = evenly_spaced(view.scan, view.plane, _slices(card))
    try:
        diagnosed = _diagnoses(view, card, indices)
        drawn = cached.panels(view.slice, card)
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
        return
    _draw_method(view, len(indices))
    table = _table(diagnosed)
    _draw_table(table)
    _draw_network(view, card, diagnosed, drawn)
    record = json.dumps(
        [{"block": block, "gate": kind, **_facts(diagnosis)} for (block, kind), diagnosis in diagnosed.items()],
        indent=1,
    )
    export.offer(
        view,
        export.ExportContents(
            page="understand-health",
            models=[card],
            tables={"gate health": table},
            documents={"gate-health.json": record.encode()},
            code=_code(view, card),
        ),
    )


def _diagnoses(view: View, card: Card, indices: list[int]) -> dict[Gate, Diagnosis]:
    """A diagnosis of every gate. Until gates have been switched off, the page shows what is known without it."""
    examine = partial(_exam, view, card)
    waiting = st.empty()
    with waiting.container():
        progress = st.container()
        if not all(cached.holds(understand_cached.exam, *_examined(view, card, index)) for index in indices):
            with progress:
                seen = slices.run(indices, lambda index: SliceExam(observed(_gates(view, card, index)), {}))
                st.caption("Switching off every gate in turn. Meanwhile, all that is known without it:")
            _draw_table(_table(_of_exams(view, card, seen)), key="understand_health_waiting")
        with progress:
            exams = slices.run(indices, examine)
    waiting.empty()
    return _of_exams(view, card, exams)


def _of_exams(view: View, card: Card, exams: list[SliceExam]) -> dict[Gate, Diagnosis]:
    dead = [(block.name, kind) for block in card.block_table if not block.ran for kind in block.gates if kind in KINDS]
    gates = list(dict.fromkeys([*(gate for exam in exams for gate in exam.observations), *dead]))
    return diagnoses([(view.scan.name, exam) for exam in exams], gates)


def _slices(card: Card) -> int:
    """Fewer slices of a network with more gates."""
    gates = sum(len(block.gates or card.gates) for block in card.block_table if block.ran)
    return min(SLICES, max(2, PASSES // (1 + gates)))


def _exam(view: View, card: Card, index: int) -> SliceExam:
    return understand_cached.exam(*_examined(view, card, index))


def _examined(view: View, card: Card, index: int) -> tuple[ScanSlice, Card, np.ndarray | None, Sequence[Group]]:
    """What an exam of one slice takes."""
    return view.scan.slice(view.plane, index), card, view.reference_labels_at(index), view.source.groups


def _gates(view: View, card: Card, index: int) -> dict[str, BlockGates]:
    return cached.result(view.scan.slice(view.plane, index), card).gates


def _draw_method(view: View, count: int) -> None:
    st.caption(
        f"Over {count} {view.plane} slices, evenly spaced, each run once as it is and once without each gate; "
        "the worst verdict first.",
        help="No effect: switching the gate off changes no pixel. Constant: all spreads below 0.01. Fixed: weights "
        "differ by channel and not by slice. Saturated: nine tenths of its values are within 0.05 of 0 or 1. Entropy: "
        "that of one decision, 1 bit at 0.5 and 0 at 0 or 1.",
    )


def _table(diagnosed: Mapping[Gate, Diagnosis]) -> pd.DataFrame:
    rows = [
        {
            "block": block,
            "gate": KINDS[kind],
            "verdict": diagnosis.verdict.name.lower().replace("_", " "),
            "pixels changed without it": diagnosis.effect.changed if diagnosis.effect else np.nan,
            "Dice lost without it": diagnosis.effect.dice_lost if diagnosis.effect else np.nan,
            "in words": diagnosis.sentence,
            **{title: getattr(diagnosis, name) for name, title in COLUMNS.items()},
        }
        for (block, kind), diagnosis in diagnosed.items()
    ]
    return pd.DataFrame(rows).set_index(["block", "gate"]).dropna(axis=1, how="all")


def _draw_table(table: pd.DataFrame, key: str = "understand_health_table") -> None:
    formats = {title: st.column_config.NumberColumn(format="%.3f") for title in table.select_dtypes("number")}
    formats["pixels changed without it"] = st.column_config.NumberColumn(format="percent")
    formats["in words"] = st.column_config.TextColumn(width="medium")
    st.dataframe(table, width="stretch", height="content", column_config=formats, placeholder="–", key=key)


def _draw_network(view: View, card: Card, diagnosed: Mapping[Gate, Diagnosis], drawn: Mapping[str, Panel]) -> None:
    st.markdown("##### On the network", help="Each block as it is on the slice of the sidebar, with its verdicts.")
    verdicts = {block: "\n".join(_verdicts(diagnosed, block)) for block in drawn}
    packed = network.message(view, card, drawn, selected="", picked=None, details=verdicts)
    network.draw(packed, [], on_block=lambda block: None)
    if view.convention:
        st.caption(view.convention)


def _verdicts(diagnosed: Mapping[Gate, Diagnosis], block: str) -> list[str]:
    return [
        f"{KINDS[kind]} {diagnosis.verdict.name.lower().replace('_', ' ')}"
        for (name, kind), diagnosis in sorted(diagnosed.items())
        if name == block
    ]


def _facts(diagnosis: Diagnosis) -> dict[str, object]:
    numbers = {name: getattr(diagnosis, name) for name in ("slices", *COLUMNS)}
    effect = (
        {}
        if diagnosis.effect is None
        else {"changed": diagnosis.effect.changed, "dice_lost": diagnosis.effect.dice_lost}
    )
    kept = {name: value for name, value in {**numbers, **effect}.items() if value is not None and not np.isnan(value)}
    return {"verdict": diagnosis.verdict.name.lower(), **kept, "sentence": diagnosis.sentence}


def _code(view: View, card: Card) -> str:
    return f"""
from scse_viz.inference.health import Examined, diagnoses, examine, gates_of
from scse_viz.inference.inputs import slice_input

seen = examine([Examined(scan)], model, card, {view.plane!r}, slices={_slices(card)})
exams = [(name, exam) for name, _, exam in seen]
gates = gates_of(model, slice_input(scan.slice({view.plane!r}, {view.index}), card))
diagnoses(exams, gates)  # (block, kind) -> Diagnosis, the worst first
"""
