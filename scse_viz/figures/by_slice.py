"""Gates through a volume: a heat map of blocks by slices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.rendering.colours import ACTIVATION_SCALE, COLOURS, DIVERGING_SCALE, GATE_SCALES, scale_stops
from scse_viz.rendering.panels import GATE_RANGE

ROW_PX = 20
AROUND_PX = 70
"""Height of a heat map without its rows."""
CLEAR = "rgba(0, 0, 0, 0)"


@dataclass(frozen=True)
class Quantity:
    """A number by block and slice: its name, and its colour scale over a fixed span."""

    name: str
    scale: str = GATE_SCALES[0]
    span: tuple[float, float] = GATE_RANGE


DEVIATION = Quantity("from the block's mean", DIVERGING_SCALE, (-0.1, 0.1))
"""Of mean gates of slices from their block's average; values beyond it take the colour of the nearer end."""
SHARE = Quantity("share", ACTIVATION_SCALE)
"""Of mean |activation| in the largest of the block."""


def block_slices(
    values: Mapping[str, np.ndarray], blocks: Sequence[str], quantity: Quantity, *, plane: str, current: int
) -> go.Figure:
    """Heat maps of blocks in rows by slices in columns, one a kind of gate, on the scale of `quantity`.

    values: kind, which becomes the title -> (B, N) in the order of `blocks`, nan where a slice is not done or a block
    lacks such a gate. The slice `current` is marked. A click on a cell selects a point whose x is the slice.
    """
    height = len(values) * (ROW_PX * len(blocks) + AROUND_PX)
    figure = make_subplots(
        rows=len(values),
        cols=1,
        shared_xaxes=True,
        subplot_titles=list(values),
        vertical_spacing=0.5 * AROUND_PX / height,
    )
    for row, table in enumerate(values.values(), start=1):
        heat = go.Heatmap(z=table.round(5), y=list(blocks), coloraxis="coloraxis", hoverinfo="skip", ygap=1)
        figure.add_traces([heat, _cells(table, blocks, quantity.name)], rows=row, cols=1)
    figure.add_vline(x=current, line={"color": COLOURS[5], "width": 2})
    figure.update_yaxes(title="block", autorange="reversed", showgrid=False, fixedrange=True)
    figure.update_xaxes(range=[-0.5, table.shape[1] - 0.5], showgrid=False, zeroline=False)
    figure.update_xaxes(title=f"{plane} slice (index of the voxel)", row=len(values), col=1)
    figure.update_layout(height=height, margin={"l": 110, "r": 10, "t": 40, "b": 50}, showlegend=False)
    figure.update_layout(hovermode="closest", clickmode="event+select", dragmode="zoom")
    bar = {"title": {"text": quantity.name, "side": "right"}, "thickness": 12}
    low, high = quantity.span
    figure.update_layout(
        coloraxis={"colorscale": scale_stops(quantity.scale), "cmin": low, "cmax": high, "colorbar": bar}
    )
    return figure


def _cells(table: np.ndarray, blocks: Sequence[str], name: str) -> go.Scatter:
    """A transparent point in every cell that is done, since the cells of a heat map cannot be clicked."""
    rows, slices = np.nonzero(np.isfinite(table))
    still = {"marker": {"opacity": 0}}
    return go.Scatter(
        x=slices,
        y=np.asarray(blocks)[rows],
        customdata=table[rows, slices].round(5),
        mode="markers",
        marker={"symbol": "square", "size": ROW_PX - 4, "color": CLEAR, "opacity": 0},
        selected=still,
        unselected=still,
        hovertemplate=f"%{{y}}, slice %{{x}}: {name} %{{customdata:.3f}}<extra></extra>",
    )
