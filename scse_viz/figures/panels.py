"""Panels as one Plotly figure: maps over an image, predictions and channel weights, in a grid on common scales."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from scse_viz.rendering.colours import ACTIVATION_SCALE, ATTENTION_SCALE, COLOURS, GATE_SCALES, scale_stops
from scse_viz.rendering.panels import GATE_RANGE

OPACITY = 0.7
SIDE = 170
"""Pixels of the width of a panel."""
BETWEEN = 46
"""Pixels between rows, for the names of their panels."""
MARGIN = {"l": 10, "r": 90, "t": 80, "b": 10}
OWN_SCALES = {
    "activation": (ACTIVATION_SCALE, "%{z:.3g} a.u."),
    "attention": (ATTENTION_SCALE, "× %{z:.2f} of an even share"),
}
"""Kinds of panels scaled to their own maximum -> their colours, and how a value is named."""
AXIS = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}


@dataclass(frozen=True, eq=False)
class GridPanel:
    """One panel: its `title`, and what is drawn over the image, of one of these kinds.

    "image": nothing; "labels": class numbers (H, W), 0 not drawn; "gate" (h, w) in 0 to 1; "activation" (h, w), and
    "attention" (h, w) in multiples of an even share, each scaled to its own maximum; "weights" (C,) in 0 to 1, as bars
    from the highest to the lowest; "note": the title alone.
    """

    title: str
    kind: str
    values: np.ndarray | None = None


def panel_grid(image: np.ndarray, rows: Sequence[Sequence[GridPanel]], *, title: str) -> go.Figure:
    """Panels over one image (H, W), row by row; every map covers the image's field of view."""
    height, width = image.shape
    high, across = round(SIDE * height / width), max(len(row) for row in rows)
    total = len(rows) * (high + BETWEEN)
    layout: dict[str, Any] = {
        "title": {"text": title, "x": 0.01, "font": {"size": 15}},
        "width": across * (SIDE + 8) + MARGIN["l"] + MARGIN["r"],
        "height": total + MARGIN["t"] + MARGIN["b"],
        "margin": MARGIN,
        "showlegend": False,
        "annotations": [],
        "coloraxis": _colour_axis("gate (0 to 1)"),
    }
    data: list[go.Heatmap | go.Bar] = []
    for number, (line, column, panel) in enumerate(
        (line, column, panel) for line, row in enumerate(rows) for column, panel in enumerate(row)
    ):
        axes = {"xaxis": f"x{number + 1}", "yaxis": f"y{number + 1}"}
        top = 1 - (line * (high + BETWEEN) + BETWEEN) / total
        spans = (column / across, (column + 0.96) / across), (max(0.0, top - high / total), top)
        layout |= _axes(number + 1, panel, spans, image.shape)
        layout["annotations"].append(_title(panel.title, spans))
        data += [trace.update(**axes) for trace in _traces(image, panel)]
    if not any(panel.kind == "gate" for row in rows for panel in row):
        del layout["coloraxis"]
    return go.Figure(data, layout)


def _traces(image: np.ndarray, panel: GridPanel) -> list[Any]:
    if panel.kind == "note":
        return []
    if panel.kind == "weights":
        assert panel.values is not None
        order = np.argsort(-panel.values, kind="stable")
        bars = go.Bar(y=panel.values[order], customdata=order, hovertemplate="channel %{customdata}: %{y:.3f}")
        return [bars.update(marker={"color": COLOURS[0], "line_width": 0}, name="")]
    gray = go.Heatmap(z=image, colorscale="gray", showscale=False, hoverinfo="skip")
    return [gray] if panel.values is None else [gray, _overlay(image.shape, panel.kind, panel.values)]


def _overlay(shape: tuple[int, ...], kind: str, values: np.ndarray) -> go.Heatmap:
    """A map whose pixels cover those of the image that they were made from."""
    step = shape[0] / values.shape[0], shape[1] / values.shape[1]
    place = {"y0": step[0] / 2 - 0.5, "dy": step[0], "x0": step[1] / 2 - 0.5, "dx": step[1], "opacity": OPACITY}
    if kind == "gate":
        return go.Heatmap(z=values, coloraxis="coloraxis", hovertemplate="gate %{z:.3f}<extra></extra>", **place)
    if kind in OWN_SCALES:
        scale, said = OWN_SCALES[kind]
        top = float(values.max()) or 1.0
        colours = {"colorscale": scale_stops(scale), "zmin": 0, "zmax": top, "showscale": False}
        return go.Heatmap(z=values, hovertemplate=f"{said}<extra></extra>", **colours, **place)
    count = max(1, int(values.max()))
    chosen = [COLOURS[number % len(COLOURS)] for number in range(count)]
    stops = [(share, colour) for at, colour in enumerate(chosen) for share in (at / count, (at + 1) / count)]
    colours = {"colorscale": stops, "zmin": 0.5, "zmax": count + 0.5, "showscale": False}
    drawn = np.where(values > 0, values.astype(float), np.nan)
    return go.Heatmap(z=drawn, hovertemplate="class %{z}<extra></extra>", **colours, **place)


def _axes(
    number: int, panel: GridPanel, spans: tuple[tuple[float, float], tuple[float, float]], shape: tuple[int, ...]
) -> dict[str, Any]:
    across, down = {**AXIS, "domain": spans[0]}, {**AXIS, "domain": spans[1]}
    if panel.kind == "weights":
        down |= {"range": GATE_RANGE, "showticklabels": True, "tickvals": GATE_RANGE, "ticklabelposition": "inside"}
    else:
        across |= {"range": (-0.5, shape[1] - 0.5)}
        down |= {"range": (shape[0] - 0.5, -0.5), "scaleanchor": f"x{number}", "constrain": "domain"}
    return {f"xaxis{number}": {**across, "anchor": f"y{number}"}, f"yaxis{number}": {**down, "anchor": f"x{number}"}}


def _title(text: str, spans: tuple[tuple[float, float], tuple[float, float]]) -> dict[str, Any]:
    (left, right), (_, top) = spans
    place = {"xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom", "showarrow": False}
    return {**place, "text": text, "x": (left + right) / 2, "y": top, "font": {"size": 11}}


def _colour_axis(title: str) -> dict[str, Any]:
    bar: dict[str, Any] = {"title": {"text": title, "side": "right"}, "thickness": 12, "lenmode": "pixels", "len": 200}
    bar |= {"y": 1, "yanchor": "top"}
    return {"cmin": GATE_RANGE[0], "cmax": GATE_RANGE[1], "colorscale": scale_stops(GATE_SCALES[0]), "colorbar": bar}
