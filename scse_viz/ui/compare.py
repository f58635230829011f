"""Compare: variants of one network side by side on one slice, blocks in rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from scse_viz.figures.channels import channel_bars, channel_overview
from scse_viz.figures.common import variant_colours
from scse_viz.inference import SliceResult
from scse_viz.models import BLOCK_NAMES
from scse_viz.pictures import Panel, label_panel
from scse_viz.samples import of_structures
from scse_viz.scans import ScanError, view_of
from scse_viz.ui import cached, sidebar, state
from scse_viz.ui.panels import Row, draw, message
from scse_viz.ui.sidebar import View
from scse_viz.ui.tables import draw_areas, draw_dice
from scse_viz.ui.words import ALL_VARIANT_TITLES, block_scale, variant_title, verbatim
from scse_viz.zoo import Card, WeightsError

ALL_BLOCKS = "all"
WIDGETS = (*sidebar.KEYS, "architecture", "variants", "blocks", "channels")


@dataclass(frozen=True, eq=False)
class Comparison:
    """One slice through several networks; `cards`, `results` and `panels` by the title of the variant."""

    view: View
    cards: Mapping[str, Card]
    results: Mapping[str, SliceResult]
    panels: Mapping[str, Mapping[str, Panel]]

    @property
    def first(self) -> Card:
        """The card that stands for all: they differ in the block alone."""
        return next(iter(self.cards.values()))


def page() -> None:
    """The page: predictions over the slice, maps of every block, channel weights, Dice."""
    view = sidebar.view()
    with st.sidebar:
        shown = _choose_networks(view)
        blocks = _choose_blocks()
    state.note_lost(WIDGETS)
    if not shown:
        st.info("Choose at least one variant in the sidebar.")
        return
    comparison = _compute(view, shown)
    if not comparison.results:
        return
    place = f" · {view.place}" if view.place else ""
    st.markdown(f"#### {verbatim(view.scan.name)}{place}")
    st.caption("First what each variant of the network segments, then, block by block, what its gates let pass.")
    _draw_panels(comparison, blocks)
    _draw_tables(comparison)
    _draw_channels(comparison)


def _choose_networks(view: View) -> dict[str, Card]:
    """The networks chosen in the sidebar by the title of their variant, in the order of VARIANTS."""
    family = sidebar.choose_architecture(view)
    variants = {variant_title(card.variant): card for card in family.values()}
    chosen = st.pills(
        "Variants",
        list(variants),
        selection_mode="multi",
        default=list(variants)[:4],
        key="variants",
        bind="query-params",
        help="none: no block. cSE: squeeze in space, excite channels. sSE: squeeze channels, excite pixels. "
        "scSE: both, added. All were trained alike from the same shared weights.",
    )
    return {title: card for title, card in variants.items() if title in chosen}


def _choose_blocks() -> list[str]:
    chosen = st.pills(
        "Blocks",
        BLOCK_NAMES,
        selection_mode="multi",
        default=BLOCK_NAMES,
        key="blocks",
        bind="query-params",
        help="The blocks whose maps are drawn, from the first encoder stage through the bottleneck to the last decoder "
        "stage.",
    )
    return [block for block in BLOCK_NAMES if block in chosen]


def _compute(view: View, shown: Mapping[str, Card]) -> Comparison:
    results, panels = {}, {}
    with st.spinner("Segmenting and recording gates", show_time=False):
        for title, card in shown.items():
            try:
                results[title] = cached.result(view.scan, view.plane, view.index, card)
                panels[title] = cached.panels(view.scan, view.plane, view.index, card)
            except (ScanError, WeightsError) as error:
                st.error(verbatim(str(error)))
    return Comparison(view, {title: shown[title] for title in results}, results, panels)


def _draw_panels(comparison: Comparison, blocks: Sequence[str]) -> None:
    view, panels = comparison.view, comparison.panels.values()
    first = comparison.first
    rows = [Row("prediction", "", tuple(found["prediction"] for found in panels))]
    channels = dict(zip(BLOCK_NAMES, (*first.widths, *reversed(first.widths[:-1])), strict=True))
    for block in blocks:
        detail = f"{channels[block]} channels\n{block_scale(block) * first.pixel_mm:g} mm per pixel"
        rows.append(Row(block, detail, tuple(found[block] for found in panels)))
    draw(
        message(
            view.scan,
            view.plane,
            view.index,
            intensities=cached.shown_intensities(view.scan),
            columns={title: f"{card.name}, {card.parameters:,} parameters" for title, card in comparison.cards.items()},
            rows=rows,
            structures=first.structures,
            reference=_reference(comparison),
        )
    )


def _reference(comparison: Comparison) -> Panel | None:
    view, truth = comparison.view, comparison.view.truth
    if truth is None:
        return None
    shape = view_of(view.scan, view.plane)
    names = [each.name for each in view.structures]
    drawn = of_structures(truth, view.source.groups)
    return label_panel(drawn, names, shape.row_mm * shape.column_mm, title="Labels of the scan")


def _draw_tables(comparison: Comparison) -> None:
    left, right = st.columns(2)
    with left:
        predictions = {title: found["prediction"] for title, found in comparison.panels.items()}
        draw_areas(predictions, comparison.first.structures)
    truth = comparison.view.truth
    if truth is not None:
        with right:
            labels = {title: result.labels for title, result in comparison.results.items()}
            draw_dice(labels, truth, comparison.view.source.groups)


def _draw_channels(comparison: Comparison) -> None:
    gates = {title: result.gates for title, result in comparison.results.items()}
    if not any(name.endswith("channel_gate") for found in gates.values() for name in found):
        return
    st.subheader("Channel weights (cSE)")
    block = st.pills(
        "Block",
        [ALL_BLOCKS, *BLOCK_NAMES],
        default=ALL_BLOCKS,
        required=True,
        key="channels",
        bind="query-params",
        help="One block, or all of them on the same scale.",
    )
    by_weight = st.toggle(
        "Sort by weight",
        value=True,
        key="by_weight",
        bind="query-params",
        help="From the lowest weight to the highest. Channels of two networks do not mean the same, their weights' "
        "spread can be compared.",
    )
    colours = variant_colours(ALL_VARIANT_TITLES)
    if block == ALL_BLOCKS:
        figure = channel_overview(gates, blocks=BLOCK_NAMES, colours=colours, by_weight=by_weight)
    else:
        figure = channel_bars(gates, block=block, colours=colours, by_weight=by_weight)
    st.plotly_chart(figure, key="channel_bars")
