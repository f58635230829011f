"""How the gates of one block are spread over 0 to 1: their histogram, and shares that are open and closed."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.gates import BlockGates, openness
from scse_viz.figures.gates import activation_histogram, gate_histogram
from scse_viz.ui.explore.cached import BlockSummary
from scse_viz.ui.shell import export
from scse_viz.ui.shell.layout import wide_columns


def draw(block: BlockGates, gates: Mapping[str, np.ndarray], span: tuple[float, float] | None) -> go.Figure:
    """Draw the histogram of a block's gates by name, or of its activation up to the end of `span`, and shares."""
    left, right = wide_columns(2, key="spread")
    figure = gate_histogram(gates)
    if not gates and block.activation is not None:
        figure = activation_histogram(block.activation, (span or (0, 1))[1])
    with left:
        export.chart(figure, key="explore_histogram")
    with right:
        if gates:
            _draw_openness(openness_table(gates))
        else:
            st.info("This network has no gates: its stages are shown with their plain activations.")
    return figure


def openness_table(gates: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """How open gates are, one column a gate."""
    by_gate = {name: openness(gate) for name, gate in gates.items()}
    rows = {
        name: {
            "mean gate": of_gate.mean,
            "share above 0.5": of_gate.above_half,
            "share closed": of_gate.closed,
            "share open": of_gate.open,
            "share saturated": of_gate.saturated,
        }
        for name, of_gate in by_gate.items()
    }
    return pd.DataFrame(rows).rename_axis("measure")


def effect_table(summary: BlockSummary) -> pd.DataFrame:
    """The effect of a block on the features, as numbers."""
    effect = {
        "mean activation before": summary.recalibration.before,
        "mean activation after": summary.recalibration.after,
    }
    if summary.channel_share is not None:
        effect["share of the channel half"] = summary.channel_share
    return pd.DataFrame({"value": effect})


def _draw_openness(table: pd.DataFrame) -> None:
    st.dataframe(
        table,
        width="stretch",
        height="content",
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in table.columns},
        key="explore_openness",
    )
    st.caption(
        "Shares of pixels (spatial gate) or of channels (channel gate), 0 to 1.",
        help="Closed: within 0.05 of 0, almost nothing passes. Open: within 0.05 of 1, almost everything passes. "
        "Saturated: either, where the sigmoid's gradient is nearly 0.",
    )
