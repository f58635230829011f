"""Figures of a cohort: a measure by group, a measure against another, channel weights of all scans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from scse_viz.rendering.colours import COLOURS, GATE_SCALES, scale_stops
from scse_viz.rendering.panels import GATE_RANGE

MARGIN = {"l": 10, "r": 10, "t": 30, "b": 10}


@dataclass(frozen=True, eq=False)
class Points:
    """Scans of a figure: their names, what a click on one tells, and their values (N,); x is None where there is one
    axis."""

    names: Sequence[str]
    rows: Sequence[int]
    y: np.ndarray
    x: np.ndarray | None = None


def by_group(groups: Mapping[str, Points], *, title: str) -> go.Figure:
    """Every scan as a point and each group as a box; title: of the measure."""
    figure = go.Figure()
    for number, (group, points) in enumerate(groups.items()):
        figure.add_box(
            y=points.y,
            name=f"{group} (n = {len(points.y)})",
            boxpoints="all",
            jitter=0.6,
            pointpos=0,
            text=list(points.names),
            customdata=list(points.rows),
            hovertemplate="%{text}: %{y:.4g}<extra></extra>",
            marker_color=COLOURS[number % len(COLOURS)],
            showlegend=False,
        )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(title=title, automargin=True)
    figure.update_layout(height=420, margin=MARGIN)
    return figure


def against(groups: Mapping[str, Points], *, x_title: str, y_title: str) -> go.Figure:
    """A point a scan in the colour of its group; nan is left out, and a single group has no name."""
    figure = go.Figure()
    for number, (group, points) in enumerate(groups.items()):
        figure.add_scatter(
            x=points.x,
            y=points.y,
            name=group,
            mode="markers",
            text=list(points.names),
            customdata=list(points.rows),
            hovertemplate="%{text}: %{x:.4g}, %{y:.4g}<extra></extra>",
            marker={"size": 9, "color": COLOURS[number % len(COLOURS)]},
            showlegend=len(groups) > 1,
        )
    figure.update_xaxes(title=x_title, automargin=True)
    figure.update_yaxes(title=y_title, automargin=True)
    figure.update_layout(height=420, margin=MARGIN, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"})
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
            colorbar={
                "title": {"text": "channel weight", "side": "right"},
                "thickness": 12,
                "lenmode": "pixels",
                "len": 240,
            },
        )
    )
    figure.update_xaxes(
        title="channel, similar ones together", type="category", showticklabels=False, ticks="", automargin=True
    )
    figure.update_yaxes(
        title="scan, similar ones together", showticklabels=False, ticks="", autorange="reversed", automargin=True
    )
    figure.update_layout(height=max(340, min(700, 120 + 6 * len(names))), margin=MARGIN)
    return figure
