"""Learn: what the blocks do, step by step, with the numbers of a real network on the chosen slice."""

import streamlit as st

from scse_viz.scans import ScanError
from scse_viz.ui.shell import cached, export, sidebar
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import network_title, verbatim
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand import diagram, evidence, lessons, measured, relatives, shortcuts, tiles
from scse_viz.zoo import Card, WeightsError
from scse_viz.zoo.titles import variant_title

LESSON = "understand_lesson"
LESSONS = {
    "cSE": (lessons.channel, ("cse", "scse", "scse-max", "scse-mul", "scse-concat")),
    "sSE": (lessons.spatial, ("sse", "scse", "scse-max", "scse-mul", "scse-concat")),
    "scSE": (lessons.both, ("scse",)),
}
"""Lesson -> the function that draws it, and the variants that have its gates."""
RELATED, PAPER, DRAWBACKS = "Relatives", "The paper and ours", "When it hurts"
RELATIVE = "understand_relatives"


def draw(view: View) -> None:
    """Draw the chosen lesson."""
    card = sidebar.choose_network(view)
    view = view.of(card)
    block = sidebar.choose_block(card)
    shortcuts.choose_variants(view, card)
    lesson = st.segmented_control(
        "Lesson",
        [*LESSONS, RELATED, PAPER, DRAWBACKS],
        default="cSE",
        required=True,
        key=LESSON,
        bind="query-params",
        help="The three blocks of the paper, one by one, their relatives of other papers, then how much they help.",
    )
    try:
        if lesson == RELATED:
            _draw_relative(view, card, block)
        elif lesson == PAPER:
            tables = measured.paper(view)
            export.offer(view, export.ExportContents(page="understand-paper", models=[card], tables=tables))
        elif lesson == DRAWBACKS:
            figures = evidence.drawbacks(view, card, block)
            export.offer(view, export.ExportContents(page="understand-drawbacks", models=[card], figures=figures))
        else:
            _draw_lesson(lesson, view, card, block)
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))


def _draw_relative(view: View, card: Card, block: str) -> None:
    """The place of every block in one picture, then one relative, live where a network of it was trained."""
    titles = {variant_title(variant): variant for variant in relatives.LESSONS}
    title = st.pills(
        "Relative",
        list(titles),
        default=variant_title(card.variant) if card.variant in relatives.LESSONS else next(iter(titles)),
        required=True,
        key=RELATIVE,
        bind="query-params",
        help="A block of another paper, beside those of this one.",
    )
    variant = titles[title]
    diagram.draw(variant)
    relatives.tell(variant, title)
    shown = card if card.variant == variant else _sibling(view, card, (variant,))
    if shown is None:
        st.info(
            f"No trained network of this architecture has {title}, so there are no numbers to show: those of fresh "
            f"weights would say nothing about what it learns. `scse-viz train --variant {variant}` trains one."
        )
        return
    gated = next(iter(understand_cached.gated_blocks(view.slice, shown)))
    block = block if block in understand_cached.gated_blocks(view.slice, shown) else gated
    position = f", {view.position}" if view.position else ""
    st.caption(f"Live: {block} of {shown.name} on {verbatim(view.scan.name)}{position}.")
    if view.convention:
        tiles.follow(view.convention, mirrored=view.mirrored)
    with st.spinner("Running the network", show_time=False):
        steps = understand_cached.relative_steps(view.slice, shown, block)
    figures = relatives.teach(variant, steps, block)
    arrays = {f"{block}/{name}": array for name, array in steps.arrays().items()}
    export.offer(
        view, export.ExportContents(page=f"understand-{variant}", models=[shown], figures=figures, arrays=arrays)
    )


def _draw_lesson(lesson: str, view: View, card: Card, block: str) -> None:
    if view.convention:
        tiles.follow(view.convention, mirrored=view.mirrored)
    teach, variants = LESSONS[lesson]
    own = card.variant in variants and not card.of_library
    shown = card if own else _sibling(view, card, variants)
    if shown is None:
        st.info(f"No network of this architecture has {lesson}. Choose another architecture in the sidebar.")
        return
    instead = ""
    if shown is not card:
        block = block if block in {row.name for row in shown.block_table} else sidebar.first_block(shown)
        why = "is of another library" if card.of_library else "lacks this gate"
        instead = f" {network_title(card)}, chosen in the sidebar, {why}; shown is {shown.name}."
    position = f", {view.position}" if view.position else ""
    st.caption(
        f"Live: {block} of {shown.name} on {verbatim(view.scan.name)}{position}. Change block, network or slice in the "
        f"sidebar.{instead}"
    )
    with st.spinner("Running the network", show_time=False):
        steps = understand_cached.steps(view.slice, shown, block)
    figures = teach(steps, block)
    arrays = {f"{block}/{name}": array for name, array in steps.arrays().items()}
    export.offer(
        view,
        export.ExportContents(
            page=f"understand-{lesson}", models=[shown], figures=figures, arrays=arrays, code=_code(view, block)
        ),
    )


def _code(view: View, block: str) -> str:
    return f"""
from scse_viz.inference.steps import block_steps

steps = block_steps(scan.slice({view.plane!r}, {view.index}), model, card, {block!r})
steps.before, steps.channel, steps.spatial, steps.after
"""


def _sibling(view: View, card: Card, variants: tuple[str, ...]) -> Card | None:
    """The first network of the same architecture whose variant is one of these; of any, where the card's blocks are not
    ours."""
    offered = cached.cards() if card.of_library else view.networks
    family = {
        sibling.variant: sibling
        for sibling in reversed([*offered.values()])
        if not sibling.of_library and (card.of_library or sibling.architecture == card.architecture)
    }
    return next((family[variant] for variant in variants if variant in family), None)
