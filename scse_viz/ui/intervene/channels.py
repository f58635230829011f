"""The channels of one block: bars to be clicked to knock a channel out, and a list to restore it."""

from collections.abc import Sequence
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
    """Draw the channels of a block by their weights (C,), or by mean |v| (C,) if it lacks a channel gate."""
    st.subheader(
        f"Channels of {block}",
        help="A channel knocked out leaves the block as zeros, whatever its gates. The block is chosen in the sidebar; "
        "channels of several blocks can be knocked out at once.",
    )
    left, right = st.columns([3, 1])
    out = setting_of(block).without
    with right:
        by_value = _draw_choice(block, out, len(magnitudes))
    if weights is not None:
        figure = knock_out_bars(weights, title="weight (0 to 1)", left_out=out, by_value=by_value, span=GATE_RANGE)
    else:
        figure = knock_out_bars(magnitudes, title="mean |v| (a.u.)", left_out=out, by_value=by_value, span=None)
    with left:
        # A key for each order of bars: the browser remembers a selection by its position.
        key = f"{_BARS}_{block}_{'sorted' if by_value else 'by_number'}"
        export.chart(figure, key=key, on_select=lambda: toggle(block, key), selection_mode="points")
    return figure


def _draw_choice(block: str, out: Sequence[int], count: int) -> bool:
    """The channels knocked out, of `count`, as a list; whether bars are sorted by value."""
    by_value = st.toggle(
        "Sort",
        key="intervene_sorted",
        bind="query-params",
        help="From the largest to the smallest; otherwise by number.",
    )
    st.session_state[_LIST] = [channel for channel in out if channel < count]
    st.multiselect(
        "Knocked out",
        range(count),
        key=_LIST,
        on_change=_take_list,
        args=(block,),
        placeholder="no channel",
        help="Click a bar, or choose channels here; remove one to restore it.",
    )
    all_out = len(out) == count
    st.button(
        "Restore all" if all_out else "Knock out all",
        key="intervene_all",
        on_click=_put_without,
        args=(block, () if all_out else tuple(range(count))),
        help="With all channels knocked out, the block's output is zero.",
    )
    return by_value


def toggle(block: str, chart: str) -> None:
    """Knock out the channel whose bar or point was clicked in a chart, or restore it."""
    last = f"{_LAST} {chart}"
    points = st.session_state[chart].selection.points
    if points:
        st.session_state[last] = (block, _channel(points[0]))
    # A second click on a bar clears the browser's selection, so the event names no bar.
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
