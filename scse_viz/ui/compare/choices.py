"""The choices of Compare: networks, blocks and a second scan in the sidebar, and their results on the slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.gates import BlockGates
from scse_viz.blocks import VARIANTS
from scse_viz.inference import SliceResult
from scse_viz.rendering.colours import COLOURS, variant_colours
from scse_viz.scans import ScanError, slice_grid
from scse_viz.ui.compare.alignment import Alignment, first_rows
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.source import Slot, choose_source
from scse_viz.ui.shell.variants import (
    FIRST_VARIANTS,
    RELATIVE_TITLES,
    SEVERAL,
    SEVERAL_RELATIVES,
    choose_several,
    grouped,
)
from scse_viz.ui.shell.words import ALL_VARIANT_TITLES, verbatim
from scse_viz.zoo import Card, WeightsError
from scse_viz.zoo.class_sets import ClassSets, class_sets
from scse_viz.zoo.titles import architecture_title, variant_title

Drawn = tuple[dict[str, go.Figure], dict[str, pd.DataFrame]]
"""The figures and tables that a part of the page shows, by name."""
MOST_COLUMNS = 8
PALETTE = (*COLOURS, "#9467bd")
"""As many colours as columns."""
SECOND = "compare_"
"""Prefix of the keys of the second scan's widgets."""
VARIANT_HELP = (
    "none: no block. cSE: squeeze in space, excite channels. sSE: squeeze channels, excite pixels. scSE: both, added. "
    "All variants of an architecture were trained alike, from the same initial weights. Keys 1 to 4 toggle the first "
    "four."
)


@dataclass(frozen=True, eq=False)
class Column:
    """One network on one slice: `title` is unique among the networks, `label` among all columns of the page."""

    title: str
    label: str
    view: View
    card: Card
    result: SliceResult
    blocks: Mapping[str, str]
    """Row of the page -> the network's block there."""

    @property
    def gates(self) -> dict[str, BlockGates]:
        """Row of the page -> the gates of the network's block there."""
        return {row: self.result.gates[block] for row, block in self.blocks.items() if block in self.result.gates}


@dataclass(frozen=True, eq=False)
class ComparedSlice:
    """One slice of one scan through several networks; `name` tells the scans apart."""

    name: str
    view: View
    columns: tuple[Column, ...]
    alignment: Alignment

    @property
    def cards(self) -> tuple[Card, ...]:
        """The cards of the networks."""
        return tuple(column.card for column in self.columns)

    @property
    def classes(self) -> ClassSets:
        """The classes of the networks, after those that the scan's labels are numbered by."""
        return class_sets([self.view.structures, *(card.structures for card in self.cards)])

    @property
    def shared(self) -> ClassSets:
        """The classes of the networks alone: what all of them have can be compared."""
        return class_sets([card.structures for card in self.cards])


def choose_networks(view: View) -> dict[str, Card]:
    """The networks of the chosen architectures, all variants of each, by title."""
    titles = list(dict.fromkeys(architecture_title(card.architecture) for card in view.networks.values()))
    _forget_others("compare_architectures", titles)
    chosen = st.pills(
        "Architectures",
        titles,
        selection_mode="multi",
        default=st.session_state.get("architecture") if st.session_state.get("architecture") in titles else titles[0],
        key="compare_architectures",
        bind="query-params",
        help="The encoder-decoder around the blocks. Choose several to compare their variants side by side.",
    )
    several = len(chosen) > 1
    networks = {}
    for card in view.networks.values():
        architecture, variant = architecture_title(card.architecture), variant_title(card.variant)
        if architecture in chosen:
            joined = f"{architecture} {variant}" if several else variant
            networks[card.name if card.foreign else joined] = card
    return networks


def choose_variants(networks: Mapping[str, Card]) -> dict[str, Card]:
    """The networks whose variant is chosen, by title."""
    offered = offered_variants(networks)
    paper, relatives = grouped(offered)
    _forget_others(SEVERAL, paper)
    _forget_others(SEVERAL_RELATIVES, relatives)
    chosen = choose_several(offered, FIRST_VARIANTS, VARIANT_HELP)
    return {title: card for title, card in networks.items() if variant_title(card.variant) in chosen}


def choose_others(view: View) -> dict[str, Card]:
    """Networks of other anatomies, and opened ones, by name."""
    others = {name: card for name, card in cached.cards().items() if name not in view.networks}
    if not others:
        return {}
    _forget_others("compare_others", list(others))
    chosen = st.multiselect(
        "Networks of other anatomies",
        list(others),
        key="compare_others",
        bind="query-params",
        placeholder="none",
        help="Shown beside the networks of this anatomy, also those that you opened. Only what networks have in common "
        "is compared: classes of one name, and blocks of one name or resolution.",
    )
    return {name: others[name] for name in chosen}


def offered_variants(networks: Mapping[str, Card]) -> list[str]:
    """The titles of the variants that networks have, in the order of VARIANTS."""
    present = {card.variant for card in networks.values()}
    return [variant_title(variant) for variant in VARIANTS if variant in present]


def has_spatial_gate(card: Card) -> bool:
    """Whether the blocks of a network have a spatial gate."""
    return "spatial_gate" in card.gates


def toggle_variant(title: str) -> None:
    """Show a variant, or hide it."""
    key = SEVERAL_RELATIVES if title in RELATIVE_TITLES else SEVERAL
    chosen = list(st.session_state.get(key) or [])
    st.session_state[key] = [name for name in chosen if name != title] if title in chosen else [*chosen, title]


def choose_blocks(alignment: Alignment, cards: Sequence[Card]) -> list[str]:
    """The rows of blocks whose maps are drawn."""
    offered = list(alignment.rows)
    _forget_others("blocks", offered)
    chosen = st.pills(
        "Blocks",
        offered,
        selection_mode="multi",
        default=first_rows(alignment, cards),
        key="blocks",
        bind="query-params",
        help="The blocks whose maps are drawn, in the order of a pass.",
    )
    return [block for block in offered if block in chosen]


def choose_second(view: View) -> View | None:
    """A second scan with its own slice, in the same plane; None where there is none."""
    wanted = st.toggle(
        "Second scan",
        key="compare_second",
        bind="query-params",
        help="Also run the same networks on a slice of another scan, shown below the first.",
    )
    if not wanted:
        return None
    slot = Slot(SECOND, upload="Open a second scan", shown="Second scan shown", first=1)
    source = choose_source(view.structures, next(iter(view.networks.values())).anatomy, slot)
    if source is None:
        return None
    scan = source.scan
    if view.plane not in scan.planes:
        st.error(verbatim(f"{scan.name}: no {view.plane} slices in this image; choose {' or '.join(scan.planes)}"))
        return None
    count = slice_grid(scan, view.plane).count
    if st.session_state.setdefault("compare_sliced", scan.digest) != scan.digest:
        for plane in scan.planes:
            st.session_state.pop(f"{SECOND}{plane}", None)
        st.session_state["compare_sliced"] = scan.digest
    index = 0
    if count > 1:
        index = st.slider(
            "Slice of the second scan",
            0,
            count - 1,
            cached.first_slice(scan, view.plane),
            key=f"{SECOND}{view.plane}",
            bind="query-params",
            help="Index of the voxel along the plane's normal, from left, posterior or inferior.",
        )
    return replace(view, source=source, index=index)


def compute(
    views: Sequence[View], chosen: Mapping[str, Card], alignment: Alignment, *, drawn: bool
) -> list[ComparedSlice]:
    """Run every chosen network on every slice; those that fail are named and left out.

    With `drawn`, the panels of their maps are made beside the passes.
    """
    comparisons = []
    for name, view in zip(_names(views), views, strict=True):
        columns = []
        futures = cached.segmented(view.slice, list(chosen.values()), drawn=drawn)
        for (title, card), future in zip(chosen.items(), futures, strict=True):
            label = f"{title} · {name}" if len(views) > 1 else title
            try:
                columns.append(Column(title, label, view, card, future.result(), alignment.blocks_of(card)))
            except (ScanError, WeightsError) as error:
                st.error(verbatim(str(error)))
        if columns:
            comparisons.append(ComparedSlice(name, view, tuple(columns), alignment))
    return comparisons


def blocks_of(comparisons: Sequence[ComparedSlice]) -> list[str]:
    """The rows of blocks of all networks shown, in the order of a pass."""
    shown = {row for comparison in comparisons for column in comparison.columns for row in column.blocks}
    return [row for row in comparisons[0].alignment.rows if row in shown]


def kinds_of(gates: Mapping[str, BlockGates], block: str) -> tuple[str, ...]:
    """The kinds of gates that a network has at a block; none where it lacks the block."""
    return gates[block].kinds if block in gates else ()


def colours_of(comparisons: Sequence[ComparedSlice]) -> dict[str, str]:
    """A colour for each network by its label: that of its variant, or its own if architectures are compared."""
    networks = {column.title: column.card for comparison in comparisons for column in comparison.columns}
    by_title = dict(zip(networks, PALETTE, strict=False))
    if len({card.architecture for card in networks.values()}) == len({card.anatomy for card in networks.values()}) == 1:
        by_variant = variant_colours(ALL_VARIANT_TITLES)
        by_title = {title: by_variant[variant_title(card.variant)] for title, card in networks.items()}
    return {column.label: by_title[column.title] for comparison in comparisons for column in comparison.columns}


def column_colours(comparisons: Sequence[ComparedSlice]) -> dict[str, str]:
    """A colour for each column by its label; those of `colours_of` for a single scan."""
    if len(comparisons) == 1:
        return colours_of(comparisons)
    labels = [column.label for comparison in comparisons for column in comparison.columns]
    return dict(zip(labels, PALETTE, strict=False))


def _names(views: Sequence[View]) -> list[str]:
    """Short names of scans: file names up to the first dot, numbered where they coincide."""
    short = [view.scan.name.partition(".")[0] for view in views]
    return [f"{name} ({number})" if short.count(name) > 1 else name for number, name in enumerate(short, start=1)]


def _forget_others(key: str, options: Sequence[str]) -> None:
    """Drop values that a widget no longer offers, as after a change of anatomy."""
    held = st.session_state.get(key)
    if held is not None and not set(held) <= set(options):
        kept = [option for option in held if option in options]
        if kept:
            st.session_state[key] = kept
        else:
            del st.session_state[key]
