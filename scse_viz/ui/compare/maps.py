"""Compare, maps: predictions and where they disagree, then blocks in rows and networks in columns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from scse_viz.rendering.panels import Panel
from scse_viz.ui.compare import cached as compare_cached
from scse_viz.ui.compare.choices import FIRST_VARIANTS, Comparison
from scse_viz.ui.components.panels.panels import Row, draw, message
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.labels import labels_panel, legend
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import architecture_title
from scse_viz.zoo import Card

NOTHING = "nothing"
NO_BLOCK = Panel("none", "This network lacks a block of this name.", note="no such block", caption="")


def choose_reference(titles: Sequence[str]) -> str | None:
    """The network of `titles` whose spatial gates are subtracted from those of the others, or None."""
    if st.session_state.get("compare_minus", NOTHING) not in (NOTHING, *titles):
        del st.session_state["compare_minus"]
    chosen = st.selectbox(
        "Subtract the sSE maps of",
        [NOTHING, *titles],
        key="compare_minus",
        bind="query-params",
        help="Draws every spatial gate minus that of this network, from -1 to 1: red where it is more open, blue where "
        "it is less. Only spatial gates are subtracted: channels of two networks do not correspond, and a network "
        "without blocks has no gates.",
    )
    return None if chosen == NOTHING else chosen


def draw_maps(
    comparison: Comparison, blocks: Sequence[str], minus: tuple[str, Card] | None, *, narrow: bool, key: str
) -> None:
    """Draw the grid of panels of one slice; minus: title and card of the network that is subtracted.

    Unless `narrow`, room is kept for four networks, so that nothing moves when one is toggled.
    """
    view, columns = comparison.view, comparison.columns
    first = comparison.cards[0]
    found = compare_cached.agreement(view.slice, comparison.cards)
    panels = [
        _named(card, {**cached.panels(view.slice, card), "disagreement": outvoted}, comparison)
        for card, outvoted in zip(comparison.cards, found.outvoted, strict=True)
    ]
    rows = [
        Row("prediction", "", tuple(each["prediction"] for each in panels)),
        Row("disagreement", "", tuple(each["disagreement"] for each in panels), reference=found.disagreement),
    ]
    if minus:
        panels = [_minus(view, card, each, minus) for card, each in zip(comparison.cards, panels, strict=True)]
    for block in blocks:
        rows.append(Row(block, _detail(comparison.cards, block), tuple(each.get(block, NO_BLOCK) for each in panels)))
    draw(
        message(
            view,
            columns={each.title: f"{each.card.name}, {each.card.parameters:,} parameters" for each in columns},
            rows=rows,
            structures=legend(view, first.structures),
            reference=labels_panel(view, first.structures),
            options={"places": 0 if narrow else FIRST_VARIANTS},
        ),
        key,
    )


def _named(card: Card, panels: Mapping[str, Panel], comparison: Comparison) -> dict[str, Panel]:
    """Panels whose text also names the architecture, if several are compared."""
    if len({each.architecture for each in comparison.cards}) == 1:
        return dict(panels)
    architecture = architecture_title(card.architecture)
    return {name: replace(panel, alt=f"{architecture} {panel.alt}") for name, panel in panels.items()}


def _detail(cards: Sequence[Card], block: str) -> str:
    """Channels and resolution of a block in the networks shown."""
    there = [(card, each) for card in cards for each in card.block_table if each.name == block]
    channels = sorted({each.channels for _, each in there})
    sizes = sorted({each.scale * card.pixel_mm for card, each in there})
    counts, mm = " or ".join(map(str, channels)), " or ".join(f"{size:g}" for size in sizes)
    return f"{counts} channels\n{mm} mm per pixel"


def _minus(view: View, card: Card, panels: Mapping[str, Panel], minus: tuple[str, Card]) -> dict[str, Panel]:
    """Panels of a network with the reference's spatial gates subtracted; the reference keeps its own."""
    title, reference = minus
    drawn, own = dict(panels), [block.name for block in card.block_table]
    if card == reference:
        for block in own:
            caption = f"itself, mean {panels[block].mean:.2f}"
            drawn[block] = replace(panels[block], channels=None, note="", caption=caption)
        return drawn
    differences = compare_cached.differences(view.slice, card, reference)
    for block in own:
        if panels[block].kind == "gate":
            other_size = Panel("none", f"{title}: a map of another size", note="a map of another size", caption="")
            drawn[block] = differences.get(block, other_size)
    return drawn
