"""Compare, gates: their means through the network, and how alike the maps and the channel weights of networks are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.agreement import mean_of
from scse_viz.analysis.gates import BlockGates
from scse_viz.figures.agreement import CORRELATION, SHARE, gate_means, matrices, matrix
from scse_viz.ui.compare import cached as compare_cached
from scse_viz.ui.compare.cached import MAP_MEASURES
from scse_viz.ui.compare.choices import Column, ComparedSlice, Drawn, blocks_of, colours_of
from scse_viz.ui.shell.export import chart
from scse_viz.ui.shell.words import verbatim

MEAN = "mean of blocks"
QUANTITIES = {"spatial_gate": "mean spatial gate", "channel_gate": "mean channel weight", "full_gate": "mean full gate"}
MEASURES = {
    "correlation": ("Correlation of spatial gates", "Pearson's r", CORRELATION),
    "overlap": ("Overlap of spatial gates", "overlap", SHARE),
    "rank correlation": ("Rank correlation of channel gates", "Spearman's rho", CORRELATION),
}
"""Measure -> its title, the name of its numbers, their range."""
HELP = (
    "Correlation: Pearson's r over the pixels of two maps. Overlap: the pixels above each map's own upper quartile "
    "(75th percentile), those in both as a share of those in either; 0.14 by chance. Rank correlation: Spearman's rho "
    "of the channel weights, channel by channel. Interpret the last with care: channel n of one network need not "
    "correspond to channel n of another. The variants of an architecture start from the same initial weights, so their "
    "channels may correspond in part; those of two architectures do not, and only one network on two scans is a clean "
    "comparison. Empty entries are undefined: a network has no such gate there, gates differ in size, or are constant."
)

UNDEFINED = "No two of these networks can be compared here: their gates are missing, differ in size or are constant."


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike columns are by one measure: `title`, the name of its numbers and their range, a matrix by block."""

    title: str
    numbers: str
    span: tuple[float, float]
    labels: Sequence[str]
    by_block: Mapping[str, np.ndarray]

    def matrix(self, block: str) -> np.ndarray:
        """The matrix (N, N) of a block, or the mean of all."""
        return mean_of(list(self.by_block.values())) if block == MEAN else self.by_block[block]

    def table(self) -> pd.DataFrame:
        """A row for every block and pair of columns."""
        rows = [
            (block, row, column, values[i, j])
            for block, values in self.by_block.items()
            for i, row in enumerate(self.labels)
            for j, column in enumerate(self.labels[:i])
        ]
        return pd.DataFrame(rows, columns=["block", "network", "other network", self.numbers]).set_index("block")


def draw_gates(comparisons: Sequence[ComparedSlice]) -> Drawn:
    """Draw gate means by block, then the matrices of likeness; the figures and tables drawn."""
    figures, tables = _draw_means(comparisons)
    measured = likenesses(comparisons)
    st.markdown("##### How alike are the gates?", help=HELP)
    if not measured:
        st.info("Choose two networks with gates in the sidebar, such as two of cSE, sSE and scSE.")
        return figures, tables
    figures |= _draw_block(measured, _choose_block(measured))
    figures |= _draw_every_block(measured)
    return figures, {**tables, **{likeness.title: likeness.table() for likeness in measured}}


def likenesses(comparisons: Sequence[ComparedSlice]) -> list[Likeness]:
    """The measures that two or more columns have gates for, at blocks of the same name.

    Maps are compared within a slice, or between two scans of one grid at the same slice; channel weights always.
    """
    measured = []
    everything = [column for comparison in comparisons for column in comparison.columns]
    groups = [("", everything)] if _one_grid(comparisons) else [(f", {e.name}", list(e.columns)) for e in comparisons]
    for name, columns in groups:
        shown = [column for column in columns if _has(column, "spatial_gate") or _has(column, "full_gate")]
        if len(shown) > 1:
            slices = [column.view.slice for column in shown]
            likeness = compare_cached.map_likeness(
                slices, [column.card for column in shown], [column.blocks for column in shown]
            )
            for measure, by_block in likeness.items():
                title, numbers, span = MEASURES[measure]
                labels = [column.title if name else column.label for column in shown]
                measured.append(Likeness(f"{title}{name}", numbers, span, labels, by_block))
    shown = [column for column in everything if _has(column, "channel_gate")]
    if len(shown) > 1:
        by_block = compare_cached.channel_likeness([column.gates for column in shown])
        labels = [column.label for column in shown]
        measured.insert(len(MAP_MEASURES), Likeness(*MEASURES["rank correlation"], labels, by_block))
    return [likeness for likeness in measured if likeness.by_block]


def _choose_block(measured: Sequence[Likeness]) -> str:
    blocks = list(dict.fromkeys(name for likeness in measured for name in likeness.by_block))
    if st.session_state.get("compare_block") not in (None, MEAN, *blocks):
        del st.session_state["compare_block"]
    return st.pills(
        "Block",
        [MEAN, *blocks],
        default=MEAN,
        required=True,
        key="compare_block",
        bind="query-params",
        help="The block whose gates are compared, or the mean of all.",
    )


def _draw_block(measured: Sequence[Likeness], block: str) -> dict[str, go.Figure]:
    """A matrix for every measure, of one block."""
    figures = {}
    with st.container(horizontal=True):
        columns = [st.container(width=340 if len(likeness.labels) <= 4 else 520) for likeness in measured]
    for number, (column, likeness) in enumerate(zip(columns, measured, strict=True)):
        with column:
            st.markdown(f"**{verbatim(likeness.title)}**")
            values = likeness.matrix(block)
            if _defined(values):
                figures[likeness.title] = matrix(values, likeness.labels, measure=likeness.numbers, span=likeness.span)
                chart(figures[likeness.title], key=f"compare_likeness_{number}")
            else:
                st.caption(UNDEFINED)
    return figures


def _draw_every_block(measured: Sequence[Likeness]) -> dict[str, go.Figure]:
    """A matrix for every block, of one measure."""
    by_title = {likeness.title: likeness for likeness in measured}
    if st.session_state.get("compare_measure") not in (None, *by_title):
        del st.session_state["compare_measure"]
    title = st.segmented_control(
        "Block by block",
        list(by_title),
        default=next(iter(by_title)),
        required=True,
        key="compare_measure",
        bind="query-params",
        help="One matrix for every block, on one scale.",
    )
    likeness = by_title[title]
    if not any(_defined(values) for values in likeness.by_block.values()):
        st.caption(UNDEFINED)
        return {}
    figure = matrices(likeness.by_block, likeness.labels, measure=likeness.numbers, span=likeness.span)
    chart(figure, key="compare_by_block")
    return {f"{title}, by block": figure}


def _defined(values: np.ndarray) -> bool:
    """Whether a matrix is defined for any pair."""
    return not np.isnan(values[~np.eye(len(values), dtype=bool)]).all()


def _draw_means(comparisons: Sequence[ComparedSlice]) -> Drawn:
    figures: dict[str, go.Figure] = {}
    tables: dict[str, pd.DataFrame] = {}
    blocks = blocks_of(comparisons)
    columns = [column for comparison in comparisons for column in comparison.columns]
    groups = {column.label: number for number, comparison in enumerate(comparisons) for column in comparison.columns}
    st.markdown(
        "##### Mean gate at every block",
        help="The mean of a spatial gate is over pixels, that of a channel gate over channels.",
    )
    if not any(_any_has(columns, gate) for gate in QUANTITIES):
        st.info("Choose a network with gates in the sidebar, such as cSE, sSE or scSE.")
        return figures, tables
    quantities = {gate: name for gate, name in QUANTITIES.items() if gate != "full_gate" or _any_has(columns, gate)}
    with st.container(horizontal=True):
        parts = [st.container(width=520) for _ in quantities]
    for part, (gate, quantity) in zip(parts, quantities.items(), strict=True):
        means = {
            column.label: [_mean(column, block, gate) for block in blocks] for column in columns if _has(column, gate)
        }
        with part:
            if not means:
                st.caption(f"None of the networks shown has a {quantity.removeprefix('mean ')}.")
                continue
            figures[quantity] = gate_means(
                means, blocks=blocks, quantity=quantity, colours=colours_of(comparisons), dashes=groups
            )
            chart(figures[quantity], key=f"compare_mean_{gate}")
            tables[quantity] = pd.DataFrame(means, index=pd.Index(blocks, name="block"))
    return figures, tables


def _one_grid(comparisons: Sequence[ComparedSlice]) -> bool:
    """Whether all slices have the same index on the same grid, so that their pixels can be compared."""
    first, *following = (comparison.view for comparison in comparisons)
    return all(
        view.index == first.index
        and view.scan.voxels.shape == first.scan.voxels.shape
        and np.allclose(view.scan.affine, first.scan.affine)
        for view in following
    )


def _has(column: Column, gate: str) -> bool:
    return any(gate in gates.kinds for gates in column.gates.values())


def _any_has(columns: Sequence[Column], gate: str) -> bool:
    return any(_has(column, gate) for column in columns)


def _mean(column: Column, block: str, kind: str) -> float:
    """The mean of a gate; nan where the network lacks it."""
    gate = getattr(column.gates.get(block, BlockGates()), kind)
    return float("nan") if gate is None else float(gate.mean())
