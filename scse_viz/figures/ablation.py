"""Ablation: the effect of changing every block, and of knocking out every channel."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scse_viz.rendering.colours import COLOURS

PARTS = {"encoder": COLOURS[0], "bottleneck": COLOURS[1], "decoder": COLOURS[2]}
KEPT, LEFT_OUT = COLOURS[0], COLOURS[5]
COLUMNS = 3
EDGE = 0.03
"""Room beside the outermost points, of the range of an axis."""
MARGIN = {"l": 60, "r": 10, "t": 40, "b": 50}
LEGEND = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"}


@dataclass(frozen=True, eq=False)
class ChannelEffects:
    """The channels of one block: what they are ranked by, `x` (C,), and the effect of knocking them out, `y` (C,)."""

    x: np.ndarray
    y: np.ndarray
    rho: float


def block_bars(effects: Mapping[str, float], *, measure: str) -> go.Figure:
    """The effect of changing every block, the largest at the top; measure: name and unit of the effect for its axis.

    Colours tell encoder, bottleneck and decoder apart. A nan effect has no bar and comes last.
    """
    order = sorted(effects, key=lambda block: (not np.isnan(effects[block]), effects[block]))
    figure = go.Figure()
    for part, colour in PARTS.items():
        blocks = [block for block in order if block.startswith(part)]
        figure.add_trace(
            go.Bar(
                name=part,
                x=[effects[block] for block in blocks],
                y=blocks,
                orientation="h",
                marker={"color": colour, "line_width": 0},
                text=[f"{effects[block]:.3f}" for block in blocks],
                textposition="outside",
                cliponaxis=False,
                hovertemplate=f"%{{y}}: %{{x:.4f}}<extra>{measure}</extra>",
            )
        )
    figure.update_layout(height=380, margin={**MARGIN, "l": 10, "r": 50}, bargap=0.25, legend=LEGEND, barmode="overlay")
    figure.update_xaxes(title=measure, rangemode="tozero")
    figure.update_yaxes(title="block", categoryorder="array", categoryarray=order, automargin=True)
    return figure


def channel_scatter(
    channels: ChannelEffects, *, x_title: str, measure: str, left_out: Collection[int] = ()
) -> go.Figure:
    """The channels of one block as clickable points: what they are ranked by against their effect.

    The customdata of a point is its channel; those already `left_out` have another colour and symbol. Both axes show
    the range of the points, since the weights of one block may all lie within a few hundredths.
    """
    figure = go.Figure(_points(channels, left_out, size=9))
    figure.update_layout(height=380, margin=MARGIN, clickmode="event+select", dragmode=False, showlegend=False)
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=measure, rangemode="tozero")
    return figure


def channel_scatters(
    channels: Mapping[str, ChannelEffects], *, x_title: str, measure: str, span: tuple[float, float] | None
) -> go.Figure:
    """The same for several blocks as small multiples on one scale, titled with their rho.

    `span` is the whole range of what channels are ranked by, if it has one. Unless some effect is negative the scale is
    logarithmic, since effects in wide blocks are far smaller, and 0 lies on its lower edge.
    """
    rows = -(-len(channels) // COLUMNS)
    effects = np.concatenate([of_block.y for of_block in channels.values()])
    floor = _floor(effects)
    figure = make_subplots(
        rows=rows,
        cols=COLUMNS,
        subplot_titles=[f"{block}: ρ {signed(of_block.rho)}" for block, of_block in channels.items()],
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.03,
        vertical_spacing=0.3 / rows,
        x_title=x_title,
        y_title=measure if floor is None else f"{measure}, logarithmic, 0 at the lower edge",
    )
    for position, (block, of_block) in enumerate(channels.items()):
        row, column = divmod(position, COLUMNS)
        figure.add_trace(_points(of_block, (), size=5, name=block, floor=floor), row=row + 1, col=column + 1)
    low, high = span or (0, max(float(of_block.x.max()) for of_block in channels.values()))
    figure.update_xaxes(range=_widened(low, high))
    if floor is None:
        figure.update_yaxes(range=_widened(min(0, effects.min()), effects.max()))
    else:
        figure.update_yaxes(type="log", range=_widened(np.log10(floor), np.log10(effects.max())))
        figure.update_yaxes(dtick=1, exponentformat="none")
    figure.update_layout(height=140 + 200 * rows, margin={**MARGIN, "l": 75, "t": 60, "b": 65}, showlegend=False)
    return figure


def knock_out_bars(
    values: np.ndarray, *, title: str, left_out: Collection[int], by_value: bool, span: tuple[float, float] | None
) -> go.Figure:
    """Channels of a block (C,) as clickable bars; those left out have another colour and a hatch.

    The customdata of a bar is its channel; `by_value` sorts from the largest down. `span` is the whole range of the
    values, if they have one.
    """
    channels = np.argsort(-values, kind="stable") if by_value else np.arange(len(values))
    out = [channel in left_out for channel in channels]
    figure = go.Figure(
        go.Bar(
            y=values[channels],
            customdata=channels.tolist(),
            marker={
                "color": [LEFT_OUT if is_out else KEPT for is_out in out],
                "pattern": {"shape": ["/" if is_out else "" for is_out in out]},
                "line_width": 0,
            },
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},  # colour and hatch tell what is left out, also after a reload
            hovertemplate="channel %{customdata}: %{y:.3g}<extra>click: knock out, or back</extra>",
        )
    )
    figure.update_layout(height=230, margin={**MARGIN, "t": 10}, bargap=0.15, clickmode="event+select", dragmode=False)
    figure.update_xaxes(title="rank of channel, largest first" if by_value else "channel")
    figure.update_yaxes(title=title, **({"range": span} if span else {"rangemode": "tozero"}))
    return figure


def _points(
    effects: ChannelEffects, left_out: Collection[int], *, size: int, name: str = "channel", floor: float | None = None
) -> go.Scatter:
    numbers = np.arange(len(effects.x))
    out = [channel in left_out for channel in numbers]
    return go.Scatter(
        name=name,
        x=effects.x,
        y=effects.y if floor is None else np.maximum(effects.y, floor),
        text=[f"{effect:.4g}" for effect in effects.y],
        customdata=numbers.tolist(),
        mode="markers",
        marker={
            "size": size,
            "color": [LEFT_OUT if is_out else KEPT for is_out in out],
            "symbol": ["x" if is_out else "circle" for is_out in out],
            "opacity": 0.75,
        },
        selected={"marker": {"opacity": 0.75}},
        unselected={"marker": {"opacity": 0.75}},
        hovertemplate="channel %{customdata}<br>%{x:.3g}, effect %{text}<extra>" + name + "</extra>",
    )


def _floor(effects: np.ndarray) -> float | None:
    """Where a logarithmic scale draws 0, below all other effects; None if effects are negative or all 0."""
    positive = effects[effects > 0]
    if not len(positive) or not (effects >= 0).all():
        return None
    return float(10 ** (np.floor(np.log10(positive.min())) - 0.5))


def _widened(low: float, high: float) -> tuple[float, float]:
    edge = EDGE * ((high - low) or 1)
    return low - edge, high + edge


def signed(rho: float) -> str:
    """A correlation as text: +0.46, −0.20, or a dash where there is none."""
    return "–" if np.isnan(rho) else f"{rho:+.2f}".replace("-", "−")
