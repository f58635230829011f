"""Gates through a volume: a heat map of blocks by slices."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.rendering.colours import COLOURS, GATE_SCALES, scale_stops
from scse_viz.rendering.panels import GATE_RANGE

ROW_PX = 20
AROUND_PX = 70
"""Height of a heat map besides its rows."""
DEVIATIONS = (-0.1, 0.1)
"""Of mean gates of slices from their block's average; values beyond have the colour of the nearer end."""
CLEAR = "rgba(0, 0, 0, 0)"


def block_slices(
    values: Mapping[str, np.ndarray],
    blocks: Sequence[str],
    *,
    plane: str,
    current: int,
    number: str,
    colours: str = GATE_SCALES[0],
    span: tuple[float, float] = GATE_RANGE,
) -> go.Figure:
    """Heat maps of blocks in rows by slices in columns, one a kind of gate, on one scale.

    values: kind, which becomes the title -> (B, N) in the order of `blocks`, nan where a slice is not done or a block
    lacks such a gate. `number` names the quantity, `colours` a colour scale; the slice `current` is marked. A click on
    a cell selects a point whose x is the slice.
    """
    table_px = ROW_PX * len(blocks)
    figure = make_subplots(
        rows=len(values),
        cols=1,
        shared_xaxes=True,
        subplot_titles=list(values),
        vertical_spacing=0.5 * AROUND_PX / (len(values) * (table_px + AROUND_PX)),
    )
    for row, table in enumerate(values.values(), start=1):
        figure.add_trace(
            go.Heatmap(z=table.round(5), y=list(blocks), coloraxis="coloraxis", hoverinfo="skip", ygap=1),
            row=row,
            col=1,
        )
        figure.add_trace(_cells(table, blocks, number), row=row, col=1)
    figure.add_vline(x=current, line={"color": COLOURS[5], "width": 2})
    figure.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True)
    figure.update_xaxes(range=[-0.5, _slices(values) - 0.5], showgrid=False, zeroline=False)
    figure.update_xaxes(title=f"{plane} slice (index of the voxel)", row=len(values), col=1)
    figure.update_layout(
        height=len(values) * (table_px + AROUND_PX),
        margin={"l": 90, "r": 10, "t": 40, "b": 50},
        showlegend=False,
        hovermode="closest",
        clickmode="event+select",
        dragmode="zoom",
        coloraxis={
            "colorscale": scale_stops(colours),
            "cmin": span[0],
            "cmax": span[1],
            "colorbar": {"title": {"text": number, "side": "right"}, "thickness": 12},
        },
    )
    return figure


def _cells(table: np.ndarray, blocks: Sequence[str], number: str) -> go.Scatter:
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
        hovertemplate=f"%{{y}}, slice %{{x}}: {number} %{{customdata:.3f}}<extra></extra>",
    )


def _slices(values: Mapping[str, np.ndarray]) -> int:
    return next(iter(values.values())).shape[1]
