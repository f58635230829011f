"""The channels of one block: their weights as bars, and the one whose feature map is drawn."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.channels import ranked
from scse_viz.figures.channels import weight_bars
from scse_viz.ui.shell import export

KEY = "explore_channel"
NAMED = 3
"""Number of channels named at either end of the ranking."""
_OF = "explore_channel_of"
_BARS = "explore_weights"


def choose(owner: str, channels: int, weights: np.ndarray | None) -> int:
    """Choose one of `channels`; weights (C,) of the channel gate, if the block has one.

    A choice belongs to its block: with another `owner` it starts at the most excited channel.
    """
    first = 0 if weights is None else int(ranked(weights)[0])
    if st.session_state.setdefault(_OF, owner) != owner:
        st.session_state[_OF] = owner
        st.session_state[KEY] = first
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    number = left.number_input(
        "Channel",
        0,
        channels - 1,
        first,
        key=KEY,
        bind="query-params",
        help="The channel whose feature maps are drawn above, before and after the block; click a bar to choose it.",
    )
    if weights is not None:
        right.toggle(
            "Sort by weight",
            value=True,
            key="by_weight",
            bind="query-params",
            help="From the most to the least excited channel; otherwise by number.",
        )
    return int(number)


def draw_weights(weights: np.ndarray, number: int) -> go.Figure:
    """Draw the weights as bars that can be clicked, and name the channels at either end."""
    figure = weight_bars(weights, by_weight=bool(st.session_state.get("by_weight", True)), chosen=number)
    export.chart(figure, key=_BARS, on_select=_take, selection_mode="points")
    order = ranked(weights)
    most, least = order[:NAMED], order[::-1][:NAMED]
    st.caption(f"Most excited: channels {_named(most, weights)}. Least: {_named(least, weights)}.")
    return figure


def _take() -> None:
    points = st.session_state[_BARS].selection.points
    if points:  # a second click on a bar clears the selection; the channel stays
        chosen = points[0]["customdata"]
        st.session_state[KEY] = int(chosen[0] if isinstance(chosen, list) else chosen)


def _named(channels: np.ndarray, weights: np.ndarray) -> str:
    return ", ".join(f"{channel} ({weights[channel]:.2f})" for channel in channels)
