"""Explore: one network on one slice: all of its blocks, one block in detail, and one pixel through all blocks."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.gates import BlockGates, Openness, named_arrays, openness
from scse_viz.figures.gates import activation_histogram, gate_histogram
from scse_viz.inference import SliceResult
from scse_viz.rendering.panels import Panel
from scse_viz.scans import ScanError
from scse_viz.ui.components.keys import keys
from scse_viz.ui.components.network import network
from scse_viz.ui.components.panels import panels
from scse_viz.ui.explore import cached as explore_cached
from scse_viz.ui.explore import channels, point
from scse_viz.ui.shell import address, cached, export, sidebar
from scse_viz.ui.shell.labels import labels_panel, legend
from scse_viz.ui.shell.layout import beside
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import variant_title, verbatim
from scse_viz.zoo import Card, WeightsError

FIRST_VARIANTS = 4
DRAWN = {
    "gate": "the spatial gate is drawn over the slice, at its own resolution",
    "activation": "the mean |activation| of the stage's output is drawn, each map scaled to its own maximum",
    "none": "the channel weights are drawn, 0 to 1, the most excited channel first",
}
LABEL = "Maps of one block. Arrow keys move the crosshair, Enter reads its pixel in every block, + and - zoom."
CODE = """
from scse_viz.inference.features import inspect_block

inspection = inspect_block(scan.slice({plane!r}, {index}), zoo.load({name!r}), zoo.read_card({name!r}), {block!r})
inspection.before[{channel}], inspection.after[{channel}]  # the channel's feature map (h, w)
inspection.probabilities[:, {row}, {column}]  # of every class at the pixel
"""


@dataclass(frozen=True, eq=False)
class Block:
    """One block of one network on one slice."""

    view: View
    card: Card
    name: str
    result: SliceResult
    panel: Panel

    @property
    def channels(self) -> int:
        """Number of channels that it recalibrates."""
        return next(block.channels for block in self.card.block_table if block.name == self.name)

    @property
    def gates(self) -> BlockGates:
        """Its gates on this slice."""
        return self.result.gates[self.name]

    @property
    def named_gates(self) -> dict[str, np.ndarray]:
        """Its gates, by the names used in figures and tables."""
        gates = {"spatial gate": self.gates.spatial_gate, "channel gate": self.gates.channel_gate}
        return {name: gate for name, gate in gates.items() if gate is not None}


def page() -> None:
    """The page: the network, then maps, effect, gate distribution and channels of a block, then one pixel."""
    view = sidebar.view()
    card = sidebar.choose_network(view)
    name = sidebar.choose_block(card)
    _listen(view, card)
    pixel = point.picked(view)
    try:
        with st.spinner("Segmenting and recording gates", show_time=False):
            result = cached.result(view.slice, card)
            drawn = cached.panels(view.slice, card)
            summary = explore_cached.block_summary(view.slice, card, name)
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
        return
    block = Block(view, card, name, result, drawn[name])
    at = pixel or point.default(result)
    _draw_network(block, drawn, at)
    _draw_title(block)
    maps = st.container()
    _draw_summary(summary, block)
    histogram = _draw_spread(block)
    bars, number = _draw_channels(block)
    figures = {"gate histogram": histogram, **({"channel weights": bars} if bars else {})}
    with maps:
        _draw_maps(block, drawn["prediction"], number, at)
    readings = point.draw(view, card, name, result, at, picked=pixel is not None)
    _offer(block, summary, figures, readings, _code(block, number, at))
    address.draw_lost()


def _listen(view: View, card: Card) -> None:
    """The keys 1 to 4 choose among the first four variants of the architecture."""
    family = [each for each in view.networks.values() if each.architecture == card.architecture]
    titles = [variant_title(each.variant) for each in family[:FIRST_VARIANTS]]
    actions = {str(number): partial(_set, "variant", title) for number, title in enumerate(titles, start=1)}
    with st.sidebar:  # at its end, where an element of no height moves nothing
        keys.listen(actions, key="explore_keys")


def _set(key: str, value: str) -> None:
    st.session_state[key] = value


def _draw_network(block: Block, drawn: dict[str, Panel], pixel: tuple[int, int]) -> None:
    view, card = block.view, block.card
    where = f" · {view.position}" if view.position else ""
    st.markdown(f"#### {verbatim(view.scan.name)}{where}")
    shown = DRAWN[block.panel.kind]
    st.caption(f"{card.name}, {card.parameters:,} parameters. At every block {shown}. Click a block to open it below.")
    packed = network.message(view, card, drawn, selected=block.name, picked=pixel)
    network.draw(packed, [each.name for each in card.block_table], on_block=partial(_set, "block"))


def _draw_title(block: Block) -> None:
    st.subheader(block.name)
    variant = variant_title(block.card.variant)
    row_mm, column_mm = block.gates.map_mm
    shape = next((map_.shape for map_ in _maps(block).values()), None)
    pixels = f"a map of {shape[0]} × {shape[1]} pixels" if shape else "pixels"
    st.caption(
        f"{variant}, {block.channels} channels, {pixels} of {row_mm:.3g} × {column_mm:.3g} mm.",
        help=f"Slices are padded at the bottom and right to a multiple of {block.card.multiple} pixels, so a map may "
        "extend beyond its slice. All numbers are over the whole map, as the network computed it.",
    )


def _draw_maps(block: Block, prediction: Panel, number: int, pixel: tuple[int, int]) -> None:
    view, card = block.view, block.card
    before, after = explore_cached.channel(view.slice, card, block.name, number)
    title = {"gate": "spatial gate", "activation": "mean |activation|", "none": "channel gate"}[block.panel.kind]
    map_, labels = (f"{block.name}: {title}", block.panel), ("prediction", prediction)
    shown = {
        **dict((labels, map_) if block.panel.kind == "none" else (map_, labels)),  # the first is drawn large
        f"channel {number}, before": before,
        f"channel {number}, after": after,
    }
    packed = panels.message(
        view,
        columns={title: panel.alt for title, panel in shown.items()},
        rows=[panels.Row(block.name, "", tuple(shown.values()))],
        structures=legend(view, card.structures),
        reference=labels_panel(view, card.structures),
        options={
            "layout": "focus",
            "label": LABEL,
            "activations": "feature maps and mean |activation|, a.u.",
            "pick": True,
            "picked": pixel,
        },
    )
    pick, keep = partial(point.pick, view), partial(point.picked, view)
    panels.draw(packed, key="explore_panels", on_pick=pick, keep=keep)


def _draw_summary(summary: explore_cached.BlockSummary, block: Block) -> None:
    st.subheader(
        "Effect of the block" if block.card.variant != "none" else "Output of the stage",
        help="Mean activation is mean |u| over all channels and pixels of the features u, in arbitrary units.",
    )
    columns = st.columns(3 if summary.channel_share is None else 5)
    columns[0].metric(
        "Before", f"{summary.recalibration.before:.2g}", help="Mean activation of the block's input, a.u."
    )
    columns[1].metric("After", f"{summary.recalibration.after:.2g}", help="Mean activation of the block's output, a.u.")
    columns[2].metric("Ratio", f"{summary.recalibration.ratio:.2f}", help="After divided by before.")
    if summary.channel_share is None:
        return
    share = (
        "scSE adds two halves, u c by channel and u s by pixel. The channel half's share is mean |u c| / "
        "(mean |u c| + mean |u s|); the spatial half has the rest."
    )
    columns[3].metric("cSE half", f"{summary.channel_share:.0%}", help=share)
    columns[4].metric("sSE half", f"{1 - summary.channel_share:.0%}", help=share)


def _draw_spread(block: Block) -> go.Figure:
    left, right = beside(2, key="spread")
    gates, activation = block.named_gates, block.gates.activation
    figure = gate_histogram(gates)
    if not gates and activation is not None:
        figure = activation_histogram(activation, (block.panel.span or (0, 1))[1])
    with left:
        export.chart(figure, key="explore_histogram")
    with right:
        if gates:
            _draw_openness({name: openness(gate) for name, gate in gates.items()})
        else:
            st.info("This network has no gates: features pass its blocks unchanged.")
    return figure


def _draw_openness(found: dict[str, Openness]) -> None:
    table = _openness_table(found)
    st.dataframe(
        table,
        width="stretch",
        height="content",
        column_config={name: st.column_config.NumberColumn(format="%.3f") for name in table.columns},
        key="explore_openness",
    )
    st.caption(
        "Shares of pixels (spatial gate) or of channels (channel gate), 0 to 1.",
        help="Closed: within 0.05 of 0, almost nothing passes. Open: within 0.05 of 1, almost everything passes. "
        "Saturated: either, where the sigmoid's gradient is nearly 0.",
    )


def _openness_table(found: dict[str, Openness]) -> pd.DataFrame:
    rows = {
        name: {
            "mean gate": each.mean,
            "share above 0.5": each.above_half,
            "share closed": each.closed,
            "share open": each.open,
            "share saturated": each.saturated,
        }
        for name, each in found.items()
    }
    return pd.DataFrame(rows).rename_axis("measure")


def _draw_channels(block: Block) -> tuple[go.Figure | None, int]:
    st.subheader("Channels", help="Each channel of the stage is a feature map; cSE gives each one weight.")
    if block.gates.channel_gate is None:
        st.caption("This network has no channel gate, so all channels count alike.")
    bars = st.container()
    number = channels.choose(f"{block.card.name} {block.name}", block.channels, block.gates.channel_gate)
    if block.gates.channel_gate is None:
        return None, number
    with bars:
        return channels.draw_weights(block.gates.channel_gate, number), number


def _maps(block: Block) -> dict[str, np.ndarray]:
    """The maps (h, w) of the block by kind: its spatial gate, or without gates the mean activation."""
    maps = {"spatial gate": block.gates.spatial_gate, "mean activation": block.gates.activation}
    return {kind: map_ for kind, map_ in maps.items() if map_ is not None}


def _offer(
    block: Block,
    summary: explore_cached.BlockSummary,
    figures: dict[str, go.Figure],
    readings: point.PixelReadings,
    code: str,
) -> None:
    gates = block.named_gates
    effect = {
        "mean activation before": summary.recalibration.before,
        "mean activation after": summary.recalibration.after,
    }
    if summary.channel_share is not None:
        effect["share of the channel half"] = summary.channel_share
    tables = {"effect of the block": pd.DataFrame({"value": effect}), **readings.tables}
    if gates:
        tables["gates"] = _openness_table({name: openness(gate) for name, gate in gates.items()})
    if block.gates.channel_gate is not None:
        tables["channel weights"] = pd.DataFrame({"weight": block.gates.channel_gate}).rename_axis("channel")
    export.offer(
        block.view,
        export.Contents(
            page="explore",
            models=[block.card],
            figures={**figures, **readings.figures},
            tables=tables,
            maps={
                f"{block.name} {kind}": export.SliceMap(map_, block.gates.map_mm) for kind, map_ in _maps(block).items()
            },
            arrays=named_arrays(block.result.gates),
            code=code,
        ),
    )


def _code(block: Block, channel: int, pixel: tuple[int, int]) -> str:
    view = block.view
    return CODE.format(
        name=block.card.name,
        plane=view.plane,
        index=view.index,
        block=block.name,
        channel=channel,
        row=pixel[0],
        column=pixel[1],
    )
