"""Channel weights of variants: bars of one block, and an overview of all."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.analysis.gates import BlockGates
from scse_viz.rendering.panels import GATE_RANGE

COLUMNS = 3
HOVER = "channel %{customdata}: %{y:.3f}"


def channel_bars(
    gates: Mapping[str, Mapping[str, BlockGates]], *, block: str, colours: Mapping[str, str], by_weight: bool = False
) -> go.Figure:
    """Bars of the channel gates of one block, variants beside one another on one scale.

    gates: variant -> block -> its gates; a variant without this channel gate has no bars. `by_weight` sorts each
    variant from its lowest to its highest weight, and the axis counts ranks then.
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
    # Steps and not bars: 128 channels of four variants are finer than a screen's pixels.
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
