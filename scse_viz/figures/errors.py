"""Gates and errors: means and AUC by block, histograms of one block, and gates by decile of entropy."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.figures.heatmaps import number_table
from scse_viz.rendering.colours import COLOURS, GATE_SCALES
from scse_viz.rendering.panels import GATE_RANGE

RIGHT_COLOUR, WRONG_COLOUR = COLOURS[0], COLOURS[5]
SHOWN_BINS = 32
LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}


def error_by_block(means: Mapping[str, np.ndarray], aucs: Mapping[str, float]) -> go.Figure:
    """Mean gates of right and of wrong pixels by block, above the AUC; means: block -> (2,), right first."""
    blocks = list(means)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.1, row_heights=[0.6, 0.4])
    figure.add_traces([_between(block, means[block]) for block in blocks], rows=1, cols=1)
    kinds = (("prediction right", RIGHT_COLOUR, "circle"), ("prediction wrong", WRONG_COLOUR, "diamond"))
    for kind, (name, colour, symbol) in enumerate(kinds):
        points = go.Scatter(
            name=name,
            x=blocks,
            y=[means[block][kind] for block in blocks],
            mode="markers",
            cliponaxis=False,
            marker={"color": colour, "size": 11, "symbol": symbol},
            hovertemplate=f"%{{x}}, {name}: %{{y:.3f}}<extra></extra>",
        )
        figure.add_trace(points, row=1, col=1)
    figure.add_trace(_auc_bars(aucs, blocks), row=2, col=1)
    figure.add_hline(y=0.5, line={"width": 1, "color": COLOURS[6]}, row=2, col=1)
    figure.update_xaxes(categoryorder="array", categoryarray=blocks)
    figure.update_xaxes(title="block", row=2, col=1)
    figure.update_yaxes(title="mean gate (0 to 1)", range=GATE_RANGE, row=1, col=1)
    figure.update_yaxes(title="AUC (0.5: chance)", range=GATE_RANGE, row=2, col=1)
    figure.update_layout(height=470, margin={"l": 60, "r": 10, "t": 40, "b": 50}, legend=LEGEND)
    return figure


def error_histogram(histograms: np.ndarray, *, block: str) -> go.Figure:
    """Gates of right and of wrong pixels as two histograms: (2, BINS) pixels, drawn as shares of their kind."""
    edges = np.linspace(*GATE_RANGE, SHOWN_BINS + 1)
    figure = go.Figure()
    for pixels, (name, colour, dash) in zip(
        histograms, (("right", RIGHT_COLOUR, "solid"), ("wrong", WRONG_COLOUR, "dash")), strict=True
    ):
        total = pixels.sum()
        share = pixels.reshape(SHOWN_BINS, -1).sum(axis=1) / total if total else np.full(SHOWN_BINS, np.nan)
        figure.add_trace(
            go.Scatter(
                name=f"prediction {name} ({total:,.0f} pixels)",
                x=edges,
                y=np.append(share, share[-1]),
                mode="lines",
                line={"shape": "hv", "color": colour, "dash": dash, "width": 2},
                fill="tozeroy",
                hovertemplate="gate from %{x:.2f}: %{y:.1%}",
            )
        )
    figure.update_xaxes(title=f"spatial gate of {block} (0 to 1)", range=GATE_RANGE)
    figure.update_yaxes(title="share of pixels", tickformat=".0%", rangemode="tozero")
    figure.update_layout(title=f"{block}: the gate where the prediction is right and wrong", height=330, legend=LEGEND)
    figure.update_layout(margin={"l": 60, "r": 10, "t": 80, "b": 50})
    return figure


def entropy_table(means: Mapping[str, np.ndarray], entropies: np.ndarray, spearman: Mapping[str, float]) -> go.Figure:
    """Mean gates by block and decile of entropy as a heat map with its numbers, beside their rank correlation.

    means: block -> (10,); entropies (10,), the mean of each decile in 0 to 1.
    """
    blocks = list(means)
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.02, column_widths=[0.78, 0.22])
    table = number_table(
        np.stack([means[block] for block in blocks]),
        columns=[f"{number}<br>{_short(value)}" for number, value in enumerate(entropies, start=1)],
        rows=blocks,
        span=GATE_RANGE,
        colours=GATE_SCALES[0],
        showscale=False,
    )
    figure.add_traces(table, rows=1, cols=1)
    values = np.array([spearman[block] for block in blocks])
    bars = go.Bar(
        x=values,
        y=blocks,
        orientation="h",
        marker={"color": np.where(values > 0, WRONG_COLOUR, RIGHT_COLOUR).tolist(), "line": {"width": 0}},
        text=["" if np.isnan(value) else f"{value:+.2f}" for value in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: Spearman's ρ %{x:+.3f}<extra></extra>",
    )
    figure.add_trace(bars, row=1, col=2)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_yaxes(title="block", automargin=True, row=1, col=1)
    figure.update_xaxes(
        title="decile of pixels by entropy, and its mean entropy (0 to 1)", type="category", row=1, col=1
    )
    figure.update_xaxes(title="Spearman's ρ", range=(-1.25, 1.25), tickvals=[-1, 0, 1], zeroline=True, row=1, col=2)
    figure.update_layout(height=140 + 34 * len(blocks), margin={"l": 10, "r": 10, "t": 20, "b": 60}, showlegend=False)
    return figure


def _between(block: str, means: np.ndarray) -> go.Scatter:
    """The line between the two means of a block."""
    line = {"color": COLOURS[6], "width": 3}
    return go.Scatter(x=[block, block], y=means, mode="lines", line=line, showlegend=False, hoverinfo="skip")


def _auc_bars(aucs: Mapping[str, float], blocks: Sequence[str]) -> go.Bar:
    """Bars from chance, 0.5, up where gates are higher in wrong pixels and down where they are lower."""
    values = [aucs[block] for block in blocks]
    return go.Bar(
        x=blocks,
        y=[value - 0.5 for value in values],
        base=0.5,
        customdata=values,
        marker={"color": [WRONG_COLOUR if value > 0.5 else RIGHT_COLOUR for value in values], "line": {"width": 0}},
        text=["" if np.isnan(value) else f"{value:.2f}" for value in values],
        textposition="outside",
        cliponaxis=False,
        showlegend=False,
        hovertemplate="%{x}: AUC %{customdata:.3f}<extra></extra>",
    )


def _short(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}" if value >= 0.005 else "<0.01"
