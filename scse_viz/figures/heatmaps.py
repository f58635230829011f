"""Heat maps with a number in every cell, dark on light and light on dark."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from scse_viz.rendering.colours import black_is_legible, colour_scale, scale_stops

DARK, LIGHT = "#000000", "#ffffff"


def number_table(
    values: np.ndarray,
    *,
    columns: Sequence[str],
    rows: Sequence[str],
    span: tuple[float, float],
    colours: str,
    signed: bool = False,
    **options: Any,
) -> list[go.Heatmap | go.Scatter]:
    """The traces of a table (rows, columns): its colours from `span` by a colour scale, then its numbers.

    nan stays blank. `signed` writes numbers with their sign. Options are those of `go.Heatmap`.
    """
    heat = go.Heatmap(
        z=values,
        x=list(columns),
        y=list(rows),
        zmin=span[0],
        zmax=span[1],
        colorscale=scale_stops(colours),
        hoverongaps=False,
        hovertemplate=f"%{{y}}, %{{x}}: %{{z:{'+' if signed else ''}.3f}}<extra></extra>",
        xgap=1,
        ygap=1,
        **options,
    )
    cells = np.argwhere(~np.isnan(values))
    numbers = go.Scatter(
        x=[columns[column] for _, column in cells],
        y=[rows[row] for row, _ in cells],
        text=[_written(float(values[row, column]), signed) for row, column in cells],
        textfont={"size": 12, "color": _ink(values[~np.isnan(values)], span, colours)},
        mode="text",
        hoverinfo="skip",
        showlegend=False,
    )
    return [heat, numbers]


def _written(value: float, signed: bool) -> str:
    rounded = round(value, 2) + 0.0  # no minus before zero
    return (f"{rounded:+.2f}" if signed and rounded else f"{rounded:.2f}").replace("-", "−")


def _ink(values: np.ndarray, span: tuple[float, float], colours: str) -> list[str]:
    """The colours of numbers (N,) that stand out from their cells."""
    shares = ((values - span[0]) / (span[1] - span[0])).clip(0, 1)
    cells = colour_scale(colours)[np.round(255 * shares).astype(int)]
    return np.where(black_is_legible(cells), DARK, LIGHT).tolist()
