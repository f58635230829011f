"""Whether maps can be believed: which gates pass, the curves behind it, and a map beside Seg-Grad-CAM's."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.rendering.colours import COLOURS, GATE_SCALES, scale_stops

DICE = "Dice of the structure (0 to 1)"
LIKENESS = "|rho| with the trained map (0 to 1)"
MAP_COLOUR, RANDOM_COLOUR, NULL_COLOUR = COLOURS[0], COLOURS[6], COLOURS[5]
RIVAL_COLOURS = (COLOURS[1], COLOURS[2])
PASSED, FAILED = "#cfe3f1", "#f7d9b5"
LEGEND = {"orientation": "h", "x": 0, "y": 1.1, "yanchor": "bottom"}
MARGIN = {"l": 60, "r": 10, "t": 40, "b": 50}
ROW = 30


def verdict_table(
    passed: Mapping[str, Mapping[str, bool | None]],
    texts: Mapping[str, Mapping[str, str]],
    *,
    columns: Sequence[str],
    titles: tuple[str, str] = ("test", "gate"),
) -> go.Figure:
    """Rows x columns: blue where passed, orange where failed, blank where a test does not apply.

    passed, texts: row -> column -> verdict and text of the cell; titles: of columns and rows.
    """
    rows = list(passed)
    shares = [[_share(passed[row].get(column)) for column in columns] for row in rows]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(columns),
            y=rows,
            text=[[texts[row].get(column, "") for column in columns] for row in rows],
            texttemplate="%{text}",
            textfont={"color": "#000000", "size": 12},
            colorscale=[[0, FAILED], [0.5, FAILED], [0.5, PASSED], [1, PASSED]],
            zmin=0,
            zmax=1,
            showscale=False,
            hoverongaps=False,
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    figure.update_layout(height=90 + ROW * len(rows), margin={"l": 10, "r": 10, "t": 40, "b": 10})
    figure.update_xaxes(side="top", title=titles[0], type="category", showgrid=False)
    figure.update_yaxes(title=titles[1], autorange="reversed", automargin=True, type="category", showgrid=False)
    return figure


def removal_curves(
    shares: Sequence[float],
    of_map: tuple[np.ndarray, np.ndarray],
    random: Sequence[tuple[np.ndarray, np.ndarray]],
    rivals: Mapping[str, tuple[np.ndarray, np.ndarray]],
) -> go.Figure:
    """Dice against the share of pixels removed, and brought back, in the order of a map and of others.

    Every order is a pair of curves (S,); of the random ones the mean is drawn over the band from least to most.
    """
    figure = make_subplots(cols=2, subplot_titles=("removed, the highest first", "brought back, the highest first"))
    for column in (0, 1):
        draws = np.stack([pair[column] for pair in random])  # (draws, S)
        band = [draws.min(axis=0), draws.max(axis=0)]
        figure.add_trace(_band(shares, *band), row=1, col=column + 1)
        lines = {"random order": (draws.mean(axis=0), RANDOM_COLOUR, "solid")}
        for (name, curves), colour in zip(rivals.items(), RIVAL_COLOURS, strict=False):
            lines[name] = curves[column], colour, "dash"
        lines["the gate's map"] = of_map[column], MAP_COLOUR, "solid"
        for name, (values, colour, dash) in lines.items():
            line = go.Scatter(
                name=name,
                legendgroup=name,
                showlegend=column == 0,
                x=list(shares),
                y=values,
                mode="lines+markers",
                marker={"size": 5},
                line={"color": colour, "dash": dash, "width": 2},
                hovertemplate=f"{name}: %{{y:.3f}} at %{{x:.0%}}<extra></extra>",
            )
            figure.add_trace(line, row=1, col=column + 1)
    figure.update_xaxes(title="share of pixels (0 to 1)", range=(0, 1))
    figure.update_yaxes(title=DICE, range=(0, 1.02))
    figure.update_layout(height=360, margin={**MARGIN, "t": 70}, legend={**LEGEND, "y": 1.12})
    return figure


def survival_curve(
    depths: Sequence[str], survived: Mapping[str, np.ndarray], null: float, *, block: str | None = None
) -> go.Figure:
    """What is left of maps as depths are redrawn from the top down: name -> (depths,); null: that of shifted copies."""
    figure = go.Figure()
    for (name, values), colour in zip(survived.items(), (MAP_COLOUR, COLOURS[2]), strict=False):
        figure.add_trace(
            go.Scatter(
                name=name,
                x=list(depths),
                y=values,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                hovertemplate="%{x} and all after it redrawn: %{y:.3f}<extra></extra>",
            )
        )
    figure.add_hline(
        y=null,
        line={"color": NULL_COLOUR, "dash": "dot"},
        annotation_text="by chance",
        annotation_position="top right",
    )
    figure.update_xaxes(title="redrawn down to", type="category", tickangle=-45, automargin=True)
    figure.update_yaxes(title=LIKENESS, range=(0, 1.05))
    figure.update_layout(height=340, margin=MARGIN, showlegend=len(survived) > 1, legend=LEGEND)
    return figure


def maps_beside(
    image: np.ndarray,
    maps: Mapping[str, np.ndarray],
    structure: np.ndarray,
    *,
    aspect: float = 1.0,
    convention: str = "",
) -> go.Figure:
    """A slice (h, w) with the outline of a structure, and maps (h, w) beside it, each from its least to its most.

    A map that is a gate keeps 0 to 1 in its hover text. aspect: height of a pixel over its width. convention: which
    side is drawn left, in words, written below the pictures so that a saved figure says it too.
    """
    shown = {"slice": image, **maps}
    figure = make_subplots(cols=len(shown), subplot_titles=list(shown), horizontal_spacing=0.02)
    for column, (name, values) in enumerate(shown.items(), start=1):
        heat = go.Heatmap(
            z=values,
            colorscale="gray" if name == "slice" else scale_stops(GATE_SCALES[0]),
            showscale=False,
            hovertemplate=f"{name} %{{z:.3f}}<extra></extra>",
        )
        outline = go.Contour(
            z=structure.astype(np.float32),
            contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"},
            line={"color": COLOURS[5], "width": 1.5},
            showscale=False,
            showlegend=False,
            hoverinfo="skip",
        )
        figure.add_trace(heat, row=1, col=column)
        figure.add_trace(outline, row=1, col=column)
        axis = "" if column == 1 else column
        figure.update_xaxes(title="column (pixels)", visible=False, constrain="domain", row=1, col=column)
        figure.update_yaxes(
            title="row (pixels)",
            visible=False,
            autorange="reversed",
            scaleanchor=f"x{axis}",
            scaleratio=aspect,
            row=1,
            col=column,
        )
    figure.update_layout(height=340, margin={"l": 0, "r": 0, "t": 30, "b": 24 if convention else 0})
    if convention:
        place = {"x": 0, "xanchor": "left", "xref": "paper", "y": 0, "yanchor": "top", "yref": "paper"}
        figure.add_annotation(text=convention, showarrow=False, **place)
    return figure


def _band(shares: Sequence[float], low: np.ndarray, high: np.ndarray) -> go.Scatter:
    return go.Scatter(
        x=[*shares, *reversed(shares)],
        y=[*high, *low[::-1]],
        mode="lines",
        fill="toself",
        fillcolor="rgba(153, 153, 153, 0.25)",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )


def _share(verdict: bool | None) -> float:
    return float("nan") if verdict is None else float(verdict)
