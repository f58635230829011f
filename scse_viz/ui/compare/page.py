"""Compare: networks side by side on one slice, or on a slice of each of two scans."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import streamlit as st

from scse_viz.ui.compare import choices, maps, predictions
from scse_viz.ui.compare.alignment import Alignment, align
from scse_viz.ui.compare.channels import draw_channels
from scse_viz.ui.compare.choices import MOST_COLUMNS, ComparedSlice
from scse_viz.ui.compare.export import offer
from scse_viz.ui.compare.gates import draw_gates
from scse_viz.ui.components.keys import keys
from scse_viz.ui.shell import address, sidebar
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.variants import FIRST_VARIANTS
from scse_viz.ui.shell.words import verbatim
from scse_viz.zoo import Card, WeightsError

PARTS = ("Maps", "Predictions", "Gates", "Channel weights")
SIDE_BY_SIDE = 2
"""The most networks for which two scans are shown side by side; with more, one is shown below the other."""


@dataclass(frozen=True, eq=False)
class Selection:
    """What the sidebar chooses: views of one scan or two, the architectures' networks and those `chosen`, by title.

    `minus` are title and card of the network whose spatial gates are subtracted.
    """

    views: tuple[View, ...]
    networks: Mapping[str, Card]
    chosen: Mapping[str, Card]
    alignment: Alignment
    blocks: Sequence[str]
    minus: tuple[str, Card] | None


def page() -> None:
    """The page: maps first, then tabs with predictions, gates and channel weights in numbers."""
    view = sidebar.view()
    with st.sidebar:
        selection = _choose(view)
    if not selection.chosen:
        address.draw_lost()
        st.info(f"Choose at least one {'variant' if selection.networks else 'architecture'} in the sidebar.")
        return
    most = MOST_COLUMNS // len(selection.views)
    maps_shown = st.session_state.get("compare_part", PARTS[0]) == PARTS[0]
    first_chosen = dict(islice(selection.chosen.items(), most))
    comparisons = choices.compute(selection.views, first_chosen, selection.alignment, drawn=maps_shown)
    if not comparisons or _too_many_classes(comparisons):
        address.draw_lost()
        return
    st.markdown("#### " + " and ".join(_heading(comparison) for comparison in comparisons))
    if len(selection.chosen) > most:
        scans, number = "" if len(selection.views) == 1 else " on each of two scans", len(selection.chosen)
        st.caption(f"{number} networks are chosen and the first {most} shown{scans}: choose fewer in the sidebar.")
    _draw_compared(comparisons[0])
    notes = st.container()
    offer(comparisons, selection.blocks, *_draw_tabs(comparisons, selection))
    with notes:
        address.draw_lost()


def _too_many_classes(comparisons: Sequence[ComparedSlice]) -> bool:
    """Say where the networks have more classes together than can be drawn."""
    try:
        for comparison in comparisons:
            _ = comparison.classes
    except WeightsError as error:
        st.error(verbatim(str(error)))
        return True
    return False


def _choose(view: View) -> Selection:
    """Draw the sidebar's choices of networks, blocks and a second scan."""
    networks = choices.choose_networks(view)
    chosen = choices.choose_variants(networks) if networks else {}
    others = choices.choose_others(view)
    chosen, offered = {**chosen, **others}, {**networks, **others}
    cards = list((chosen or offered).values())
    alignment = align(cards)
    blocks = choices.choose_blocks(alignment, cards)
    minus = maps.choose_reference([title for title, card in offered.items() if choices.has_spatial_gate(card)])
    second = choices.choose_second(view)
    _listen(networks)
    return Selection(
        views=(view, second) if second else (view,),
        networks=networks,
        chosen=chosen,
        alignment=alignment,
        blocks=blocks,
        minus=(minus, offered[minus]) if minus else None,
    )


def _draw_tabs(comparisons: Sequence[ComparedSlice], selection: Selection) -> choices.Drawn:
    """Draw the tab that is open; its figures and tables."""
    shown = st.tabs(PARTS, key="compare_part", bind="query-params")
    drawers: tuple[Callable[[Sequence[ComparedSlice]], choices.Drawn], ...] = (
        partial(_draw_maps, blocks=selection.blocks, minus=selection.minus),
        _draw_predictions,
        draw_gates,
        draw_channels,
    )
    drawn: choices.Drawn = ({}, {})
    for tab, draw in zip(shown, drawers, strict=True):
        if tab.open:
            with tab:
                drawn = draw(comparisons)
    return drawn


def _listen(networks: Mapping[str, Card]) -> None:
    """Keys 1 to 4 toggle the first four variants."""
    variants = choices.offered_variants(networks)[:FIRST_VARIANTS]
    actions = {str(number): partial(choices.toggle_variant, title) for number, title in enumerate(variants, start=1)}
    keys.listen(actions, key="compare_keys")


def _draw_compared(comparison: ComparedSlice) -> None:
    """Say what can be compared, where networks differ in their blocks or classes."""
    shared = comparison.shared
    if not shared.same:
        names = ", ".join(structure.name for structure in shared.shared[1:])
        st.caption(
            f"These networks have different classes. Predictions are compared on those of all: {verbatim(names)}."
            if names
            else "These networks have no class in common: their predictions are drawn, and not compared."
        )
    if comparison.alignment.sentence:
        st.caption(comparison.alignment.sentence)


def _heading(comparison: ComparedSlice) -> str:
    view = comparison.view
    return f"{verbatim(view.scan.name)}{f' · {view.position}' if view.position else ''}"


def _draw_maps(
    comparisons: Sequence[ComparedSlice], *, blocks: Sequence[str], minus: tuple[str, Card] | None
) -> choices.Drawn:
    several = len(comparisons) > 1
    together = several and all(len(comparison.columns) <= SIDE_BY_SIDE for comparison in comparisons)
    parts = st.columns(2) if together else [st.container() for _ in comparisons]
    for number, (part, comparison) in enumerate(zip(parts, comparisons, strict=True)):
        with part:
            if several:
                st.markdown(f"##### {verbatim(comparison.name)}")
            key = f"panels_{number}" if number else "panels"
            maps.draw_maps(comparison, blocks, minus, narrow=together, key=key)
    return {}, {}


def _draw_predictions(comparisons: Sequence[ComparedSlice]) -> choices.Drawn:
    parts: choices.Drawn = ({}, {})
    structure = predictions.choose_structure(comparisons[0])
    for number, comparison in enumerate(comparisons):
        if len(comparisons) > 1:
            st.markdown(f"#### {verbatim(comparison.name)}")
        drawn = predictions.draw_predictions(comparison, structure, key=str(number))
        parts[0].update({f"{name}, {comparison.name}": figure for name, figure in drawn[0].items()})
        parts[1].update({f"{name}, {comparison.name}": table for name, table in drawn[1].items()})
    return parts
