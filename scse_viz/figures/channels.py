"""Values by channel: gates of one block or of all, for one network or several, and the terms that make a gate."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.analysis.channels import ranked
from scse_viz.analysis.gates import BlockGates
from scse_viz.rendering.colours import COLOURS
from scse_viz.rendering.panels import GATE_RANGE

COLUMNS = 3
PICKED, PLAIN, UNPICKED = COLOURS[5], COLOURS[0], COLOURS[6]
HOVER = "channel %{customdata}: %{y:.3f}"


def channel_bars(
    gates: Mapping[str, Mapping[str, BlockGates]], *, block: str, colours: Mapping[str, str], by_weight: bool = False
) -> go.Figure:
    """Bars of the channel gates of one block, variants beside one another on one scale.

    gates: variant -> block -> its gates; a variant without this channel gate has no bars. `by_weight` sorts every
    variant from its lowest to its highest weight; the axis then counts ranks.
    """
    figure = go.Figure(
        [
            go.Bar(name=variant, y=weights, customdata=order, marker_color=colours[variant], hovertemplate=HOVER)
            for variant, order, weights in _weights(gates, block, by_weight)
        ]
    )
    figure.update_traces(marker_line_width=0)
    figure.update_layout(barmode="group", bargap=0.15, height=300, margin={"l": 60, "r": 10, "t": 40, "b": 50})
    figure.update_layout(
        title=f"{block}: channel weights", legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.15}
    )
    figure.update_xaxes(title=_axis(by_weight))
    figure.update_yaxes(title="weight (0 to 1)", range=GATE_RANGE)
    return figure


def channel_overview(
    gates: Mapping[str, Mapping[str, BlockGates]],
    *,
    blocks: Sequence[str],
    colours: Mapping[str, str],
    by_weight: bool = False,
) -> go.Figure:
    """The channel gates of several blocks as small multiples, all on the scale of `channel_bars`."""
    rows = -(-len(blocks) // COLUMNS)
    figure = make_subplots(
        rows=rows,
        cols=COLUMNS,
        subplot_titles=list(blocks),
        shared_yaxes=True,
        horizontal_spacing=0.03,
        vertical_spacing=0.36 / rows,
        x_title=_axis(by_weight),
        y_title="weight (0 to 1)",
    )
    # Steps rather than bars: 128 channels of four variants are finer than the pixels of a screen.
    for position, block in enumerate(blocks):
        for variant, order, weights in _weights(gates, block, by_weight):
            line = go.Scatter(
                name=variant,
                legendgroup=variant,
                showlegend=position == 0,
                y=weights,
                customdata=order,
                mode="lines",
                line={"shape": "hvh", "width": 1.5, "color": colours[variant]},
                hovertemplate=HOVER,
            )
            figure.add_trace(line, row=position // COLUMNS + 1, col=position % COLUMNS + 1)
    figure.update_yaxes(range=GATE_RANGE)
    figure.update_layout(height=120 + 190 * rows, margin={"l": 70, "r": 10, "t": 60, "b": 60})
    figure.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1 + 0.3 / rows})
    return figure


def weight_bars(weights: np.ndarray, *, by_weight: bool, chosen: int) -> go.Figure:
    """The channel gate of one block (C,) as clickable bars, the chosen channel in another colour.

    The customdata of a bar is its channel. `by_weight` sorts from the most to the least excited.
    """
    channels = ranked(weights) if by_weight else np.arange(len(weights))
    figure = go.Figure(
        go.Bar(
            y=weights[channels],
            customdata=channels,
            marker={"color": [PICKED if channel == chosen else PLAIN for channel in channels], "line_width": 0},
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},  # colour alone tells the picked one, also after a reload
            hovertemplate="channel %{customdata}: %{y:.3f}<extra></extra>",
        )
    )
    figure.update_layout(height=240, margin={"l": 60, "r": 10, "t": 10, "b": 50}, bargap=0.15)
    figure.update_layout(clickmode="event+select", dragmode=False)
    figure.update_xaxes(title="rank of channel, most excited first" if by_weight else "channel")
    figure.update_yaxes(title="weight (0 to 1)", range=GATE_RANGE)
    return figure


def channel_steps(
    values: np.ndarray,
    picked: Sequence[int],
    *,
    title: str,
    axis: str,
    span: tuple[float, float] | None = None,
) -> go.Figure:
    """Bars of one value a channel (C,), those of `picked` in another colour with numbers; span: of the y axis."""
    colours = [PICKED if channel in picked else UNPICKED for channel in range(len(values))]
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


def whole_against_crop(whole: np.ndarray, crop: np.ndarray, *, block: str) -> go.Figure:
    """Channel weights (C,) of a whole slice against those of its middle alone: a point a channel, a dashed diagonal."""
    figure = go.Figure(
        [
            go.Scatter(
                x=[0, 1], y=[0, 1], mode="lines", line={"color": UNPICKED, "dash": "dash", "width": 1}, hoverinfo="skip"
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


def _weights(
    gates: Mapping[str, Mapping[str, BlockGates]], block: str, by_weight: bool
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """For every variant with this gate: its name, the channels in the order shown, and their weights."""
    for variant, by_block in gates.items():
        weights = by_block.get(block, BlockGates()).channel_gate
        if weights is not None:
            order = np.argsort(weights, kind="stable") if by_weight else np.arange(len(weights))
            yield variant, order, weights[order]


def _axis(by_weight: bool) -> str:
    return "rank of channel, lowest weight first" if by_weight else "channel"
