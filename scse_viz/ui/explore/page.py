"""Explore: one network on one slice, drawn as a whole, one of its blocks large, and one place through all of them."""

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
    "gate": "its spatial gate over the slice, at the map's own resolution",
    "activation": "the mean |activation| that leaves the stage, brightest where it is largest in that map",
    "none": "the weights of its channel gate, 0 to 1, the most excited channel first",
}
LABEL = "Maps of one block. Arrow keys move the crosshair, Enter looks closely at its place, + and - zoom."
CODE = """
from scse_viz.inference.features import inspect_block

looked_at = inspect_block(scan.slice({plane!r}, {index}), zoo.load({name!r}), zoo.read_card({name!r}), {block!r})
looked_at.before[{channel}], looked_at.after[{channel}]  # the channel's feature map (h, w)
looked_at.probabilities[:, {row}, {column}]  # of every class at the place
"""


@dataclass(frozen=True, eq=False)
class Block:
    """One block of one network on one slice."""

    view: View
    card: Card
    name: str
    found: SliceResult
    panel: Panel

    @property
    def channels(self) -> int:
        """How many channels it recalibrates."""
        return next(block.channels for block in self.card.block_table if block.name == self.name)

    @property
    def gates(self) -> BlockGates:
        """What it multiplied by."""
        return self.found.gates[self.name]

    @property
    def named_gates(self) -> dict[str, np.ndarray]:
        """Its gates by the names that figures and tables give them."""
        gates = {"spatial gate": self.gates.spatial_gate, "channel gate": self.gates.channel_gate}
        return {name: gate for name, gate in gates.items() if gate is not None}


def page() -> None:
    """The page: the network drawn, a block's map, histogram, channels and what it did, then a place."""
    view = sidebar.view()
    card = sidebar.choose_network(view)
    name = sidebar.choose_block(card)
    _listen(view, card)
    pixel = point.picked(view)
    try:
        with st.spinner("Segmenting and recording gates", show_time=False):
            found = cached.result(view.slice, card)
            drawn = cached.panels(view.slice, card)
            stage = explore_cached.block_summary(view.slice, card, name)
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
        return
    block = Block(view, card, name, found, drawn[name])
    place = pixel or point.default(found)
    _draw_network(block, drawn, place)
    _draw_title(block)
    maps = st.container()
    _draw_stage(stage, block)
    histogram = _draw_spread(block)
    bars, number = _draw_channels(block)
    figures = {"gate histogram": histogram, **({"channel weights": bars} if bars else {})}
    with maps:
        _draw_maps(block, drawn["prediction"], number, place)
    spot = point.draw(view, card, name, found, place, chosen=pixel is not None)
    _offer(block, stage, figures, spot, _code(block, number, place))
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


def _draw_network(block: Block, drawn: dict[str, Panel], place: tuple[int, int]) -> None:
    view, card = block.view, block.card
    where = f" · {view.position}" if view.position else ""
    st.markdown(f"#### {verbatim(view.scan.name)}{where}")
    shown = DRAWN[block.panel.kind]
    st.caption(f"{card.name}, {card.parameters:,} parameters. At every block {shown}. Click one, and it opens below.")
    packed = network.message(view, card, drawn, selected=block.name, picked=place)
    network.draw(packed, [each.name for each in card.block_table], on_block=partial(_set, "block"))


def _draw_title(block: Block) -> None:
    st.subheader(block.name)
    variant = variant_title(block.card.variant)
    row_mm, column_mm = block.gates.map_mm
    shape = next((map_.shape for map_ in _maps(block).values()), None)
    pixels = f"a map of {shape[0]} × {shape[1]} pixels" if shape else "pixels"
    st.caption(
        f"{variant}, {block.channels} channels, {pixels} of {row_mm:.3g} × {column_mm:.3g} mm.",
        help="Slices are padded at the bottom and the right to a multiple of 16 pixels, so a map may reach beyond its "
        "slice. Its numbers are over all of the map, as the network computed them.",
    )


def _draw_maps(block: Block, prediction: Panel, number: int, place: tuple[int, int]) -> None:
    view, card = block.view, block.card
    before, after = explore_cached.channel(view.slice, card, block.name, number)
    title = {"gate": "spatial gate", "activation": "mean |activation|", "none": "channel gate"}[block.panel.kind]
    map_, answer = (f"{block.name}: {title}", block.panel), ("prediction", prediction)
    shown = {
        **dict((answer, map_) if block.panel.kind == "none" else (map_, answer)),  # the first is drawn large
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
            "picked": place,
        },
    )
    pick, keep = partial(point.pick, view), partial(point.picked, view)
    panels.draw(packed, key="explore_panels", on_pick=pick, keep=keep)


def _draw_stage(stage: explore_cached.BlockSummary, block: Block) -> None:
    st.subheader(
        "What the block did" if block.card.variant != "none" else "What leaves the stage",
        help="Mean activation is mean |u| over all channels and pixels of the features u, in arbitrary units.",
    )
    columns = st.columns(3 if stage.channel_share is None else 5)
    columns[0].metric("Before", f"{stage.recalibration.before:.2g}", help="Mean activation that enters the block, a.u.")
    columns[1].metric("After", f"{stage.recalibration.after:.2g}", help="Mean activation that leaves the block, a.u.")
    columns[2].metric("Ratio", f"{stage.recalibration.ratio:.2f}", help="Mean activation after over before.")
    if stage.channel_share is None:
        return
    share = (
        "scSE adds two halves, u c by channel and u s by pixel. The share of the channel half is mean |u c| / "
        "(mean |u c| + mean |u s|), that of the spatial half the rest."
    )
    columns[3].metric("cSE half", f"{stage.channel_share:.0%}", help=share)
    columns[4].metric("sSE half", f"{1 - stage.channel_share:.0%}", help=share)


def _draw_spread(block: Block) -> go.Figure:
    left, right = beside(2, key="spread")
    there, activation = block.named_gates, block.gates.activation
    figure = gate_histogram(there)
    if not there and activation is not None:
        figure = activation_histogram(activation, (block.panel.span or (0, 1))[1])
    with left:
        export.chart(figure, key="explore_histogram")
    with right:
        if there:
            _draw_openness({name: openness(gate) for name, gate in there.items()})
        else:
            st.info("This network has no gates: nothing is recalibrated, and features leave a block as they enter it.")
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
        "Shares of pixels, or of channels, 0 to 1.",
        help="Closed: within 0.05 of 0, next to nothing passes. Open: within 0.05 of 1, nearly all passes. Saturated: "
        "one or the other, where a sigmoid barely answers to its input.",
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
    st.subheader("Channels", help="Each channel of the stage is one feature map; cSE gives each of them one weight.")
    if block.gates.channel_gate is None:
        st.caption("This network has no channel gate: no channel is weighed against another.")
    bars = st.container()
    number = channels.choose(f"{block.card.name} {block.name}", block.channels, block.gates.channel_gate)
    if block.gates.channel_gate is None:
        return None, number
    with bars:
        return channels.draw_weights(block.gates.channel_gate, number), number


def _maps(block: Block) -> dict[str, np.ndarray]:
    """The maps (h, w) of the block by kind: its spatial gate, or the activation that stands in for it."""
    maps = {"spatial gate": block.gates.spatial_gate, "mean activation": block.gates.activation}
    return {kind: map_ for kind, map_ in maps.items() if map_ is not None}


def _offer(
    block: Block, stage: explore_cached.BlockSummary, figures: dict[str, go.Figure], spot: point.Place, code: str
) -> None:
    there = block.named_gates
    done = {"mean activation before": stage.recalibration.before, "mean activation after": stage.recalibration.after}
    if stage.channel_share is not None:
        done["share of the channel half"] = stage.channel_share
    tables = {"what the block did": pd.DataFrame({"value": done}), **spot.tables}
    if there:
        tables["gates"] = _openness_table({name: openness(gate) for name, gate in there.items()})
    if block.gates.channel_gate is not None:
        tables["channel weights"] = pd.DataFrame({"weight": block.gates.channel_gate}).rename_axis("channel")
    export.offer(
        block.view,
        export.Contents(
            page="explore",
            models=[block.card],
            figures={**figures, **spot.figures},
            tables=tables,
            maps={f"{block.name} {kind}": map_ for kind, map_ in _maps(block).items()},
            arrays=named_arrays(block.found.gates),
            code=code,
        ),
    )


def _code(block: Block, channel: int, place: tuple[int, int]) -> str:
    view = block.view
    return CODE.format(
        name=block.card.name,
        plane=view.plane,
        index=view.index,
        block=block.name,
        channel=channel,
        row=place[0],
        column=place[1],
    )
