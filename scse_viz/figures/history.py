"""How networks grew: Dice and loss over the steps of their training."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.rendering.colours import COLOURS
from scse_viz.rendering.panels import GATE_RANGE

NOUGHT = 0.5
"""Where step 0 is drawn, as a logarithmic axis has no 0."""
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
    """Dice above and losses below over the steps (logarithmic, 0 at the left end), a line at the chosen step.

    Variants differ in colour and in dash; the thin line is the training loss.
    """
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.13)
    dashes = dict(zip(colours, cycle(DASHES), strict=False))
    for name, each in curves.items():
        line = {"color": colours[name], "dash": dashes[name], "width": 2}
        shared = {"name": name, "legendgroup": name, "mode": "lines+markers", "line": line, "marker": {"size": 5}}
        hover = "step %{customdata:,}: %{y:.3f}"
        figure.add_trace(
            go.Scatter(x=_drawn(each.steps), y=each.dice, customdata=each.steps, hovertemplate=hover, **shared),
            row=1,
            col=1,
        )
        figure.add_trace(
            go.Scatter(
                x=_drawn(each.steps), y=each.validation_loss, customdata=each.steps, hovertemplate=hover,
                showlegend=False, **shared,
            ),
            row=1,
            col=2,
        )  # fmt: skip
        training = go.Scatter(
            name=f"{name}, training",
            legendgroup=name,
            showlegend=False,
            x=_drawn(each.loss_steps),
            y=each.losses,
            mode="lines",
            line={"color": colours[name], "width": 1},
            opacity=0.35,
            hovertemplate="to step %{x:,.0f}: %{y:.3f}",
        )
        figure.add_trace(training, row=1, col=2)
    for column in (1, 2):
        marker = {"width": 2, "color": COLOURS[6], "dash": "dot"}
        figure.add_vline(x=float(_drawn(np.array([step]))[0]), line=marker, row=1, col=column)
    last = max(int(each.steps[-1]) for each in curves.values())
    ticks = [0, *(10**power for power in range(6) if 10**power <= last)]
    figure.update_xaxes(
        type="log",
        title="training steps (logarithmic)",
        tickvals=_drawn(np.array(ticks)),
        ticktext=[f"{tick:,}" for tick in ticks],
        range=(np.log10(NOUGHT) - 0.05, np.log10(max(last, 1)) + 0.05),
    )
    figure.update_yaxes(title=f"Dice, {dice_of} (0 to 1)", range=GATE_RANGE, row=1, col=1)
    figure.update_yaxes(title="loss (validation; thin: training)", rangemode="tozero", row=1, col=2)
    figure.update_layout(height=320, margin={"l": 60, "r": 10, "t": 30, "b": 50})
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})
    return figure


def _drawn(steps: np.ndarray) -> np.ndarray:
    return np.maximum(np.asarray(steps, dtype=np.float64), NOUGHT)
