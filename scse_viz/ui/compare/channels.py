"""Compare, channels: the weights of the channel gates, of one block or of all."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from scse_viz.analysis.gates import BlockGates
from scse_viz.figures.channels import channel_bars, channel_overview
from scse_viz.ui.compare.choices import ComparedSlice, Drawn, blocks_of, column_colours, kinds_of
from scse_viz.ui.shell.export import chart

ALL_BLOCKS = "all"


def draw_channels(comparisons: Sequence[ComparedSlice]) -> Drawn:
    """Draw the channel weights of every network and slice; the figure and tables drawn."""
    gates = {column.label: column.gates for comparison in comparisons for column in comparison.columns}
    weights = {block: _weights(gates, block) for block in blocks_of(comparisons)}
    weights = {block: by_label for block, by_label in weights.items() if by_label}
    if not weights:
        st.info(
            "None of the networks shown has channel weights. Choose one that has in the sidebar, such as cSE or scSE."
        )
        return {}, {}
    st.markdown("##### Channel weights")
    block, by_weight = _choose(list(weights))
    colours = column_colours(comparisons)
    if block == ALL_BLOCKS:
        figure = channel_overview(gates, blocks=list(weights), colours=colours, by_weight=by_weight)
    else:
        figure = channel_bars(gates, block=block, colours=colours, by_weight=by_weight)
    chart(figure, key="channel_bars")
    tables = {
        f"channel weights, {name}": pd.DataFrame(by_label).rename_axis("channel") for name, by_label in weights.items()
    }
    return {"channel weights": figure}, tables


def _weights(gates: Mapping[str, Mapping[str, BlockGates]], block: str) -> dict[str, pd.Series]:
    """The channel weights at a block by label, of the columns that have any."""
    return {
        label: pd.Series(by_block[block].channel_gate)
        for label, by_block in gates.items()
        if "channel_gate" in kinds_of(by_block, block)
    }


def _choose(blocks: Sequence[str]) -> tuple[str, bool]:
    """The block whose weights are drawn, or ALL_BLOCKS, and whether they are sorted."""
    if st.session_state.get("channels") not in (None, ALL_BLOCKS, *blocks):
        del st.session_state["channels"]  # a block of other networks
    block = st.pills(
        "Block",
        [ALL_BLOCKS, *blocks],
        default=ALL_BLOCKS,
        required=True,
        key="channels",
        bind="query-params",
        help="One block, or all blocks on one scale.",
    )
    by_weight = st.toggle(
        "Sort by weight",
        value=True,
        key="by_weight",
        bind="query-params",
        help="From the lowest to the highest weight. Channel n of one network need not correspond to channel n of "
        "another; the spread of their weights can be compared.",
    )
    return block, by_weight
