"""Cohort: a scan of the table is opened in Explore, where its file is at hand."""

from pathlib import Path

import pandas as pd
import streamlit as st

from scse_viz.scans.samples import Sample
from scse_viz.ui.shell import cached, navigation
from scse_viz.ui.shell.source import COHORT_SCAN

LEAVING = "cohort_open_explore"


def leave_for_explore() -> None:
    """Go to Explore when a scan was just chosen."""
    if st.session_state.pop(LEAVING, False):
        # The address is emptied and filled again by the widgets: Streamlit refuses to change what it holds of them.
        st.switch_page(navigation.page("explore"), query_params={})


def draw_opener(table: pd.DataFrame, model: str) -> None:
    """A table of the scans: a click on a row opens its scan in Explore."""
    st.markdown("##### Scans", help="Choose a row to open its scan in Explore, where its file is at hand.")
    shown = table.drop(columns=["key", "labels", "error", "model", "versions", "model_sha256", "digest"])
    rows = [*table[["scan", "path"]].itertuples(index=False)]

    def chosen() -> None:
        for number in st.session_state["cohort_scans"]["selection"]["rows"]:
            _open(Path(rows[number].path), model)

    st.dataframe(shown, hide_index=True, key="cohort_scans", on_select=chosen, selection_mode="single-row", height=300)
    if st.session_state.pop("cohort_missing", False):
        st.warning("The file of this scan is not at hand on the server; open it from your disk in the sidebar.")


def _open(path: Path, model: str) -> None:
    card = cached.cards().get(model)
    if not path.exists():
        st.session_state["cohort_missing"] = True
        return
    sample = Sample(path.name, path.name, path, None, (), "a cohort", "its own", card.anatomy if card else "brain")
    st.session_state[COHORT_SCAN] = sample
    st.session_state["scan"] = sample.short
    if card is not None:
        st.session_state["anatomy"] = card.anatomy
    st.session_state[LEAVING] = True
