"""Agreement of networks: matrices with their numbers, and mean gates through the blocks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from scse_viz.rendering.colours import DIVERGING_SCALE, black_is_legible, colour_scale, scale_stops
from scse_viz.rendering.panels import GATE_RANGE

SHARE = (0.0, 1.0)
CORRELATION = (-1.0, 1.0)
SCALES = {SHARE: "cividis", CORRELATION: DIVERGING_SCALE}
"""Colours by range: lightness rises steadily from 0 to 1, and from white to either side of no correlation."""
GRAY = "rgba(128, 128, 128, 0.25)"
AXIS = {"showgrid": False, "zeroline": False, "ticks": ""}
NETWORK = {"title": {"text": "network", "standoff": 8}, "automargin": True}
TITLE = {"xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom", "showarrow": False}
COLUMNS = 5
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "diamond", "square", "x")


def matrix(values: np.ndarray, names: Sequence[str], *, measure: str, span: tuple[float, float]) -> go.Figure:
    """A symmetric matrix (N, N) as a heat map with its numbers.

    `measure` is the name of the numbers and `span` their whole range, SHARE or CORRELATION, whatever the data. A nan
    entry stays empty; the diagonal is gray, since agreement with itself would outshine the rest.
    """
    # Placed in the figure, and without its title: at the axes Plotly would draw the lower axis's title into the matrix.
    bar = {"orientation": "h", "x": 0.5, "xanchor": "center", "yref": "container", "y": 0.77, "yanchor": "bottom"}
    title = {"text": measure, "x": 0.5, "xanchor": "center", "y": 0.95, "yanchor": "top", "font": {"size": 14}}
    layout = {
        "coloraxis": _colour_axis(span, "", bar),
        "title": title,
        "height": 400,
        "margin": {"l": 10, "r": 10, "t": 90, "b": 10},
        "xaxis": {**AXIS, **NETWORK, "constrain": "domain"},
        "yaxis": {**AXIS, **NETWORK, "constrain": "domain", "autorange": "reversed", "scaleanchor": "x"},
    }
    return go.Figure(_heat_maps(values, names, measure, span), layout)


def matrices(
    values: Mapping[str, np.ndarray], names: Sequence[str], *, measure: str, span: tuple[float, float]
) -> go.Figure:
    """A matrix (N, N) for every block as small multiples, all on the scale of `matrix`."""
    rows = -(-len(values) // COLUMNS)
    width, height = 1 / COLUMNS, 1 / rows
    layout: dict[str, Any] = {
        "coloraxis": _colour_axis(span, measure, {"len": 0.9}),
        "height": 80 + 200 * rows,
        "margin": {"l": 10, "r": 10, "t": 50, "b": 10},
        "annotations": [],
    }
    data: list[go.Heatmap] = []
    # Axes are laid out here since make_subplots takes ten times as long.
    for position, (block, pairs) in enumerate(values.items()):
        row, column = divmod(position, COLUMNS)
        number = str(position + 1) if position else ""
        left, top = column * width, 1 - row * height
        right, bottom = left + 0.92 * width, top - (0.78 * height if rows > 1 else 1)
        lowest = position + COLUMNS >= len(values)
        layout[f"xaxis{number}"] = {
            **AXIS, "domain": (left, right), "anchor": f"y{number}", "matches": "x", "showticklabels": lowest,
            **(NETWORK if lowest else {}),
        }  # fmt: skip
        layout[f"yaxis{number}"] = {
            **AXIS, "domain": (bottom, top), "anchor": f"x{number}", "matches": "y", "showticklabels": column == 0,
            "autorange": "reversed", **({} if column else NETWORK),
        }  # fmt: skip
        layout["annotations"].append({**TITLE, "text": block, "x": (left + right) / 2, "y": top})
        data += [
            heat_map.update(xaxis=f"x{number}", yaxis=f"y{number}")
            for heat_map in _heat_maps(pairs, names, measure, span)
        ]
    for axis in ("xaxis", "yaxis"):
        layout[axis].pop("matches")
    return go.Figure(data, layout)


def gate_means(
    means: Mapping[str, Sequence[float]],
    *,
    blocks: Sequence[str],
    quantity: str,
    colours: Mapping[str, str],
    dashes: Mapping[str, int],
) -> go.Figure:
    """The mean gate of every block, 0 to 1, as a line a network; means: name -> one number a block, or nan.

    `dashes` tells groups of networks apart, such as those of two scans: name -> the number of its group.
    """
    figure = go.Figure(
        [
            go.Scatter(
                name=name,
                x=list(blocks),
                y=list(by_block),
                mode="lines+markers",
                line={"color": colours[name], "width": 2, "dash": DASHES[dashes[name] % len(DASHES)]},
                marker={"size": 7, "symbol": SYMBOLS[dashes[name] % len(SYMBOLS)]},
                hovertemplate="%{y:.3f}",
                cliponaxis=False,
                connectgaps=True,  # networks of other blocks have gaps
            )
            for name, by_block in means.items()
        ]
    )
    figure.update_layout(hovermode="x unified", height=340, margin={"l": 60, "r": 10, "t": 70, "b": 40})
    legend = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.04, "yanchor": "bottom"}
    figure.update_layout(legend=legend, showlegend=True)
    figure.update_xaxes(title="block, in the order of the network", tickangle=-35)
    figure.update_yaxes(title=f"{quantity} (0 to 1)", range=GATE_RANGE)
    return figure


def _heat_maps(values: np.ndarray, names: Sequence[str], measure: str, span: tuple[float, float]) -> list[go.Heatmap]:
    """The diagonal, then the pairs with their numbers: white on dark cells, black on light ones."""
    lines = [name.replace(" · ", "<br>") for name in names]
    cells = {"x": lines, "y": lines, "xgap": 2, "ygap": 2, "hoverongaps": False}
    itself = np.eye(len(values), dtype=bool)
    light = _light(values, span)
    pairs = [
        go.Heatmap(
            z=np.where(shown & ~itself, values, np.nan),
            coloraxis="coloraxis",
            texttemplate="%{z:.2f}",
            textfont={"color": colour},
            hovertemplate=f"%{{y}} and %{{x}}<br>{measure} %{{z:.3f}}<extra></extra>",
            **cells,
        )
        for shown, colour in ((~light, "#fff"), (light, "#000"))
    ]
    diagonal = go.Heatmap(
        z=np.where(itself, 0.0, np.nan), colorscale=[GRAY, GRAY], showscale=False, hoverinfo="skip", **cells
    )
    return [diagonal, *pairs]


def _light(values: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    """Where numbers are drawn in black: values of any shape -> bool. Plotly's own choice is dark gray on mid tones."""
    shares = np.nan_to_num((values - span[0]) / (span[1] - span[0])).clip(0, 1)
    return black_is_legible(colour_scale(SCALES[span])[np.round(255 * shares).astype(int)])


def _colour_axis(span: tuple[float, float], measure: str, position: Mapping[str, object]) -> dict[str, object]:
    bar = {"title": {"text": measure, "side": "top"}, "thickness": 10, **position}
    return {"cmin": span[0], "cmax": span[1], "colorscale": scale_stops(SCALES[span]), "colorbar": bar}
