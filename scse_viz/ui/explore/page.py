"""Explore: one network on one slice: all of its blocks, one block in detail, and one pixel through all blocks."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.gates import BlockGates, named_arrays
from scse_viz.inference import SliceResult
from scse_viz.rendering.panels import Panel
from scse_viz.scans import ScanError
from scse_viz.ui.components.keys import keys
from scse_viz.ui.components.network import network
from scse_viz.ui.components.panels import panels
from scse_viz.ui.explore import cached as explore_cached
from scse_viz.ui.explore import channels, point, spread
from scse_viz.ui.shell import address, cached, export, sidebar, variants
from scse_viz.ui.shell import pixel as picked_pixel
from scse_viz.ui.shell.labels import labels_panel, legend
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.variants import FIRST_VARIANTS
from scse_viz.ui.shell.words import KIND_TITLES, block_title, verbatim
from scse_viz.zoo import Card, WeightsError
from scse_viz.zoo.titles import variant_title

DRAWN = {
    "gate": "The gate of every pixel is drawn over the slice, at the resolution of its block.",
    "attention": "Of a non-local block, how much each pixel is looked at by all others is drawn.",
    "activation": "Where a stage has no gate, its mean |activation| is drawn, scaled to its own maximum.",
    "none": "Where there is no map, the channel weights are drawn, 0 to 1, the most excited channel first.",
}
"""What the drawn network shows, by the kind of its panels."""
MAP_TITLES = {
    "attention": "how much each pixel is looked at",
    "activation": "mean |activation|",
    "none": "channel gate",
}
LABEL = "Maps of one block. Arrow keys move the crosshair, Enter reads its pixel in every block, + and - zoom."
CODE = """
from scse_viz.inference.features import inspect_block

inspection = inspect_block(scan.slice({plane!r}, {index}), model, card, {block!r})
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
        kinds = ("spatial_gate", "full_gate", "channel_gate")
        return {KIND_TITLES[kind]: gate for kind in kinds if (gate := getattr(self.gates, kind)) is not None}

    @property
    def map_title(self) -> str:
        """What its panel shows."""
        return self.gates.map_name if self.gates.pixel_gate is not None else MAP_TITLES[self.panel.kind]


def page() -> None:
    """The page: the network, then maps, effect, gate distribution and channels of a block, then one pixel."""
    view = sidebar.view()
    card = sidebar.choose_network(view)
    view = view.of(card)
    name = sidebar.choose_block(card)
    _listen(view, card)
    pixel = picked_pixel.picked(view)
    try:
        with st.spinner("Segmenting and recording gates", show_time=False):
            result = cached.result(view.slice, card)
            drawn = cached.panels(view.slice, card)
            summary = explore_cached.block_summary(view.slice, card, name) if result.gates[name].ran else None
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
        return
    block = Block(view, card, name, result, drawn[name])
    at = pixel or point.default(result)
    _draw_network(block, drawn, at)
    figures, code = ({}, "") if summary is None else _draw_block(block, summary, drawn["prediction"], at)
    if summary is None:
        st.subheader(verbatim(name))
        st.warning(
            "This block never runs: no pass through the network reaches it, so its weights have no effect on any "
            "prediction. Choose another block in the drawing above."
        )
    alive = (
        name
        if summary is not None
        else next((block_name for block_name, gates in result.gates.items() if gates.ran), name)
    )
    readings = point.draw(view, card, alive, result, at, picked=pixel is not None)
    _offer(block, summary, figures, readings, code)
    address.draw_lost()


def _draw_block(
    block: Block, summary: explore_cached.BlockSummary, prediction: Panel, at: tuple[int, int]
) -> tuple[dict[str, go.Figure], str]:
    """Draw the chosen block in detail; its figures, and the Python that reads its features."""
    _draw_title(block)
    maps = st.container()
    _draw_summary(summary, block)
    histogram = spread.draw(block.gates, block.named_gates, block.panel.span)
    bars, number = _draw_channels(block)
    with maps:
        _draw_maps(block, prediction, number, at)
    figures = {"gate histogram": histogram, **({"channel weights": bars} if bars else {})}
    return figures, _code(block, number, at)


def _listen(view: View, card: Card) -> None:
    """The keys 1 to 4 choose among the first four variants of the architecture."""
    family = [sibling for sibling in view.networks.values() if sibling.architecture == card.architecture]
    titles = [variant_title(sibling.variant) for sibling in family[:FIRST_VARIANTS]]
    actions = {str(number): partial(variants.show, title) for number, title in enumerate(titles, start=1)}
    with st.sidebar:  # at its end, where an element of no height moves nothing
        keys.listen(actions, key="explore_keys")


def _set(key: str, value: str) -> None:
    st.session_state[key] = value


def _draw_network(block: Block, drawn: dict[str, Panel], pixel: tuple[int, int]) -> None:
    view, card = block.view, block.card
    where = f" · {view.position}" if view.position else ""
    st.markdown(f"#### {verbatim(view.scan.name)}{where}")
    kinds = {drawn[row.name].kind for row in card.block_table if row.ran}
    shown = " ".join(sentence for kind, sentence in DRAWN.items() if kind in kinds)
    dead = [row.name for row in card.block_table if not row.ran]
    never = f" Crossed out, since no pass reaches it: {', '.join(dead)}." if dead else ""
    st.caption(
        verbatim(f"{card.name}, {card.parameters:,} parameters. {shown}{never} Click a block to open it below."),
        help="Dashed lines join encoder and decoder stages of one resolution.",
    )
    packed = network.message(view, card, drawn, selected=block.name, picked=pixel)
    network.draw(packed, [row.name for row in card.block_table], on_block=partial(_set, "block"))


def _draw_title(block: Block) -> None:
    st.subheader(verbatim(block.name))
    row_mm, column_mm = block.gates.map_mm
    map_ = block.gates.map
    pixels = "pixels" if map_ is None else f"a map of {map_.shape[0]} × {map_.shape[1]} pixels"
    st.caption(
        f"{block_title(block.card, block.name)}, {block.channels} channels, {pixels} of {row_mm:.3g} × "
        f"{column_mm:.3g} mm.",
        help=f"Slices are padded at the bottom and right to a multiple of {block.card.multiple} pixels, so a map may "
        "extend beyond its slice. All numbers are over the whole map, as the network computed it.",
    )


def _draw_maps(block: Block, prediction: Panel, number: int, pixel: tuple[int, int]) -> None:
    view, card = block.view, block.card
    before, after = explore_cached.channel(view.slice, card, block.name, number)
    map_, labels = (f"{block.name}: {block.map_title}", block.panel), ("prediction", prediction)
    shown = {
        **_looks(block, pixel),
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
    pick, keep = partial(picked_pixel.pick, view), partial(picked_pixel.picked, view)
    panels.draw(packed, key="explore_panels", on_pick=pick, keep=keep)


def _looks(block: Block, pixel: tuple[int, int]) -> dict[str, Panel]:
    """Where the pixel looks, drawn large, if the block is a non-local one."""
    if block.gates.attention is None:
        return {}
    return {f"{block.name}: where the pixel looks": cached.looks(block.view.slice, block.card, block.name, pixel)}


def _draw_summary(summary: explore_cached.BlockSummary, block: Block) -> None:
    st.subheader(
        "Effect of the block" if block.named_gates or block.gates.attention is not None else "Output of the stage",
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
    columns[3].metric("channel half", f"{summary.channel_share:.0%}", help=share)
    columns[4].metric("spatial half", f"{1 - summary.channel_share:.0%}", help=share)


def _draw_channels(block: Block) -> tuple[go.Figure | None, int]:
    st.subheader("Channels", help="Each channel of the stage is a feature map; a channel gate gives each one weight.")
    if block.gates.full_gate is not None:
        st.caption("This block weighs every pixel of every channel by itself; the map above is the mean over channels.")
    elif block.gates.channel_gate is None:
        st.caption("This block has no channel gate, so all channels count alike.")
    bars = st.container()
    number = channels.choose(f"{block.card.name} {block.name}", block.channels, block.gates.channel_gate)
    if block.gates.channel_gate is None:
        return None, number
    with bars:
        return channels.draw_weights(block.gates.channel_gate, number), number


def _offer(
    block: Block,
    summary: explore_cached.BlockSummary | None,
    figures: dict[str, go.Figure],
    readings: point.PixelReadings,
    code: str,
) -> None:
    gates = block.named_gates
    tables = {**({} if summary is None else {"effect of the block": spread.effect_table(summary)}), **readings.tables}
    if gates:
        tables["gates"] = spread.openness_table(gates)
    if block.gates.channel_gate is not None:
        tables["channel weights"] = pd.DataFrame({"weight": block.gates.channel_gate}).rename_axis("channel")
    export.offer(
        block.view,
        export.ExportContents(
            page="explore",
            models=[block.card],
            figures={**figures, **readings.figures},
            tables=tables,
            maps=export.block_maps({block.name: block.gates}),
            arrays=named_arrays(block.result.gates),
            code=code,
        ),
    )


def _code(block: Block, channel: int, pixel: tuple[int, int]) -> str:
    view = block.view
    return CODE.format(
        plane=view.plane,
        index=view.index,
        block=block.name,
        channel=channel,
        row=pixel[0],
        column=pixel[1],
    )
