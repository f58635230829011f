"""Training history: Dice and loss over the steps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.rendering.colours import COLOURS
from scse_viz.rendering.panels import GATE_RANGE

LEFT_END = 0.5
"""Where step 0 is drawn, since a logarithmic axis has no 0."""
DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True, eq=False)
class Curves:
    """One network: Dice and validation loss (M,) at `steps` (M,), training loss (L,) at `loss_steps` (L,)."""

    steps: np.ndarray
    dice: np.ndarray
    validation_loss: np.ndarray
    loss_steps: np.ndarray
    losses: np.ndarray


def history_curves(curves: Mapping[str, Curves], *, step: int, colours: Mapping[str, str], dice_of: str) -> go.Figure:
    """Dice on the left and losses on the right over the steps (logarithmic), with a line at the chosen step.

    Variants differ in colour and dash; the thin lines are training losses. Step 0 is at the left end of the axis.
    """
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.13)
    dashes = dict(zip(colours, cycle(DASHES), strict=False))
    for name, curve in curves.items():
        dice, *losses = _traces(name, curve, colours[name], dashes[name])
        figure.add_trace(dice, row=1, col=1)
        figure.add_traces(losses, rows=1, cols=2)
    marker = {"width": 2, "color": COLOURS[6], "dash": "dot"}
    figure.add_vline(x=float(_drawn(np.array([step]))[0]), line=marker)
    last = max(int(curve.steps[-1]) for curve in curves.values())
    ticks = [0, *(10**power for power in range(6) if 10**power <= last)]
    figure.update_xaxes(
        type="log",
        title="training steps (logarithmic)",
        tickvals=_drawn(np.array(ticks)),
        ticktext=[f"{tick:,}" for tick in ticks],
        range=(np.log10(LEFT_END) - 0.05, np.log10(max(last, 1)) + 0.05),
    )
    figure.update_yaxes(title=f"Dice, {dice_of} (0 to 1)", range=GATE_RANGE, row=1, col=1)
    figure.update_yaxes(title="loss (validation; thin: training)", rangemode="tozero", row=1, col=2)
    figure.update_layout(height=320, margin={"l": 60, "r": 10, "t": 30, "b": 50})
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    return figure


def _traces(name: str, curves: Curves, colour: str, dash: str) -> Iterator[go.Scatter]:
    """Dice, validation loss and training loss of one network."""
    for values, in_legend in ((curves.dice, True), (curves.validation_loss, False)):
        yield go.Scatter(
            name=name,
            legendgroup=name,
            showlegend=in_legend,
            x=_drawn(curves.steps),
            y=values,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"size": 5},
            customdata=curves.steps,
            hovertemplate="step %{customdata:,}: %{y:.3f}",
        )
    yield go.Scatter(
        name=f"{name}, training",
        legendgroup=name,
        showlegend=False,
        x=_drawn(curves.loss_steps),
        y=curves.losses,
        mode="lines",
        line={"color": colour, "width": 1},
        opacity=0.35,
        hovertemplate="to step %{x:,.0f}: %{y:.3f}",
    )


def _drawn(steps: np.ndarray) -> np.ndarray:
    return np.maximum(np.asarray(steps, dtype=np.float64), LEFT_END)
