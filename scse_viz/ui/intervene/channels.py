"""The channels of one block: bars that are clicked to knock a channel out, and a list from which it comes back."""

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from scse_viz.figures.ablation import knock_out_bars
from scse_viz.rendering.panels import GATE_RANGE
from scse_viz.ui.intervene.controls import put, setting_of
from scse_viz.ui.shell import export

_BARS, _LIST, _LAST = "intervene_bars", "intervene_without", "intervene_clicked"


def draw(block: str, weights: np.ndarray | None, magnitudes: np.ndarray) -> go.Figure:
    """Draw the channels of a block by their weights (C,), or by mean |v| (C,) where it has no channel gate."""
    st.subheader(
        f"Channels of {block}",
        help="A channel knocked out leaves the block as zeros, whatever its gates say. The block is chosen in the "
        "sidebar; channels of several blocks can be out at once.",
    )
    left, right = st.columns([3, 1])
    out = setting_of(block).without
    with right:
        by_value = st.toggle(
            "Sort",
            key="intervene_sorted",
            bind="query-params",
            help="From the largest to the smallest; else by number.",
        )
        st.session_state[_LIST] = [channel for channel in out if channel < len(magnitudes)]
        st.multiselect(
            "Knocked out",
            range(len(magnitudes)),
            key=_LIST,
            on_change=_take_list,
            args=(block,),
            placeholder="no channel",
            help="Click a bar, or choose channels here; the cross brings one back.",
        )
        all_out = len(out) == len(magnitudes)
        st.button(
            "All back" if all_out else "Knock out all",
            key="intervene_all",
            on_click=_put_without,
            args=(block, () if all_out else tuple(range(len(magnitudes)))),
            help="With all channels out, the block passes on nothing but zeros.",
        )
    if weights is not None:
        figure = knock_out_bars(weights, title="weight (0 to 1)", left_out=out, by_value=by_value, span=GATE_RANGE)
    else:
        figure = knock_out_bars(magnitudes, title="mean |v| (a.u.)", left_out=out, by_value=by_value, span=None)
    with left:
        # A key for each order of bars: the browser remembers what was clicked by its place.
        key = f"{_BARS}_{block}_{'sorted' if by_value else 'by_number'}"
        export.chart(figure, key=key, on_select=lambda: toggle(block, key), selection_mode="points")
    return figure


def toggle(block: str, chart: str) -> None:
    """Knock out the channel of the bar or point that was clicked in a chart, or bring it back."""
    last = f"{_LAST} {chart}"
    points = st.session_state[chart].selection.points
    if points:
        st.session_state[last] = (block, _channel(points[0]))
    # A second click on a bar takes the browser's selection back, and so names no bar.
    clicked = st.session_state.get(last)
    if clicked is not None and clicked[0] == block:
        _put_without(block, tuple(sorted({*setting_of(block).without} ^ {clicked[1]})))


def _channel(point: dict[str, Any]) -> int:
    chosen = point["customdata"]
    return int(chosen[0] if isinstance(chosen, list) else chosen)


def _take_list(block: str) -> None:
    _put_without(block, tuple(sorted(st.session_state[_LIST])))


def _put_without(block: str, channels: tuple[int, ...]) -> None:
    put(block, replace(setting_of(block), without=channels))
