"""The network as a drawing: every block a small picture of what it does on the slice, one of them chosen by a click."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from scse_viz.rendering.panels import Panel
from scse_viz.ui.components.panels import panels
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.sidebar import View
from scse_viz.zoo import Card

HERE = Path(__file__).parent
SCRIPTS = ("../panels/data.js", "../panels/draw.js", "layout.js", "view.js")
LABEL = "The network, from its input to its prediction. Arrow keys move between blocks, Enter opens one."
_network = st.components.v2.component(
    "scse_viz_network",
    css=(HERE / "network.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / script).read_text(encoding="utf-8") for script in SCRIPTS),
)


def message(view: View, card: Card, drawn: Mapping[str, Panel], *, selected: str, picked: tuple[int, int]) -> bytes:
    """What the component draws: a picture of every block, the chosen one, and the place (row, column) pointed at.

    drawn: "prediction", and every block by name.
    """
    rows = [panels.Row("prediction", "", (drawn["prediction"],))]
    for block in card.block_table:
        detail = f"{block.channels} channels\n{block.scale * card.pixel_mm:g} mm"
        rows.append(panels.Row(block.name, detail, (drawn[block.name],)))
    return panels.message(
        view.slice,
        intensities=cached.shown_intensities(view.scan),
        columns={},
        rows=rows,
        structures=card.structures,
        options={"label": LABEL, "selected": selected, "picked": picked},
    )


def draw(packed: bytes, blocks: Sequence[str], on_block: Callable[[str], None]) -> None:
    """Draw a message; `on_block` is told which of the blocks was chosen, before the page runs again."""
    _network(data=packed, key="network", on_block_change=lambda: _choose(blocks, on_block))


def _choose(blocks: Sequence[str], on_block: Callable[[str], None]) -> None:
    block = st.session_state["network"].block
    if block in blocks:
        on_block(block)
