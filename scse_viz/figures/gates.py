"""Gates of one network: their distribution in a block, their values at one pixel through all blocks, their means."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from scse_viz.analysis.gates import EDGE
from scse_viz.rendering.colours import COLOURS
from scse_viz.rendering.panels import GATE_RANGE

BINS = 40
BLUE, ORANGE = COLOURS[0], COLOURS[5]
GRAY = COLOURS[6]
SPREAD = (5, 95)
"""The percentiles between which the band of a profile lies."""
MARGIN = {"l": 60, "r": 10, "t": 40, "b": 50}
LEGEND = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"}


def gate_histogram(gates: Mapping[str, np.ndarray]) -> go.Figure:
    """The distribution of gates over 0 to 1: name -> gate of any shape; counts are in percent of a gate's own elements.

    Bands at both ends mark where a gate is saturated.
    """
    edges = np.linspace(*GATE_RANGE, BINS + 1)
    figure = go.Figure()
    for (name, gate), colour in zip(gates.items(), (BLUE, ORANGE), strict=False):
        counts, _ = np.histogram(np.clip(gate, *GATE_RANGE), bins=edges)
        figure.add_trace(_bars(name, counts, edges, colour))
    for low, high in ((0, EDGE), (1 - EDGE, 1)):
        figure.add_vrect(low, high, fillcolor=GRAY, opacity=0.18, line_width=0, layer="below")
    figure.add_vline(0.5, line={"color": GRAY, "width": 1, "dash": "dot"})
    figure.update_xaxes(title="gate (0 to 1)", range=GATE_RANGE)
    return _histogram(figure)


def activation_histogram(activation: np.ndarray, largest: float) -> go.Figure:
    """The distribution of a map of mean |activation| (h, w), from 0 to `largest` in arbitrary units."""
    edges = np.linspace(0, largest, BINS + 1)
    counts, _ = np.histogram(activation, bins=edges)
    figure = go.Figure(_bars("mean |activation|", counts, edges, COLOURS[1]))
    figure.update_xaxes(title="mean |activation| (a.u.)", range=(0, largest))
    return _histogram(figure)


def class_bars(probabilities: Mapping[str, float], colours: Mapping[str, str]) -> go.Figure:
    """The probabilities of classes at one pixel as bars, the most probable at the top; colours: class -> colour."""
    names = sorted(probabilities, key=lambda name: probabilities[name])
    values = [probabilities[name] for name in names]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            marker={"color": [colours[name] for name in names], "line": {"color": GRAY, "width": 1}},
            text=[f"{value:.3f}" for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.4f}<extra></extra>",
        )
    )
    figure.update_layout(height=300, margin={**MARGIN, "l": 10, "r": 45}, title="Class probabilities here")
    figure.update_xaxes(title="probability (0 to 1)", range=(0, 1))
    figure.update_yaxes(title="class", automargin=True)
    return figure


def gates_at_pixel(
    at_point: Mapping[str, float],
    maps: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray],
    blocks: Sequence[str],
) -> go.Figure:
    """The gates at one pixel of the slice, block by block.

    at_point: block -> spatial gate at the pixel, shown beside the mean and the middle 90 percent of its map (maps:
    block -> (h, w)); weights: block -> (C,), whose mean is the same at every pixel. A block may lack either.
    """
    figure = go.Figure()
    mapped, weighed = ([block for block in blocks if block in quantities] for quantities in (at_point, weights))
    if mapped:
        low, high = np.transpose([np.percentile(maps[block], SPREAD) for block in mapped])
        figure.add_trace(_band(mapped, low, high, "middle 90 % of the map"))
        mean = [maps[block].mean() for block in mapped]
        figure.add_trace(_line("mean of the map", mapped, mean, BLUE, width=1.5, dash="dot"))
        spatial = [at_point[block] for block in mapped]
        figure.add_trace(_line("spatial gate here", mapped, spatial, BLUE, width=3, mode="lines+markers"))
    if weighed:
        mean = [weights[block].mean() for block in weighed]
        figure.add_trace(_line("mean channel weight", weighed, mean, ORANGE, width=2, dash="dash"))
    figure.update_yaxes(title="gate (0 to 1)", range=GATE_RANGE)
    return _profile(figure, blocks)


def multiples_at_pixel(at_point: Mapping[str, float], maps: Mapping[str, np.ndarray], *, quantity: str) -> go.Figure:
    """A quantity without a scale of its own at one pixel, block by block, in multiples of the mean of its map (h, w).

    It is mean |activation| in a network without gates, or the attention that a pixel receives.
    """
    figure, blocks = go.Figure(), list(maps)
    means = {block: float(maps[block].mean()) or 1.0 for block in blocks}
    low, high = np.transpose([np.percentile(maps[block], SPREAD) / means[block] for block in blocks])
    figure.add_trace(_band(blocks, low, high, "middle 90 % of the map"))
    multiples = [at_point[block] / means[block] for block in blocks]
    figure.add_trace(_line(f"{quantity} here", blocks, multiples, COLOURS[1], width=3, mode="lines+markers"))
    figure.add_hline(1, line={"color": GRAY, "width": 1, "dash": "dot"})
    figure.update_yaxes(title=f"{quantity} / mean of the map", rangemode="tozero")
    return _profile(figure, blocks)


def factors_by_block(factors: Mapping[str, Mapping[str, float]], *, colours: Mapping[str, str]) -> go.Figure:
    """The mean factor of every block, with a line at 1; factors: variant -> block -> mean factor, 0 to 2."""
    figure = go.Figure(
        [
            go.Scatter(
                name=variant,
                x=list(by_block),
                y=list(by_block.values()),
                mode="lines+markers",
                line={"color": colours[variant], "width": 2},
                marker={"size": 8, "symbol": symbol},
                cliponaxis=False,
                hovertemplate="%{x}: × %{y:.2f}",
            )
            for (variant, by_block), symbol in zip(
                factors.items(), ("circle", "diamond", "square", "cross") * len(factors), strict=False
            )
        ]
    )
    figure.add_hline(y=1, line={"width": 1, "color": GRAY, "dash": "dot"})
    figure.update_xaxes(title="block")
    figure.update_yaxes(title="mean factor (0 to 2)", range=(0, 2))
    figure.update_layout(height=300, margin={"l": 60, "r": 10, "t": 30, "b": 50})
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    return figure


def _bars(name: str, counts: np.ndarray, edges: np.ndarray, colour: str) -> go.Bar:
    return go.Bar(
        name=name,
        x=(edges[:-1] + edges[1:]) / 2,
        y=100 * counts / max(1, counts.sum()),
        width=np.diff(edges),
        marker={"color": colour, "line_width": 0},
        opacity=0.75,
        hovertemplate=f"{name}, %{{x:.2f}}: %{{y:.1f}} %<extra></extra>",
    )


def _histogram(figure: go.Figure) -> go.Figure:
    figure.update_yaxes(title="share (%)", rangemode="tozero")
    figure.update_layout(barmode="overlay", bargap=0, height=260, margin=MARGIN, legend=LEGEND, showlegend=True)
    return figure


def _line(name: str, blocks: Sequence[str], values: Sequence[float], colour: str, **style: object) -> go.Scatter:
    mode = style.pop("mode", "lines")
    template = f"{name}, %{{x}}: %{{y:.3f}}<extra></extra>"
    return go.Scatter(
        name=name,
        x=list(blocks),
        y=values,
        mode=mode,
        line={"color": colour, **style},
        cliponaxis=False,  # a gate of 0 or 1 lies on the edge of the plot
        hovertemplate=template,
    )


def _band(blocks: Sequence[str], low: np.ndarray, high: np.ndarray, name: str) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=[*blocks, *reversed(blocks)],
        y=[*high, *low[::-1]],
        fill="toself",
        fillcolor="rgba(128, 128, 128, 0.18)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )


def _profile(figure: go.Figure, blocks: Sequence[str]) -> go.Figure:
    figure.update_layout(height=300, margin=MARGIN, legend=LEGEND, showlegend=True, dragmode=False)
    figure.update_xaxes(title="block, from input to output", categoryorder="array", categoryarray=list(blocks))
    figure.update_xaxes(automargin=True)
    return figure
