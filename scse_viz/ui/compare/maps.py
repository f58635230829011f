"""Compare, maps: predictions and where they disagree, then blocks in rows and networks in columns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from scse_viz.rendering.panels import Panel
from scse_viz.ui.compare import cached as compare_cached
from scse_viz.ui.compare.choices import Column, ComparedSlice
from scse_viz.ui.components.panels.panels import Row, draw, message
from scse_viz.ui.shell import cached, pixel
from scse_viz.ui.shell.labels import labels_panel, legend
from scse_viz.ui.shell.variants import FIRST_VARIANTS
from scse_viz.zoo import Card
from scse_viz.zoo.titles import architecture_title

NOTHING = "nothing"
NO_BLOCK = Panel("none", "This network has no block in this row.", note="no such block", caption="")


def choose_reference(titles: Sequence[str]) -> str | None:
    """The network of `titles` whose spatial gates are subtracted from those of the others, or None."""
    if st.session_state.get("compare_minus", NOTHING) not in (NOTHING, *titles):
        del st.session_state["compare_minus"]
    chosen = st.selectbox(
        "Subtract the spatial gates of",
        [NOTHING, *titles],
        key="compare_minus",
        bind="query-params",
        help="Draws every spatial gate minus that of this network, from -1 to 1: red where it is more open, blue where "
        "it is less. Only spatial gates are subtracted: channels of two networks do not correspond, and a network "
        "without blocks has no gates.",
    )
    return None if chosen == NOTHING else chosen


def draw_maps(
    comparison: ComparedSlice, blocks: Sequence[str], minus: tuple[str, Card] | None, *, narrow: bool, key: str
) -> None:
    """Draw the grid of panels of one slice; minus: title and card of the network that is subtracted.

    Unless `narrow`, room is kept for four networks, so that nothing moves when one is toggled.
    """
    view, columns = comparison.view, comparison.columns
    structures = comparison.classes.structures
    panels = [_panels(column, comparison) for column in columns]
    rows = _prediction_rows(comparison, panels)
    if minus:
        subtracted = minus[0], minus[1], comparison.alignment.blocks_of(minus[1])
        panels = [_minus(column, drawn, subtracted) for column, drawn in zip(columns, panels, strict=True)]
    looking = any(gates.attention is not None for column in columns for gates in column.gates.values())
    picked = pixel.picked(view) if looking else None
    if picked:
        panels = [_looks(column, drawn, picked) for column, drawn in zip(columns, panels, strict=True)]
    for block in blocks:
        detail = comparison.alignment.detail(block, comparison.cards)
        rows.append(Row(block, detail, tuple(drawn.get(block, NO_BLOCK) for drawn in panels)))
    draw(
        message(
            view,
            columns={column.title: f"{column.card.name}, {column.card.parameters:,} parameters" for column in columns},
            rows=rows,
            structures=legend(view, structures),
            reference=labels_panel(view, structures),
            options={"least_columns": 0 if narrow else FIRST_VARIANTS, "pick": looking, "picked": picked},
        ),
        key,
        on_pick=partial(pixel.pick, view) if looking else None,
        keep=partial(pixel.picked, view) if looking else None,
    )
    if looking:
        _draw_looking(picked, key)


def _prediction_rows(comparison: ComparedSlice, panels: Sequence[Mapping[str, Panel]]) -> list[Row]:
    """The predictions, and where each differs from the majority if the networks have classes in common."""
    rows = [Row("prediction", "", tuple(drawn["prediction"] for drawn in panels))]
    if len(comparison.shared.shared) > 1:
        agreement = compare_cached.agreement(comparison.view.slice, comparison.cards)
        outvoted = tuple(
            _named(column.card, panel, comparison)
            for column, panel in zip(comparison.columns, agreement.outvoted, strict=True)
        )
        rows.append(Row("disagreement", "", outvoted, reference=agreement.disagreement))
    return rows


def _panels(column: Column, comparison: ComparedSlice) -> dict[str, Panel]:
    """The pictures of one network: "prediction", in the numbers of all classes, and its blocks by row."""
    view, card = column.view, column.card
    own = cached.panels(view.slice, card)
    drawn = {row: own[block] for row, block in column.blocks.items() if block in own}
    drawn["prediction"] = own["prediction"]
    if not comparison.classes.same:
        drawn["prediction"] = compare_cached.prediction(view.slice, card, comparison.classes.structures)
    return {name: _named(card, panel, comparison) for name, panel in drawn.items()}


def _looks(column: Column, panels: Mapping[str, Panel], picked: tuple[int, int]) -> dict[str, Panel]:
    """Panels of a network, those of its non-local blocks replaced by where the picked pixel looks."""
    looks = {
        row: cached.looks(column.view.slice, column.card, block, picked)
        for row, block in column.blocks.items()
        if column.result.gates[block].attention is not None
    }
    return {**panels, **looks}


def _draw_looking(picked: tuple[int, int] | None, key: str) -> None:
    """Say what the maps of non-local blocks show, and offer to release the picked pixel."""
    if picked is None:
        st.caption("Non-local blocks show how much each pixel is looked at. Click a pixel to see where it looks.")
        return
    st.caption(
        f"Non-local blocks show where the pixel in row {picked[0]}, column {picked[1]} looks, in multiples of an even "
        "share of all pixels. Click another pixel to move there."
    )
    st.button(
        "Show how much each pixel is looked at",
        key=f"{key}_forget",
        on_click=pixel.forget,
        help="Release the pixel: non-local blocks then show the attention that each pixel receives from all others.",
    )


def _named(card: Card, panel: Panel, comparison: ComparedSlice) -> Panel:
    """A panel whose text also names the architecture, if several are compared."""
    if card.foreign or len({compared.architecture for compared in comparison.cards}) == 1:
        return panel
    return replace(panel, alt=f"{architecture_title(card.architecture)} {panel.alt}")


def _minus(column: Column, panels: Mapping[str, Panel], minus: tuple[str, Card, Mapping[str, str]]) -> dict[str, Panel]:
    """Panels of a network with the reference's spatial gates subtracted; the reference keeps its own.

    minus: title, card and blocks by row of the reference.
    """
    title, reference, subtracted_blocks = minus
    drawn = dict(panels)
    if column.card == reference:
        for row in column.blocks:
            if panels[row].mean is not None:
                caption = f"itself, mean {panels[row].mean:.2f}"
                drawn[row] = replace(panels[row], channels=None, note="", caption=caption)
        return drawn
    pairs = {row: (block, subtracted_blocks[row]) for row, block in column.blocks.items() if row in subtracted_blocks}
    differences = compare_cached.differences(column.view.slice, column.card, reference, pairs)
    for row in column.blocks:
        if panels[row].kind == "gate":
            words = "a map of another size" if row in subtracted_blocks else "no block to subtract"
            empty = Panel("none", f"{title}: {words}", note=words, caption="")
            drawn[row] = differences.get(row, empty)
    return drawn
