"""Cohort: a measure by group and against others, the weights of all channels, and outliers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.cohorts import OUTLYING, GroupSummary, clustered, compared, correlation, robust_z
from scse_viz.figures import cohorts as figures
from scse_viz.ui.cohort.choices import Shown
from scse_viz.ui.cohort.drilldown import draw_points
from scse_viz.ui.cohort.words import column_title
from scse_viz.ui.shell import cached, export
from scse_viz.ui.shell.words import verbatim

MOST_GROUPS = 12
MOST_ROWS = 500  # of the heat map: the order of more takes seconds
INTERVAL = "95 % interval"
MEASURED = ("fact.", "dice.", "volume_ml.")


@dataclass(frozen=True, eq=False)
class Groups:
    """The scans by a fact: group -> the rows of the table that it has; `effects` are against one of them."""

    rows: Mapping[str, pd.DataFrame]
    figure: go.Figure
    effects: pd.DataFrame


def draw_groups(shown: Shown) -> Groups | None:
    """Boxes of a measure by a fact of few values, and a table of the groups' effect sizes; None without groups."""
    st.markdown("##### By group")
    facts = [name for name in shown.table if name.startswith("fact.")]
    few = {column_title(name): name for name in facts if 1 < shown.table[name].nunique() <= MOST_GROUPS}
    if not few:
        st.info(f"No column of the table of scans makes groups. Give one such as group or site, of 2 to {MOST_GROUPS}.")
        return None
    left, right = st.columns(2)
    fact = left.selectbox(
        "Group by", list(few), key="cohort_group", bind="query-params", help="A column of the table of scans."
    )
    rows = {str(group): rows for group, rows in shown.table.groupby(few[fact])}
    reference = right.selectbox(
        "Compared with",
        list(rows),
        key="cohort_reference",
        bind="query-params",
        help="The other groups minus this one.",
    )
    figure = figures.by_group(_points(rows, shown.measure), title=shown.title)
    draw_points(figure, shown, key="cohort_groups_chart")
    values = {group: of_group[shown.measure].to_numpy(float) for group, of_group in rows.items()}
    effects = _effects(compared(values, reference))
    st.dataframe(_in_words(effects), key="cohort_effects")
    st.caption(
        f"Hedges' g: the group minus {verbatim(reference)}, in standard deviations. Intervals are those of one "
        "comparison; over many gates some exclude 0 by chance."
    )
    return Groups(rows, figure, effects)


def _points(rows: Mapping[str, pd.DataFrame], y: str, x: str | None = None) -> dict[str, figures.Points]:
    return {
        group: figures.Points(
            names=of_group["scan"].tolist(),
            rows=of_group.index.tolist(),
            y=of_group[y].to_numpy(float),
            x=None if x is None else of_group[x].to_numpy(float),
        )
        for group, of_group in rows.items()
    }


def _effects(groups: Mapping[str, GroupSummary]) -> pd.DataFrame:
    rows = [
        {"scans": group.scans, "mean": group.mean, "SD": group.deviation, "Hedges' g": group.effect.value,
         "from": group.effect.low, "to": group.effect.high}
        for group in groups.values()
    ]  # fmt: skip
    return pd.DataFrame(rows, index=pd.Index(list(groups), name="group"))


def _in_words(effects: pd.DataFrame) -> pd.DataFrame:
    """The table as it is read: rounded, and an interval in one column."""
    rounded = effects[["scans", "mean", "SD"]].round(4)
    g = [_number(value) for value in effects["Hedges' g"]]
    return rounded.assign(
        **{"Hedges' g": g, INTERVAL: [_interval(*ends) for ends in effects[["from", "to"]].to_numpy()]}
    )


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}".replace("-", "−")


def _interval(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{_number(low)} to {_number(high)}"


def draw_against(shown: Shown, groups: Mapping[str, pd.DataFrame]) -> go.Figure | None:
    """The measure of each scan, in the colour of its group, against a volume, a Dice or a number of the table of scans.

    None where there is nothing of them.
    """
    table = shown.table
    columns = [name for name in table.select_dtypes("number") if name.startswith(MEASURED)]
    titles = {column_title(name): name for name in columns if table[name].notna().sum() > 1}
    st.markdown("##### Against volume, age or Dice")
    if not titles:
        st.info("Nothing to compare with: the run had no labels, not all slices, and no column of numbers.")
        return None
    title = st.selectbox(
        "Against", list(titles), key="cohort_against", bind="query-params",
        help="Volumes in ml of the predicted structures, Dice with the labels, and numbers of the table of scans.",
    )  # fmt: skip
    points = _points(groups or {"": table}, shown.measure, titles[title])
    figure = figures.against(points, x_title=title, y_title=shown.title)
    draw_points(figure, shown, key="cohort_against_chart")
    r = correlation(table[titles[title]].to_numpy(float), table[shown.measure].to_numpy(float))
    words = f"{_number(r.value)}, 95 % {_interval(r.low, r.high)}" if np.isfinite(r.value) else "needs 4 scans or more"
    st.caption(f"Pearson's r of all scans: {words}")
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
    with st.spinner("Sorting scans and channels", show_time=False):
        order, channels = _clustered(drawn)
    figure = figures.weights_of_scans(drawn[order][:, channels], names[order].tolist(), channels.tolist())
    export.chart(figure, key="cohort_weights_chart")
    return figure, pd.DataFrame(weights, index=pd.Index(names, name="scan"))


@cached.resource
def _clustered(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return clustered(weights), clustered(weights.T)


def draw_outliers(shown: Shown) -> pd.DataFrame:
    """A table of the scans whose measure lies far from the median."""
    st.markdown("##### Outliers", help=f"More than {OUTLYING} robust standard deviations from the median.")
    z = robust_z(shown.table[shown.measure].to_numpy(float))
    outlying = shown.table[["scan", shown.measure]].assign(**{"robust z": z})[np.abs(z) > OUTLYING]
    if outlying.empty:
        st.caption(f"None of {len(shown.table)} scans.")
    else:
        st.dataframe(outlying, hide_index=True, key="cohort_outliers")
    return outlying
