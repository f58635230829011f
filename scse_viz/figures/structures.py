"""Gates by structure: a coloured table of means, and channel weights of slices with and without a structure."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.analysis.structures import Profile
from scse_viz.figures.heatmaps import number_table
from scse_viz.rendering.colours import COLOURS, DIVERGING_SCALE, GATE_SCALES
from scse_viz.rendering.panels import GATE_RANGE

RELATIVE_RANGE = (-0.5, 0.5)
"""Of differences from the mean of the slices; values beyond it take the colour of the nearer end and keep their
number."""
ROW_PX = 30
PRESENT, ABSENT = COLOURS[5], COLOURS[0]


def gate_table(
    means: np.ndarray, structures: Sequence[str], blocks: Sequence[str], *, relative: bool = False
) -> go.Figure:
    """Mean gates (K, B) as a heat map with its numbers, structures in rows and blocks in columns; nan stays blank.

    Colours span 0 to 1; with `relative`, means are differences and colours span -0.5 to 0.5.
    """
    span, colours = (RELATIVE_RANGE, DIVERGING_SCALE) if relative else (GATE_RANGE, GATE_SCALES[0])
    bar = {"title": {"text": "difference" if relative else "mean gate", "side": "right"}, "thickness": 12}
    figure = go.Figure(
        number_table(means, columns=blocks, rows=structures, span=span, colours=colours, signed=relative, colorbar=bar)
    )
    figure.update_yaxes(autorange="reversed", title="structure (predicted)", automargin=True, showgrid=False)
    figure.update_xaxes(title="block", side="top", showgrid=False)
    figure.update_layout(height=130 + ROW_PX * len(structures), margin={"l": 10, "r": 10, "t": 60, "b": 10})
    return figure


def profile_bars(profile: Profile, *, structure: str, block: str, by_difference: bool = True) -> go.Figure:
    """Channel weights of slices with and without a structure, above their difference, channel by channel.

    Bands are one standard deviation over slices, whiskers one standard error. `by_difference` sorts channels from the
    least to the greatest difference; the axis then counts ranks.
    """
    order = np.argsort(profile.difference, kind="stable") if by_difference else np.arange(len(profile.difference))
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08, row_heights=[0.55, 0.45])
    present, absent = (f"{count} {'slice' if count == 1 else 'slices'}" for count in profile.slices)
    weights = [
        _weights(f"with {structure} ({present})", *profile.present, order, PRESENT, "circle"),
        _weights(f"without ({absent})", *profile.absent, order, ABSENT, "diamond"),
    ]
    difference = go.Bar(
        name="difference",
        y=profile.difference[order],
        customdata=order,
        marker={"color": COLOURS[6], "line": {"width": 0}},
        error_y={"array": np.nan_to_num(profile.standard_error[order]), "thickness": 1, "width": 2},
        showlegend=False,
        hovertemplate="channel %{customdata}: %{y:+.3f} ± %{error_y.array:.3f}<extra></extra>",
    )
    figure.add_traces([*weights, difference], rows=[1, 1, 2], cols=1)
    figure.update_yaxes(title="weight (0 to 1)", range=GATE_RANGE, row=1, col=1)
    figure.update_yaxes(title="difference of weights", zeroline=True, row=2, col=1)
    figure.update_xaxes(title="rank of channel, least difference first" if by_difference else "channel", row=2, col=1)
    figure.update_layout(title=f"{block}: channel weights with and without {structure}", height=460, bargap=0.2)
    figure.update_layout(
        margin={"l": 60, "r": 10, "t": 70, "b": 50}, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    )
    return figure


def _weights(
    name: str, mean: np.ndarray, spread: np.ndarray, order: np.ndarray, colour: str, symbol: str
) -> go.Scatter:
    """Mean weights of channels (C,) in an order, with bands of their spread over slices."""
    return go.Scatter(
        name=name,
        y=mean[order],
        customdata=order,
        mode="markers",
        cliponaxis=False,
        marker={"color": colour, "size": 6, "symbol": symbol},
        error_y={"array": np.nan_to_num(spread[order]), "thickness": 1, "width": 0, "color": colour},
        hovertemplate="channel %{customdata}: %{y:.3f} ± %{error_y.array:.3f}",
    )
