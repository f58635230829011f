"""Small bars for the steps of a gate: one value a channel, a few of them picked out."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from scse_viz.rendering.colours import COLOURS

PICKED, OTHERS = COLOURS[5], COLOURS[6]


def channel_steps(
    values: np.ndarray,
    picked: Sequence[int],
    *,
    title: str,
    axis: str,
    span: tuple[float, float] | None = None,
) -> go.Figure:
    """Bars of one value a channel (C,), those of `picked` in another colour and named; span: of the vertical axis."""
    colours = [PICKED if channel in picked else OTHERS for channel in range(len(values))]
    hover = "channel %{x}: %{y:.3g}<extra></extra>"
    bars = go.Bar(y=values, marker={"color": colours, "line": {"width": 0}}, hovertemplate=hover)
    names = go.Scatter(
        x=list(picked),
        y=[values[channel] for channel in picked],
        text=[str(channel) for channel in picked],
        textposition=["top center" if values[channel] >= 0 else "bottom center" for channel in picked],
        textfont={"color": PICKED},
        mode="text",
        cliponaxis=False,
        hoverinfo="skip",
    )
    figure = go.Figure([bars, names])
    figure.update_xaxes(title="channel", range=(-0.7, len(values) - 0.3))
    figure.update_yaxes(title=axis, range=span)
    figure.update_layout(title=title, height=240, margin={"l": 60, "r": 10, "t": 50, "b": 45}, bargap=0.15)
    figure.update_layout(showlegend=False)
    return figure


def factors_by_block(factors: Mapping[str, Mapping[str, float]], *, colours: Mapping[str, str]) -> go.Figure:
    """What blocks multiply by on average, a line at 1; factors: variant -> block -> mean factor, 0 to 2."""
    figure = go.Figure(
        [
            go.Scatter(
                name=variant,
                x=list(found),
                y=list(found.values()),
                mode="lines+markers",
                line={"color": colours[variant], "width": 2},
                marker={"size": 8, "symbol": symbol},
                cliponaxis=False,
                hovertemplate="%{x}: × %{y:.2f}",
            )
            for (variant, found), symbol in zip(
                factors.items(), ("circle", "diamond", "square", "cross") * len(factors), strict=False
            )
        ]
    )
    figure.add_hline(y=1, line={"width": 1, "color": OTHERS, "dash": "dot"})
    figure.update_xaxes(title="block")
    figure.update_yaxes(title="mean factor", range=(0, 2))
    figure.update_layout(height=300, margin={"l": 60, "r": 10, "t": 30, "b": 50})
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    return figure


def whole_against_crop(whole: np.ndarray, crop: np.ndarray, *, block: str) -> go.Figure:
    """Channel weights (C,) of a whole slice against those of its middle alone, a point a channel, equality dashed."""
    figure = go.Figure(
        [
            go.Scatter(
                x=[0, 1], y=[0, 1], mode="lines", line={"color": OTHERS, "dash": "dash", "width": 1}, hoverinfo="skip"
            ),
            go.Scatter(
                x=whole,
                y=crop,
                mode="markers",
                marker={"color": PICKED, "size": 8},
                cliponaxis=False,
                hovertemplate="channel %{pointNumber}: whole %{x:.3f}, crop %{y:.3f}<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(title="weight, whole slice (0 to 1)", range=(0, 1), constrain="domain")
    figure.update_yaxes(title="weight, crop (0 to 1)", range=(0, 1), scaleanchor="x", constrain="domain")
    figure.update_layout(title=f"{block}: one channel a point", height=380, showlegend=False)
    figure.update_layout(margin={"l": 60, "r": 10, "t": 50, "b": 50})
    return figure
