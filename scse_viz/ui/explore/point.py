"""One pixel of the slice, picked in the panels: its class probabilities, and every block's gate there."""

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.gates import least_sure, values_at
from scse_viz.figures.gates import class_bars, gates_at_pixel, multiples_at_pixel
from scse_viz.inference import SliceResult
from scse_viz.stages import short_names
from scse_viz.ui.explore import cached as explore_cached
from scse_viz.ui.shell import export
from scse_viz.ui.shell.layout import wide_columns
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import verbatim
from scse_viz.zoo import Card

TOP = 6
MAPS = ("pixel_gate", "attention", "activation")
"""What is read at a pixel: the first of these that any block of the network has."""


@dataclass(frozen=True, eq=False)
class PixelReadings:
    """Figures and tables of one pixel, to be exported."""

    figures: dict[str, go.Figure]
    tables: dict[str, pd.DataFrame]


def default(result: SliceResult) -> tuple[int, int]:
    """The pixel shown until one is picked: where the network is least confident."""
    return least_sure(result.confidence)


def draw(
    view: View, card: Card, block: str, result: SliceResult, pixel: tuple[int, int], *, picked: bool
) -> PixelReadings:
    """Class probabilities at a pixel, and the profile of gates there through the network."""
    shape = view.slice.grid
    voxel = view.slice.voxel(*pixel)
    st.subheader(
        "At one pixel",
        help="Click a pixel in the maps above, or move the crosshair there with the arrow keys and press Enter.",
    )
    source = (
        "the pixel you picked"
        if picked
        else "where this network is least confident; click the maps above to choose another"
    )
    st.caption(f"Voxel ({voxel[0]}, {voxel[1]}, {voxel[2]}): {source}.")
    left, right = wide_columns(2, key="pixel")
    bars, probabilities = _classes(view, card, block, pixel)
    with left:
        export.chart(bars, key="explore_classes")
    point_mm = ((pixel[0] + 0.5) * shape.row_mm, (pixel[1] + 0.5) * shape.column_mm)
    profile, values = _profile(result, point_mm)
    with right:
        export.chart(profile, key="explore_profile")
        lacking = [name for name, gates in result.gates.items() if gates.kinds and gates.map is None]
        if lacking:
            every = len(lacking) == len(result.gates)
            who = (
                "This network has no spatial gates: its"
                if every
                else f"{len(lacking)} blocks have no spatial gate: their"
            )
            st.caption(f"{who} channel weights are the same at every pixel.")
        bare = [name for name, gates in result.gates.items() if gates.ran and not gates.changeable]
        if 0 < len(bare) < len(result.gates):
            st.caption(f"Without a gate, and so without a point here: {', '.join(map(verbatim, bare))}.")
    return PixelReadings(
        {"class probabilities": bars, "profile": profile}, {"class probabilities": probabilities, "profile": values}
    )


def _classes(view: View, card: Card, block: str, pixel: tuple[int, int]) -> tuple[go.Figure, pd.DataFrame]:
    values = explore_cached.probabilities(view.slice, card, block, pixel)
    probabilities = {structure.name: float(values[structure.number]) for structure in card.structures}
    first = dict(sorted(probabilities.items(), key=lambda entry: -entry[1])[:TOP])
    bars = class_bars(first, {structure.name: structure.colour for structure in card.structures})
    table = pd.DataFrame({"probability": probabilities}).rename_axis("structure")
    return bars, table


def _profile(result: SliceResult, point_mm: tuple[float, float]) -> tuple[go.Figure, pd.DataFrame]:
    short = short_names(list(result.gates))
    by_block = {short[block]: gates for block, gates in result.gates.items() if gates.ran}
    blocks = list(by_block)
    kind = next(
        (kind for kind in MAPS if any(getattr(gates, kind) is not None for gates in by_block.values())), MAPS[0]
    )
    maps = {block: getattr(gates, kind) for block, gates in by_block.items() if getattr(gates, kind) is not None}
    channels = {block: gates.channel_gate for block, gates in by_block.items() if gates.channel_gate is not None}
    at_point = values_at(maps, {block: by_block[block].map_mm for block in maps}, point_mm)
    if kind == "pixel_gate" or channels:
        figure = gates_at_pixel(at_point, maps, channels, blocks)
    else:
        figure = multiples_at_pixel(
            at_point, maps, quantity="attention" if kind == "attention" else "mean |activation|"
        )
    table = pd.DataFrame({"here": at_point, "mean of the map": {block: float(maps[block].mean()) for block in maps}})
    weights = {block: float(weights_of_block.mean()) for block, weights_of_block in channels.items()}
    if weights:
        table = table.reindex(blocks).assign(**{"mean channel weight": pd.Series(weights)})
    full = {shortened: block for block, shortened in short.items()}
    return figure, table.rename(index=full).rename_axis("block")
