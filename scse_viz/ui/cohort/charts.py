"""Cohort: a measure by group and against others, the weights of all channels, and outliers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.cohorts import OUTLYING, GroupSummary, clustered, compared, correlation, robust_z
from scse_viz.figures import cohorts as figures
from scse_viz.ui.cohort.choices import Shown
from scse_viz.ui.cohort.opening import draw_points
from scse_viz.ui.cohort.words import column_title
from scse_viz.ui.shell import export
from scse_viz.ui.shell.words import verbatim

MOST_GROUPS = 12
MOST_ROWS = 500  # of the heat map: the order of more takes seconds
MEASURED = ("fact.", "dice.", "volume_ml.")


def draw_groups(shown: Shown) -> tuple[go.Figure, pd.DataFrame] | None:
    """Boxes of a measure by a fact of few values, and a table of the groups' effect sizes; None without groups."""
    st.markdown("##### By group")
    facts = [name for name in shown.table if name.startswith("fact.")]
    few = {column_title(name): name for name in facts if 1 < shown.table[name].nunique() <= MOST_GROUPS}
    if not few:
        st.info(f"No column of the table of scans defines groups: group or site, say, with 2 to {MOST_GROUPS} values.")
        return None
    left, right = st.columns(2)
    fact = left.selectbox(
        "Group by", list(few), key="cohort_group", bind="query-params", help="A column of the table of scans."
    )
    of_group = {str(group): rows for group, rows in shown.table.groupby(few[fact])}
    reference = right.selectbox(
        "Compared with",
        list(of_group),
        key="cohort_reference",
        bind="query-params",
        help="The others minus this group.",
    )
    values = {group: rows[shown.measure].to_numpy(float) for group, rows in of_group.items()}
    names = {group: rows["scan"].tolist() for group, rows in of_group.items()}
    figure = figures.by_group(
        values, names, {group: rows.index.tolist() for group, rows in of_group.items()}, shown.title
    )
    draw_points(figure, shown, key="cohort_groups_chart")
    table = _effects(compared(values, reference), reference)
    st.dataframe(table.style.format(precision=3, na_rep=""), key="cohort_effects")
    st.caption(
        "g: the difference of means in standard deviations. Intervals are of 95 % for one comparison; over many gates "
        "some exclude 0 by chance."
    )
    return figure, table


def _effects(groups: Mapping[str, GroupSummary], reference: str) -> pd.DataFrame:
    g = f"Hedges' g, minus {reference}"
    rows = [
        {"scans": group.scans, "mean": group.mean, "standard deviation": group.deviation, g: group.effect.value,
         "95 % from": group.effect.low, "to": group.effect.high}
        for group in groups.values()
    ]  # fmt: skip
    return pd.DataFrame(rows, index=pd.Index(list(groups), name="group"))


def draw_against(shown: Shown) -> go.Figure | None:
    """The measure of each scan against a volume, a Dice or a number of the table of scans; None where there is none."""
    table = shown.table
    columns = [name for name in table.select_dtypes("number") if name.startswith(MEASURED)]
    titles = {column_title(name): name for name in columns if table[name].notna().sum() > 1}
    st.markdown("##### Against volume, age or Dice")
    if not titles:
        st.info("Nothing to compare with: no labels, not all slices, and no column of numbers in the table.")
        return None
    title = st.selectbox(
        "Against", list(titles), key="cohort_against", bind="query-params",
        help="Volumes in ml of the predicted structures, Dice with the labels, and numbers of the table of scans.",
    )  # fmt: skip
    x, y = table[titles[title]].to_numpy(float), table[shown.measure].to_numpy(float)
    figure = figures.against(x, y, table["scan"].tolist(), x_title=title, y_title=shown.title)
    draw_points(figure, shown, key="cohort_against_chart")
    r = correlation(x, y)
    words = "needs 4 scans that differ" if np.isnan(r.value) else f"{r.value:+.2f}, 95 % [{r.low:+.2f}, {r.high:+.2f}]"
    st.markdown(verbatim(f"Pearson's r {words}"))
    return figure


def draw_weights(shown: Shown) -> tuple[go.Figure, pd.DataFrame]:
    """Channel weights (N, C) of all scans as a clustered heat map, and as a table."""
    st.markdown(
        "##### Channel weights of all scans",
        help="Means over the slices of each scan. Scans and channels are sorted so that similar ones are adjacent "
        "(average linkage of Euclidean distances).",
    )
    rows = shown.gates[shown.gates["weights"].notna() & shown.gates["key"].isin(shown.table["key"])]
    if len(rows) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of {len(rows)} scans; the export has all.")
    weights = np.stack(rows["weights"].to_list())
    names = shown.table.set_index("key").loc[rows["key"], "scan"].to_numpy()
    drawn = weights[:MOST_ROWS]
    order, channels = _clustered(drawn)
    figure = figures.weights_of_scans(drawn[order][:, channels], names[order].tolist(), channels.tolist())
    export.chart(figure, key="cohort_weights_chart")
    return figure, pd.DataFrame(weights, index=pd.Index(names, name="scan"))


@st.cache_data(max_entries=8, show_spinner="Sorting scans and channels")
def _clustered(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return clustered(weights), clustered(weights.T)


def draw_outliers(shown: Shown) -> pd.DataFrame:
    """A table of the scans whose measure lies far from the median."""
    st.markdown("##### Outliers", help=f"More than {OUTLYING} robust standard deviations from the median.")
    z = robust_z(shown.table[shown.measure].to_numpy(float))
    found = shown.table[["scan", shown.measure]].assign(**{"robust z": z})[np.abs(z) > OUTLYING]
    if found.empty:
        st.caption(f"None of {len(shown.table)} scans.")
    else:
        st.dataframe(found, hide_index=True, key="cohort_outliers")
    return found
