"""Understand, by structure: how open gates are inside structures, and which channels respond to a structure."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.structures import LEAST_PIXELS, ByStructure, Profile, mean_gates, profile, slice_means
from scse_viz.figures.structures import gate_table, profile_bars
from scse_viz.scans import ScanError
from scse_viz.stages import short_names
from scse_viz.ui.shell import export, sidebar
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import network_title, verbatim
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand import shortcuts, slices
from scse_viz.zoo import Card, WeightsError

RELATIVE, STRUCTURE, SORTED = "understand_relative", "understand_structure", "understand_sorted"
FIRST_STRUCTURE = "hippocampus"
FigureAndTable = tuple[go.Figure, pd.DataFrame]


def draw(view: View) -> None:
    """Draw mean gates inside structures, then the channels of one block with and without a structure."""
    card = sidebar.choose_network(view)
    view = view.of(card)
    block = sidebar.choose_block(card)
    shortcuts.choose_variants(view, card)
    st.markdown(f"#### {verbatim(view.scan.name)} · {card.name}")
    gated = _kinds(card)
    if not gated:
        st.info(f"{network_title(card)} has no gates. Choose cSE, sSE or scSE in the sidebar.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        this = slices.choose_scope()
        relative = st.toggle(
            "Relative to the mean of all pixels",
            key=RELATIVE,
            bind="query-params",
            help="Gates minus their mean over the slices: above 0, a gate is more open here than elsewhere.",
        )
    drawn: dict[str, FigureAndTable | None] = {}
    try:
        if "spatial" in gated:
            drawn["gates by structure"] = _draw_table(view, card, this=this, relative=relative)
        else:
            st.info(f"{network_title(card)} has no spatial gate, so there is no map to average in structures.")
        if "channel" in gated:
            drawn["channels by structure"] = _draw_profile(view, card, block)
        else:
            st.info(f"{network_title(card)} has no channel gate, so there are no weights to compare.")
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
        return
    figures = {name: part[0] for name, part in drawn.items() if part}
    tables = {name: part[1] for name, part in drawn.items() if part}
    contents = export.ExportContents(
        page="understand-structures", models=[card], figures=figures, tables=tables, code=_code(view)
    )
    export.offer(view, contents)


def _code(view: View) -> str:
    return f"""
from scse_viz.analysis.structures import by_structure, mean_gates
from scse_viz.scans import slice_grid

grid = slice_grid(scan, {view.plane!r})
gates_by_structure = by_structure(result.gates, result.labels, len(card.structures), (grid.row_mm, grid.column_mm))
mean_gates([gates_by_structure], list(result.gates))  # (classes, blocks), of this slice
"""


def _kinds(card: Card) -> set[str]:
    """What its gates tell apart: "channel", and "spatial", for a full gate too, whose mean over channels is a map."""
    return {"channel" if gate == "channel_gate" else "spatial" for gate in card.gates if gate != "attention"}


def _by_slice(view: View, card: Card, indices: list[int]) -> list[ByStructure]:
    return slices.run(indices, lambda index: understand_cached.structures(view.scan.slice(view.plane, index), card))


def _draw_table(view: View, card: Card, *, this: bool, relative: bool) -> FigureAndTable:
    st.subheader(
        "Mean spatial gate inside each structure",
        help="The mean gate over the pixels that the network assigns to a structure. Each map keeps its own "
        "resolution: structures are pooled to it by area.",
    )
    by_slice = _by_slice(view, card, [view.index] if this else slices.spread(view))
    blocks = [block.name for block in card.block_table if any(block.name in of_slice.sums for of_slice in by_slice)]
    means = mean_gates(by_slice, blocks)
    if relative:
        means = means - slice_means(by_slice, blocks)
    occurring = [structure.number for structure in card.structures if not np.isnan(means[structure.number]).all()]
    names = [card.structures[number].name for number in occurring]
    short = short_names([block.name for block in card.block_table])
    figure = gate_table(means[occurring], names, [short[block] for block in blocks], relative=relative)
    export.chart(figure, key="understand_gates")
    few = [structure.name for structure in card.structures if structure.number not in occurring]
    left_out = f" Under {LEAST_PIXELS} pixels, so not shown: {', '.join(few)}." if few else ""
    where = (view.position or "its one slice") if this else slices.in_words(view)
    st.caption(f"Over {where}; structures as the network predicts them.{left_out}")
    return figure, pd.DataFrame(means[occurring], index=pd.Index(names, name="structure"), columns=blocks)


def _draw_profile(view: View, card: Card, block: str) -> FigureAndTable | None:
    st.subheader(
        "Channel weights with and without a structure",
        help="The cSE gate sees a slice as one number per channel. Do its weights distinguish slices that contain a "
        "structure from those that do not? After the section on the dynamics of SE blocks in Roy et al., TMI 2019.",
    )
    structure, by_difference = _choose_structure(card)
    name = card.structures[structure].name
    by_slice = _by_slice(view, card, slices.spread(view))
    if not all(block in of_slice.weights for of_slice in by_slice):
        st.info(verbatim(f"{block} has no channel gate that runs. Choose another block in the sidebar."))
        return None
    shown = profile(by_slice, block, structure)
    if shown is None:
        having = sum(of_slice.pixels[structure] >= LEAST_PIXELS for of_slice in by_slice)
        st.info(
            f"{name}: the network finds it in {having} of {len(by_slice)} slices, and a comparison needs slices with "
            "it and slices without. Choose another structure, or another plane in the sidebar."
        )
        return None
    figure = profile_bars(shown, structure=name, block=block, by_difference=by_difference)
    export.chart(figure, key="understand_profile")
    st.caption(_in_words(shown, name, slices.in_words(view)))
    return figure, _profile_table(shown, name)


def _choose_structure(card: Card) -> tuple[int, bool]:
    """The class number of a structure, and whether channels are sorted by difference."""
    names = [structure.name for structure in card.structures[1:]]
    if st.session_state.get(STRUCTURE, names[0]) not in names:
        del st.session_state[STRUCTURE]  # one of another anatomy
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        name = st.selectbox(
            "Structure",
            names,
            index=names.index(FIRST_STRUCTURE) if FIRST_STRUCTURE in names else 0,
            key=STRUCTURE,
            bind="query-params",
            help=f"A slice contains it if at least {LEAST_PIXELS} pixels are predicted as it. Slices with fewer, but "
            "some, are left out.",
        )
    with right:
        by_difference = st.toggle(
            "Sort channels by difference",
            value=True,
            key=SORTED,
            bind="query-params",
            help="From the channel that is weaker with the structure to the one that is stronger.",
        )
    return 1 + names.index(name), by_difference


def _profile_table(shown: Profile, name: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            f"mean with {name}": shown.present[0],
            "standard deviation with": shown.present[1],
            "mean without": shown.absent[0],
            "standard deviation without": shown.absent[1],
            "difference": shown.difference,
            "standard error of the difference": shown.standard_error,
        },
        index=pd.RangeIndex(len(shown.difference), name="channel"),
    )


def _in_words(shown: Profile, name: str, where: str) -> str:
    strongest = int(np.abs(shown.difference).argmax())
    largest = f"{shown.difference[strongest]:+.2f}".replace("-", "−")
    clear = int(np.sum(np.abs(shown.difference) > 2 * shown.standard_error))
    return (
        f"Over {where}: points are means, bands one standard deviation over slices, whiskers of the difference one "
        f"standard error. The largest difference is that of channel {strongest}, {largest} with {name}; {clear} of "
        f"{len(shown.difference)} channels differ by more than two standard errors. Neighbouring slices are "
        "correlated, and slices without a structure lie elsewhere: this describes the scan and is not a test."
    )
