"""Compare, channels: the weights of the channel gates, of one block or of all."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from scse_viz.figures.channels import channel_bars, channel_overview
from scse_viz.ui.compare.choices import Comparison, Drawn, blocks_of, column_colours, kinds_of
from scse_viz.ui.shell.export import chart

ALL_BLOCKS = "all"


def draw_channels(comparisons: Sequence[Comparison]) -> Drawn:
    """The channel weights of every network and slice; the figure and tables drawn."""
    gates = {column.label: column.result.gates for comparison in comparisons for column in comparison.columns}
    blocks = [
        block
        for block in blocks_of(comparisons)
        if any("channel_gate" in kinds_of(each, block) for each in gates.values())
    ]
    if not blocks:
        st.info("None of the networks shown has channel weights. Choose cSE or scSE in the sidebar.")
        return {}, {}
    st.markdown("##### Channel weights (cSE)")
    block = st.pills(
        "Block",
        [ALL_BLOCKS, *blocks],
        default=ALL_BLOCKS,
        required=True,
        key="channels",
        bind="query-params",
        help="One block, or all of them on the same scale.",
    )
    by_weight = st.toggle(
        "Sort by weight",
        value=True,
        key="by_weight",
        bind="query-params",
        help="From the lowest weight to the highest. Channels of two networks do not mean the same, their weights' "
        "spread can be compared.",
    )
    colours = column_colours(comparisons)
    if block == ALL_BLOCKS:
        figure = channel_overview(gates, blocks=blocks, colours=colours, by_weight=by_weight)
    else:
        figure = channel_bars(gates, block=block, colours=colours, by_weight=by_weight)
    chart(figure, key="channel_bars")
    tables = {
        f"channel weights, {name}": pd.DataFrame(
            {
                label: pd.Series(by_block[name].channel_gate)
                for label, by_block in gates.items()
                if "channel_gate" in kinds_of(by_block, name)
            }
        ).rename_axis("channel")
        for name in blocks
    }
    return {"channel weights": figure}, tables
