"""Cohort: gates of many scans, by group, against volume, age or Dice, and the weights of all channels."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz import report
from scse_viz.analysis.cohorts import OUTLYING, clustered, correlation, hedges_g, robust_z
from scse_viz.cohort.entries import CohortError
from scse_viz.cohort.results import SUMMARY, Cohort, read_cohort
from scse_viz.figures import cohorts as figures
from scse_viz.ui.cohort.opening import draw_opener, leave_for_explore
from scse_viz.ui.shell import address
from scse_viz.ui.shell.words import verbatim

VARIABLE = "SCSE_VIZ_COHORTS"
MEASURES = {"mean gate": "mean", "spread": "spread", "saturation": "saturation"}
KINDS = {"channel_gate": "channel gate", "spatial_gate": "spatial gate", "full_gate": "full gate"}
MOST_GROUPS = 12
MOST_ROWS = 500  # of the heat map: the order of more takes seconds
NOTHING = (
    f"No cohort to show. Run `scse-viz cohort`, and start the app with {VARIABLE} set to the folder of its results, "
    "or to a folder of such folders."
)


def page() -> None:
    """Draw the results of a cohort in one of the folders that the server offers."""
    leave_for_explore()
    address.draw_lost()
    folders = offered(os.environ.get(VARIABLE, ""))
    if not folders:
        st.info(NOTHING)
        return
    name = st.sidebar.selectbox(
        "Cohort", list(folders), key="cohort", bind="query-params", help=f"Results in the folder that {VARIABLE} names."
    )
    try:
        cohort = _read(folders[name], (folders[name] / SUMMARY).stat().st_mtime)
    except (CohortError, OSError) as error:
        st.error(verbatim(str(error)))
        return
    st.markdown(f"#### {verbatim(name)}")
    st.caption(
        f"{cohort.summary['read']} of {cohort.summary['tasks']} rows were read, {cohort.summary['refused']} refused.",
        help="A row is a scan through a network; refused.csv in the folder says why a scan was refused.",
    )
    read = cohort.scans[cohort.scans["error"].isna()]
    if cohort.gates.empty or read.empty:
        st.info("No scan with gates in these results. Choose another cohort, or run one with a gated network.")
        return
    _draw(cohort, read)


def offered(said: str) -> dict[str, Path]:
    """The folders with results that a folder is or holds, by name."""
    if not said:
        return {}
    root = Path(said)
    inside = sorted(root.iterdir()) if root.is_dir() else []
    return {folder.name: folder for folder in (root, *inside) if (folder / SUMMARY).is_file()}


@st.cache_data(max_entries=4, show_spinner="Reading the cohort")
def _read(folder: Path, changed: float) -> Cohort:
    return read_cohort(folder)


def _draw(cohort: Cohort, read: pd.DataFrame) -> None:
    model, block, kind = _choose_gate(cohort)
    of_gate = cohort.gates.query("model == @model and block == @block and gate == @kind")
    first, second = st.columns(2)
    structure = first.selectbox(
        "Structure",
        list(of_gate["structure"].unique()),
        key="cohort_structure",
        bind="query-params",
        help="Where the gate is averaged.",
    )
    title = second.selectbox(
        "Measure", list(MEASURES), key="cohort_measure", bind="query-params", help="Of each scan, over its slices."
    )
    values = of_gate[of_gate["structure"] == structure].set_index("key")[MEASURES[title]]
    table = read[read["key"].isin(values.index)].copy()
    table[title] = values.loc[table["key"]].to_numpy()
    said = f"{title}, {KINDS[kind]} of {block}, {structure}"
    drawn = {"by group": _draw_groups(table, title, said, cohort.facts), "against": _draw_against(table, title, said)}
    if kind == "channel_gate":
        drawn["channel weights"] = _draw_weights(table, of_gate)
    outliers = _draw_outliers(table, title)
    draw_opener(table, model)
    kept = {f"{name}": figure for name, figure in drawn.items() if figure is not None}
    _offer(cohort, kept, table, outliers, said)


def _choose_gate(cohort: Cohort) -> tuple[str, str, str]:
    first, second, third = st.columns(3)
    gates = cohort.gates
    model = first.selectbox(
        "Network", list(gates["model"].unique()), key="cohort_model", bind="query-params", help="A network of the run."
    )
    blocks = gates[gates["model"] == model]
    block = second.selectbox(
        "Block",
        list(blocks["block"].unique()),
        key="cohort_block",
        bind="query-params",
        help="In the order of the pass.",
    )
    kinds = list(blocks.loc[blocks["block"] == block, "gate"].unique())
    kind = third.selectbox(
        "Gate",
        kinds,
        format_func=lambda kind: KINDS[kind],
        key="cohort_gate",
        bind="query-params",
        help="Of this block.",
    )
    return model, block, kind


def _draw_groups(table: pd.DataFrame, title: str, said: str, facts: list[str]) -> go.Figure | None:
    """Boxes by a fact of few values, with the effect size of each pair of its first two groups."""
    few = [name for name in facts if 1 < table[f"fact.{name}"].nunique() <= MOST_GROUPS]
    st.markdown("##### By group")
    if not few:
        st.info("No column of the table of scans makes groups. Give one such as group or site, of 2 to 12 values.")
        return None
    fact = st.selectbox(
        "Group by", few, key="cohort_group", bind="query-params", help="A column of the table of scans."
    )
    groups = {str(group): rows for group, rows in table.dropna(subset=[title]).groupby(f"fact.{fact}")}
    values = {group: rows[title].to_numpy() for group, rows in groups.items()}
    figure = figures.by_group(values, {group: rows["scan"].tolist() for group, rows in groups.items()}, title=said)
    st.plotly_chart(figure, key="cohort_groups_chart")
    reference, *others = values
    for other in others:
        effect = hedges_g(values[other], values[reference])
        words = (
            "too few scans"
            if np.isnan(effect.value)
            else f"{effect.value:+.2f} [{effect.low:+.2f}, {effect.high:+.2f}]"
        )
        st.markdown(verbatim(f"{other} minus {reference}: Hedges' g {words}"))
    st.caption("Intervals are of 95 % for one comparison; over many gates some exclude 0 by chance.")
    return figure


def _draw_against(table: pd.DataFrame, title: str, said: str) -> go.Figure | None:
    numbers = [
        name
        for name in table.select_dtypes("number")
        if name.startswith(("fact.", "dice.", "volume_ml.")) and table[name].notna().sum() > 1
    ]
    st.markdown("##### Against volume, age or Dice")
    if not numbers:
        st.info("Nothing to compare with: the run had no labels, not all slices, and no column of numbers.")
        return None
    x = st.selectbox(
        "Against",
        numbers,
        key="cohort_against",
        bind="query-params",
        help="Volumes in ml, Dice, and numbers of the table.",
    )
    figure = figures.against(
        table[x].to_numpy(), table[title].to_numpy(), table["scan"].tolist(), x_title=x, y_title=said
    )
    st.plotly_chart(figure, key="cohort_against_chart")
    r = correlation(table[x].to_numpy(float), table[title].to_numpy(float))
    words = "needs 4 scans that differ" if np.isnan(r.value) else f"{r.value:+.2f} [{r.low:+.2f}, {r.high:+.2f}]"
    st.markdown(f"Pearson's r {words}")
    return figure


def _draw_weights(table: pd.DataFrame, of_gate: pd.DataFrame) -> go.Figure:
    st.markdown("##### Channel weights of all scans", help="Means over the slices of each scan; average linkage.")
    rows = of_gate[of_gate["weights"].notna() & of_gate["key"].isin(table["key"])].head(MOST_ROWS)
    weights = np.stack(rows["weights"].to_list())
    names = table.set_index("key").loc[rows["key"], "scan"].tolist()
    order, channels = clustered(weights), clustered(weights.T)
    figure = figures.weights_of_scans(weights[order][:, channels], [names[number] for number in order])
    st.plotly_chart(figure, key="cohort_weights_chart")
    return figure


def _draw_outliers(table: pd.DataFrame, title: str) -> pd.DataFrame:
    st.markdown("##### Outliers", help=f"More than {OUTLYING} robust standard deviations off the median.")
    z = robust_z(table[title].to_numpy(float))
    found = table.assign(**{"robust z": z})[np.abs(z) > OUTLYING][["scan", title, "robust z"]]
    if found.empty:
        st.caption("None.")
    else:
        st.dataframe(found, hide_index=True, key="cohort_outliers")
    return found


def _offer(cohort: Cohort, drawn: dict[str, go.Figure], table: pd.DataFrame, outliers: pd.DataFrame, said: str) -> None:
    """Downloads: the rows behind the figures as CSV, and a report."""
    first, second = st.columns(2)
    first.download_button(
        "CSV", lambda: report.csv(table.set_index("scan")), "scse-viz-cohort.csv", "text/csv", key="cohort_csv",
        help="The rows behind the figures, with volumes, Dice and facts.",
    )  # fmt: skip
    facts = {"measure": said, "scans": str(len(table)), **report.versions()}
    tables = {"outliers": outliers, "summary": pd.DataFrame(cohort.summary["models"]).T}
    made = report.Report(f"scSE viz: cohort, {said}", facts, figures=drawn, tables=tables)
    second.download_button(
        "Report", lambda: report.page(made), "scse-viz-cohort.html", "text/html", key="cohort_report",
        help="The figures as one HTML file.",
    )  # fmt: skip
