"""The network as a drawing: each block is a small picture of what it does on the slice, and a click chooses one."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from scse_viz.rendering.panels import Panel
from scse_viz.ui.components.panels import panels
from scse_viz.ui.components.scripts import script
from scse_viz.ui.shell.sidebar import View
from scse_viz.zoo import Card

HERE = Path(__file__).parent
LABEL = "The network, from its input to its prediction. Arrow keys move between blocks, Enter opens one."
_network = st.components.v2.component(
    "scse_viz_network",
    css=(HERE / "network.css").read_text(encoding="utf-8"),
    js=script(HERE / "network.js"),
)


def message(
    view: View,
    card: Card,
    drawn: Mapping[str, Panel],
    *,
    selected: str,
    picked: tuple[int, int],
    details: Mapping[str, str] | None = None,
) -> bytes:
    """What the component draws: a picture of every block, the selected one, and a picked pixel (row, column).

    drawn: "prediction" and every block by name; details: block -> lines in place of its channels and resolution.
    """
    rows = [panels.Row("prediction", "", (drawn["prediction"],))]
    for block in card.block_table:
        detail = f"{block.channels} channels\n{block.scale * card.pixel_mm:g} mm"
        rows.append(panels.Row(block.name, (details or {}).get(block.name, detail), (drawn[block.name],)))
    return panels.message(
        view,
        columns={},
        rows=rows,
        structures=card.structures,
        options={"label": LABEL, "selected": selected, "picked": picked},
    )


def draw(packed: bytes, blocks: Sequence[str], on_block: Callable[[str], None]) -> None:
    """Draw a message; `on_block` receives the name of a chosen block before the page runs again."""
    _network(data=packed, key="network", on_block_change=lambda: _choose(blocks, on_block))


def _choose(blocks: Sequence[str], on_block: Callable[[str], None]) -> None:
    block = st.session_state["network"].block
    if block in blocks:
        on_block(block)
