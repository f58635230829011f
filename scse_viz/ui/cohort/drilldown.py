"""Cohort: from a point of a figure or a row of the table to its scan in Explore, if the server has the file."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from scse_viz.scans import ScanError
from scse_viz.scans.samples import Sample, own_groups
from scse_viz.ui.cohort.choices import Shown
from scse_viz.ui.cohort.words import column_title, shown_columns
from scse_viz.ui.shell import cached, export, navigation, variants
from scse_viz.ui.shell.source import COHORT_SCAN
from scse_viz.ui.shell.words import verbatim
from scse_viz.zoo.titles import architecture_title, variant_title

LEAVING, MISSING = "cohort_open_explore", "cohort_missing"
NETWORK = ("architecture", "variant", "relative", "block")  # widgets of Explore alone


def leave_for_explore() -> None:
    """Go to Explore when a scan was just chosen; say so if the server does not have its file."""
    if st.session_state.pop(LEAVING, False):
        # The widgets of both pages fill the address again: Streamlit refuses to change what it holds of them.
        network = {key: st.session_state[key] for key in NETWORK if st.session_state.get(key)}
        st.switch_page(navigation.page("explore"), query_params=network)
    if missing := st.session_state.pop(MISSING, None):
        st.warning(verbatim(f"{missing}: the server does not have this file; open it from your disk in the sidebar."))


def draw_points(figure: go.Figure, shown: Shown, *, key: str) -> None:
    """A chart whose points are scans, by the number of their row: a click opens one in Explore."""

    def chosen() -> None:
        for point in st.session_state[key]["selection"]["points"][:1]:
            number = point["customdata"]
            _open(shown, int(number[0] if isinstance(number, list) else number))

    export.chart(figure, key=key, on_select=chosen, selection_mode="points")


def draw_table(shown: Shown) -> None:
    """A table of the scans: a click on a row opens its scan in Explore."""
    st.markdown("##### Scans", help="Choose a row, or click a point in a figure above, to open the scan in Explore.")
    table = shown.table[shown_columns(list(shown.table))].rename(columns=column_title)

    def chosen() -> None:
        for number in st.session_state["cohort_scans"]["selection"]["rows"]:
            _open(shown, number)

    st.dataframe(table, hide_index=True, key="cohort_scans", on_select=chosen, selection_mode="single-row", height=300)


def _open(shown: Shown, number: int) -> None:
    row: Any = shown.table.iloc[number]
    path, card = Path(row["path"]), cached.cards().get(shown.model)
    if not path.exists():
        st.session_state[MISSING] = path.name
        return
    sample = Sample(path.name, path.name, path, None, (), "a cohort", "its own", card.anatomy if card else "brain")
    if card is not None and row["labels"] and Path(row["labels"]).exists():
        labelled = replace(sample, labels=Path(row["labels"]))
        with suppress(ScanError):  # the scan is shown without labels that do not fit it
            labels = cached.sample_labels(labelled)
            sample = labelled if labels is None else replace(labelled, groups=own_groups(card.structures, labels))
    st.session_state[COHORT_SCAN] = sample
    st.session_state["scan"] = sample.short
    if card is not None:
        st.session_state["anatomy"] = card.anatomy
    st.session_state[LEAVING] = True
    if card is not None and not card.foreign:
        st.session_state["architecture"] = architecture_title(card.architecture)
        variants.show(variant_title(card.variant))
        st.session_state["block"] = shown.block
