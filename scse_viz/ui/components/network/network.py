"""The network as a drawing: each block is a small picture of what it does on the slice, and a click chooses one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from scse_viz.rendering.panels import Panel
from scse_viz.stages import short_names, stages
from scse_viz.ui.components.panels import panels
from scse_viz.ui.components.scripts import script
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import resolution
from scse_viz.zoo import Card

HERE = Path(__file__).parent
MOST_WEIGHTS = 64
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
    picked: tuple[int, int] | None,
    details: Mapping[str, str] | None = None,
) -> bytes:
    """What the component draws: a picture of every block, the selected one, and a picked pixel (row, column).

    drawn: "prediction" and every block by name; details: block -> lines in place of its channels and resolution. Blocks
    of one stage, at one resolution and side by side, are folded into one picture where there are too many.
    """
    rows = [panels.Row("prediction", "", (drawn["prediction"],))]
    for block in card.block_table:
        detail = f"{block.channels} channels\n{resolution(card, block.scale)}" if block.ran else "never runs"
        rows.append(panels.Row(block.name, (details or {}).get(block.name, detail), (_thinned(drawn[block.name]),)))
    return panels.message(
        view,
        columns={},
        rows=rows,
        structures=card.structures,
        options={
            "label": LABEL,
            "selected": selected,
            "picked": picked,
            "short": short_names([block.name for block in card.block_table]),
            "stages": _stages(card),
        },
    )


def draw(packed: bytes, blocks: Sequence[str], on_block: Callable[[str], None]) -> None:
    """Draw a message; `on_block` receives the name of a chosen block before the page runs again."""
    _network(data=packed, key="network", on_block_change=lambda: _choose(blocks, on_block))


def _stages(card: Card) -> list[dict[str, Any]]:
    """The stages of a network; the level is 0 at the finest resolution that it has, 1 at the next, and so on."""
    of_network = stages(card.block_table)
    levels = sorted({stage.scale for stage in of_network})
    return [
        {
            "name": stage.name,
            "side": stage.side,
            "level": levels.index(stage.scale),
            "blocks": stage.blocks,
            "detail": f"{len(stage.blocks)} blocks\n{resolution(card, stage.scale)}",
        }
        for stage in of_network
    ]


def _thinned(panel: Panel) -> Panel:
    """A panel with as many of its channel weights, from the highest to the lowest, as can be distinguished here."""
    weights = panel.channels or ()
    if len(weights) <= MOST_WEIGHTS:
        return panel
    chosen = np.quantile(weights, np.linspace(1, 0, MOST_WEIGHTS))
    return replace(panel, channels=tuple(round(float(weight), 3) for weight in chosen))


def _choose(blocks: Sequence[str], on_block: Callable[[str], None]) -> None:
    block = st.session_state["network"].block
    if block in blocks:
        on_block(block)
