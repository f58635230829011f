"""Cohort: which gate is shown, where, and what of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from scse_viz.cohort.results import Cohort
from scse_viz.ui.shell import layout
from scse_viz.ui.shell.words import KIND_TITLES

MEASURES = {"mean gate": "mean", "spread": "spread", "saturation": "saturation"}
MEASURE_HELP = (
    "Of each scan, over the slices that were run. Mean gate: 0 shut, 1 open. Spread: standard deviation within slices; "
    "in a structure, over all its pixels. Saturation: share of values within 0.05 of 0 or 1."
)


@dataclass(frozen=True, eq=False)
class Shown:
    """What the page shows: a measure of a gate in a structure.

    `table` has a row a scan: the columns of scans.parquet, the measure in a column of its own name, and `health`.
    `gates` are the rows of gates.parquet for this gate, in all structures.
    """

    model: str
    block: str
    gate: str
    structure: str
    measure: str
    table: pd.DataFrame
    gates: pd.DataFrame
    absent: int  # scans in which the network does not find the structure

    @property
    def title(self) -> str:
        """What an axis is titled: `mean gate, spatial gate of encoder1, thalamus`."""
        where = "" if self.structure == "all" else f", {self.structure}"
        return f"{self.measure}, {KIND_TITLES[self.gate]} of {self.block}{where}"


def choose(cohort: Cohort, read: pd.DataFrame) -> Shown:
    """Draw the choices; read: the rows of the scans that were read."""
    columns = layout.narrow_columns(5, key="cohort_choices")
    gates = cohort.gates
    model = _select(columns[0], "Network", gates["model"].unique(), "cohort_model", "A network of the run.")
    gates = gates[gates["model"] == model]
    block = _select(
        columns[1], "Block", gates["block"].unique(), "cohort_block", "Blocks are in the order of the pass."
    )
    gates = gates[gates["block"] == block]
    titles = {KIND_TITLES[kind]: kind for kind in gates["gate"].unique()}
    gate = titles[_select(columns[2], "Gate", list(titles), "cohort_gate", "A gate of this block.")]
    gates = gates[gates["gate"] == gate]
    where = "Where the gate is averaged: over whole slices, or over the pixels of a predicted structure."
    structure = _select(columns[3], "Structure", gates["structure"].unique(), "cohort_structure", where)
    measure = _select(columns[4], "Measure", list(MEASURES), "cohort_measure", MEASURE_HELP)
    of_scans = gates[gates["structure"] == structure].set_index("key")
    table = read[read["key"].isin(of_scans.index)].reset_index(drop=True)
    of_scans = of_scans.loc[table["key"]]
    table.insert(1, measure, of_scans[MEASURES[measure]].to_numpy())
    table.insert(2, "health", of_scans["health"].to_numpy())
    absent = int((read["model"] == model).sum()) - len(table)
    return Shown(model, block, gate, structure, measure, table, gates, absent)


def _select(place: st.delta_generator.DeltaGenerator, label: str, options: Sequence[str], key: str, help: str) -> str:
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]  # of another network or block
    return place.selectbox(label, list(options), key=key, bind="query-params", help=help)
