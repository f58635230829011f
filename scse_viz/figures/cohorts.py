"""Figures of a cohort: a measure by group, a measure against another, channel weights of all scans."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from scse_viz.rendering.colours import COLOURS, GATE_SCALES, scale_stops
from scse_viz.rendering.panels import GATE_RANGE

MARGIN = {"l": 10, "r": 10, "t": 30, "b": 10}


def by_group(
    values: Mapping[str, np.ndarray], names: Mapping[str, Sequence[str]], rows: Mapping[str, Sequence[int]], title: str
) -> go.Figure:
    """Every scan as a point and each group as a box: group -> (N,), the scans' names, and what a click on one tells.

    title: of the measure.
    """
    figure = go.Figure()
    for number, (group, of_group) in enumerate(values.items()):
        figure.add_box(
            y=of_group,
            name=f"{group} (n = {len(of_group)})",
            boxpoints="all",
            jitter=0.4,
            pointpos=0,
            text=list(names[group]),
            customdata=list(rows[group]),
            hovertemplate="%{text}: %{y:.4g}<extra></extra>",
            marker_color=COLOURS[number % len(COLOURS)],
            showlegend=False,
        )
    figure.update_yaxes(title=title)
    figure.update_layout(height=420, margin=MARGIN)
    return figure


def against(x: np.ndarray, y: np.ndarray, names: Sequence[str], *, x_title: str, y_title: str) -> go.Figure:
    """A point a scan, in their order: x (N,) and y (N,); nan is left out."""
    points = go.Scatter(
        x=x,
        y=y,
        mode="markers",
        text=list(names),
        customdata=list(range(len(names))),
        hovertemplate="%{text}: %{x:.4g}, %{y:.4g}<extra></extra>",
        marker={"size": 9, "color": COLOURS[0]},
    )
    figure = go.Figure(points)
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title)
    figure.update_layout(height=420, margin=MARGIN)
    return figure


def weights_of_scans(weights: np.ndarray, names: Sequence[str], channels: Sequence[int]) -> go.Figure:
    """Channel weights (N, C) of N scans, in the order given, as a heat map from 0 to 1; channels: their numbers."""
    figure = go.Figure(
        go.Heatmap(
            z=weights,
            x=[str(channel) for channel in channels],
            y=list(range(len(names))),
            text=[[name] * weights.shape[1] for name in names],
            zmin=GATE_RANGE[0],
            zmax=GATE_RANGE[1],
            colorscale=scale_stops(GATE_SCALES[0]),
            hovertemplate="%{text}, channel %{x}: %{z:.3f}<extra></extra>",
            colorbar={"title": {"text": "channel weight", "side": "right"}, "thickness": 12},
        )
    )
    figure.update_xaxes(title="channel, similar ones together", type="category", showticklabels=False)
    figure.update_yaxes(title="scan, similar ones together", showticklabels=False, autorange="reversed")
    figure.update_layout(height=max(300, min(900, 120 + 14 * len(names))), margin=MARGIN)
    return figure
