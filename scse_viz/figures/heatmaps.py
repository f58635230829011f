"""Heat maps that are read as tables: every cell with its number, dark on light and light on dark."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from scse_viz.rendering.panels import colour_scale

STOPS = 9
DARK, LIGHT = "#000000", "#ffffff"
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


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
    """The traces of a table (rows, columns): its colours from `span` by a scale of `pictures`, then its numbers.

    nan stays blank. `signed` writes the sign of every number. Options are those of `go.Heatmap`.
    """
    table = colour_scale(colours)
    stops = [(place, "#" + table[round(255 * place)].tobytes().hex()) for place in np.linspace(0, 1, STOPS)]
    heat = go.Heatmap(
        z=values,
        x=list(columns),
        y=list(rows),
        zmin=span[0],
        zmax=span[1],
        colorscale=stops,
        hoverongaps=False,
        hovertemplate=f"%{{y}}, %{{x}}: %{{z:{'+' if signed else ''}.3f}}<extra></extra>",
        xgap=1,
        ygap=1,
        **options,
    )
    places = [(row, column) for row, column in np.ndindex(values.shape) if not np.isnan(values[row, column])]
    numbers = go.Scatter(
        x=[columns[column] for _, column in places],
        y=[rows[row] for row, _ in places],
        text=[_written(float(values[place]), signed) for place in places],
        textfont={"size": 12, "color": [_ink(table, float(values[place]), span) for place in places]},
        mode="text",
        hoverinfo="skip",
        showlegend=False,
    )
    return [heat, numbers]


def _written(value: float, signed: bool) -> str:
    rounded = round(value, 2) + 0.0  # no minus before nought
    return (f"{rounded:+.2f}" if signed and rounded else f"{rounded:.2f}").replace("-", "−")


def _ink(table: np.ndarray, value: float, span: tuple[float, float]) -> str:
    """The colour of a number that stands out from its cell, by the luminance of WCAG 2."""
    place = round(255 * min(max((value - span[0]) / (span[1] - span[0]), 0), 1))
    shares = table[place] / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return DARK if float(linear @ LUMINANCE) > 0.179 else LIGHT
