"""Compare: variants of one network side by side on one slice, blocks in rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from scse_viz import figures
from scse_viz.inference import SliceResult
from scse_viz.models import BLOCK_NAMES
from scse_viz.pictures import Panel, label_panel
from scse_viz.samples import known_labels, of_structures
from scse_viz.scans import ScanError, slice_of, view_of
from scse_viz.ui import cached, state
from scse_viz.ui.panels import Row, draw, message
from scse_viz.ui.source import Source, choose_source
from scse_viz.ui.tables import draw_areas, draw_dice
from scse_viz.ui.words import ALL_VARIANT_TITLES, architecture_title, block_scale, variant_title, verbatim
from scse_viz.zoo import Card, WeightsError

ALL_BLOCKS = "all"
WIDGETS = ("scan", "anatomy", "architecture", "variants", "plane", "sagittal", "coronal", "axial", "blocks", "channels")


@dataclass(frozen=True, eq=False)
class Comparison:
    """One slice through several networks; `cards`, `results` and `panels` by the title of the variant."""

    source: Source
    plane: str
    index: int
    cards: Mapping[str, Card]
    results: Mapping[str, SliceResult]
    panels: Mapping[str, Mapping[str, Panel]]

    @property
    def first(self) -> Card:
        """The card that stands for all: they differ in the block alone."""
        return next(iter(self.cards.values()))

    @property
    def truth(self) -> np.ndarray | None:
        """The labels of the slice (H, W), where the scan has some."""
        labels = self.source.labels
        if labels is None:
            return None
        return known_labels(slice_of(labels, self.plane, self.index), self.source.groups)


def page() -> None:
    """The page: sidebar, predictions over the slice, maps of every block, channel weights, Dice."""
    state.begin()
    try:
        known = cached.cards()
    except WeightsError as error:
        st.error(verbatim(str(error)))
        return
    if not known:
        st.error("No network is here: the folder pretrained is empty; fetch it again.")
        return
    with st.sidebar:
        structures = next(iter(known.values())).structures
        source = choose_source(structures)
        shown = _choose_networks(known)
        if source is not None:
            plane, index = _choose_slice(source)
        blocks = _choose_blocks()
    state.note_lost(WIDGETS)
    if source is None:
        st.info("Choose a scan in the sidebar: a sample, or a file of your own.")
        return
    for note in source.scan.notes:
        st.caption(verbatim(f"{source.scan.name}: {note}"))
    if not shown:
        st.info("Choose at least one variant in the sidebar.")
        return
    comparison = _compute(source, plane, index, shown)
    if not comparison.results:
        return
    count = view_of(source.scan, plane).count
    place = f" · {plane} slice {index} (0 to {count - 1})" if count > 1 else ""
    st.markdown(f"#### {verbatim(source.scan.name)}{place}")
    st.caption("First what each variant of the network segments, then, block by block, what its gates let pass.")
    _draw_panels(comparison, blocks)
    _draw_tables(comparison)
    _draw_channels(comparison)


def _choose_networks(known: Mapping[str, Card]) -> dict[str, Card]:
    """The networks chosen in the sidebar by the title of their variant, in the order of VARIANTS."""
    anatomies = list(dict.fromkeys(card.anatomy for card in known.values()))
    anatomy = st.selectbox(
        "Anatomy", anatomies, key="anatomy", bind="query-params", help="What the networks were trained to segment."
    )
    family = [card for card in known.values() if card.anatomy == anatomy]
    architectures = list(dict.fromkeys(architecture_title(card.architecture) for card in family))
    architecture = st.selectbox(
        "Architecture",
        architectures,
        key="architecture",
        bind="query-params",
        help="The encoder-decoder that the blocks sit in.",
    )
    variants = {
        variant_title(card.variant): card for card in family if architecture_title(card.architecture) == architecture
    }
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


def _choose_slice(source: Source) -> tuple[str, int]:
    scan = source.scan
    planes = sorted(scan.planes)
    plane = st.segmented_control(
        "Plane",
        planes,
        default=planes[0],
        required=True,
        key="plane",
        bind="query-params",
        help="The plane of the slices. Left is drawn left.",
    )
    count = view_of(scan, plane).count
    if st.session_state.setdefault("sliced", scan.digest) != scan.digest:
        for key in scan.planes:
            st.session_state.pop(key, None)
        st.session_state["sliced"] = scan.digest
    if count == 1:
        return plane, 0
    index = st.slider(
        "Slice",
        0,
        count - 1,
        cached.first_slice(scan, plane),
        key=plane,
        bind="query-params",
        help="Index of the voxel along the plane's normal, from left, posterior or inferior.",
    )
    return plane, index


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


def _compute(source: Source, plane: str, index: int, shown: Mapping[str, Card]) -> Comparison:
    results, panels = {}, {}
    with st.spinner("Segmenting and recording gates", show_time=False):
        for title, card in shown.items():
            try:
                results[title] = cached.result(source.scan, plane, index, card)
                panels[title] = cached.panels(source.scan, plane, index, card)
            except (ScanError, WeightsError) as error:
                st.error(verbatim(str(error)))
    cards = {title: shown[title] for title in results}
    return Comparison(source, plane, index, cards, results, panels)


def _draw_panels(comparison: Comparison, blocks: Sequence[str]) -> None:
    scan, panels = comparison.source.scan, comparison.panels.values()
    first = comparison.first
    rows = [Row("prediction", "", tuple(found["prediction"] for found in panels))]
    channels = dict(zip(BLOCK_NAMES, (*first.widths, *reversed(first.widths[:-1])), strict=True))
    for block in blocks:
        detail = f"{channels[block]} channels\n{block_scale(block) * first.pixel_mm:g} mm per pixel"
        rows.append(Row(block, detail, tuple(found[block] for found in panels)))
    draw(
        message(
            scan,
            comparison.plane,
            comparison.index,
            intensities=cached.shown_intensities(scan),
            columns={title: f"{card.name}, {card.parameters:,} parameters" for title, card in comparison.cards.items()},
            rows=rows,
            structures=first.structures,
            reference=_reference(comparison),
        )
    )


def _reference(comparison: Comparison) -> Panel | None:
    truth = comparison.truth
    if truth is None:
        return None
    view = view_of(comparison.source.scan, comparison.plane)
    names = [each.name for each in comparison.first.structures]
    drawn = of_structures(truth, comparison.source.groups)
    return label_panel(drawn, names, view.row_mm * view.column_mm, title="Labels of the scan")


def _draw_tables(comparison: Comparison) -> None:
    left, right = st.columns(2)
    with left:
        predictions = {title: found["prediction"] for title, found in comparison.panels.items()}
        draw_areas(predictions, comparison.first.structures)
    truth = comparison.truth
    if truth is not None:
        with right:
            labels = {title: result.labels for title, result in comparison.results.items()}
            draw_dice(labels, truth, comparison.source.groups)


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
    colours = figures.variant_colours(ALL_VARIANT_TITLES)
    if block == ALL_BLOCKS:
        figure = figures.channel_overview(gates, blocks=BLOCK_NAMES, colours=colours, by_weight=by_weight)
    else:
        figure = figures.channel_bars(gates, block=block, colours=colours, by_weight=by_weight)
    st.plotly_chart(figure, key="channel_bars")
