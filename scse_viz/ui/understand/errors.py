"""Understand, attention and error: is a gate open where the prediction is wrong or uncertain?"""

from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.errors import RIGHT, WRONG, ByEntropy, ByError, pooled_entropies, pooled_errors
from scse_viz.figures.errors import entropy_table, error_by_block, error_histogram
from scse_viz.scans import ScanError
from scse_viz.ui.shell import cached, export, sidebar
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import network_title, verbatim
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand import shortcuts, slices
from scse_viz.zoo import Card, WeightsError

AGAINST = "understand_against"
ERROR, ENTROPY = "error", "entropy"
MOST_NAMES = 8
Shown = tuple[dict[str, go.Figure], dict[str, pd.DataFrame]]


def draw(view: View) -> None:
    """Draw gates of right and wrong pixels if the scan has labels, otherwise gates by entropy."""
    card = sidebar.choose_network(view)
    view = view.of(card)
    block = sidebar.choose_block(card)
    shortcuts.choose_variants(view, card)
    st.markdown(f"#### {verbatim(view.scan.name)} · {card.name}")
    if not shortcuts.MAPS & {*card.gates}:
        st.info(
            f"{network_title(card)} has no spatial gate, so there is no map to compare with errors. Choose sSE "
            "or scSE in the sidebar."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        this = slices.choose_scope()
        against = _choose_against(view)
    indices = [view.index] if this else slices.spread(view)
    where = (view.position or "its one slice") if this else slices.in_words(view)
    try:
        if against == ERROR:
            code = _error_code(view, block)
            figures, tables = _draw_errors(_errors(view, card, indices), view, block, where)
        else:
            code = _entropy_code(view, block)
            figures, tables = _draw_entropies(_entropies(view, card, indices), where)
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
        return
    export.offer(
        view,
        export.ExportContents(page=f"understand-{against}", models=[card], figures=figures, tables=tables, code=code),
    )


def _choose_against(view: View) -> str:
    if view.source.labels is None:
        st.caption("This scan has no labels, so gates are compared with the entropy of the prediction.")
        return ENTROPY
    return str(
        st.segmented_control(
            "Gates against",
            (ERROR, ENTROPY),
            default=ERROR,
            required=True,
            key=AGAINST,
            bind="query-params",
            help="Error: where the prediction differs from the labels. Entropy: the uncertainty of the prediction, "
            "which needs no labels.",
        )
    )


def _errors(view: View, card: Card, indices: list[int]) -> ByError:
    def compute(index: int) -> ByError:
        reference = replace(view, index=index).reference_labels
        assert reference is not None
        return understand_cached.errors(view.scan.slice(view.plane, index), card, reference, view.source.groups)

    return pooled_errors(slices.run(indices, compute))


def _entropies(view: View, card: Card, indices: list[int]) -> ByEntropy:
    of_slices = slices.run(indices, lambda index: understand_cached.entropies(view.scan.slice(view.plane, index), card))
    return pooled_entropies(of_slices)


def _draw_errors(by_error: ByError, view: View, block: str, where: str) -> Shown:
    if not by_error.pixels.sum():
        st.info(
            "Nothing to judge: neither the labels nor the prediction contain a labelled structure here. Choose the "
            "whole plane, or another slice in the sidebar."
        )
        return {}, {}
    blocks = list(by_error.sums)
    means = {name: by_error.means(name) for name in blocks}
    aucs = {name: by_error.auc(name) for name in blocks}
    st.subheader(
        "Gate where the prediction is right and where it is wrong",
        help="AUC: the probability that a wrong pixel has a higher gate than a right one. 0.5: the gate tells nothing "
        "about errors; above, it is more open where the prediction is wrong; below, less.",
    )
    figures = {"gate and error": error_by_block(means, aucs)}
    export.chart(figures["gate and error"], key="understand_errors")
    st.caption(_judged(by_error, view, where))
    if not by_error.pixels.all():
        kind = "wrong" if by_error.pixels[WRONG] else "right"
        st.info(f"All judged pixels are {kind} here, so there is nothing to compare.")
    if block not in by_error.histograms:
        block = blocks[0]
        st.caption(verbatim(f"The block chosen in the sidebar has no spatial gate; below is {block}."))
    figures["gate histogram"] = error_histogram(by_error.histograms[block], block=block)
    export.chart(figures["gate histogram"], key="understand_histogram")
    table = pd.DataFrame(
        {
            "mean gate, right": [means[name][RIGHT] for name in blocks],
            "mean gate, wrong": [means[name][WRONG] for name in blocks],
            "AUC": [aucs[name] for name in blocks],
        },
        index=pd.Index(blocks, name="block"),
    )
    return figures, {"gate and error": table}


def _judged(by_error: ByError, view: View, where: str) -> str:
    right, wrong = (int(count) for count in by_error.pixels)
    groups = view.source.groups
    named = f"{len(groups)} structures" if len(groups) > MOST_NAMES else ", ".join(group.name for group in groups)
    return (
        f"Over {where}: {right + wrong:,} judged pixels, {wrong:,} of them wrong ({wrong / (right + wrong):.1%}). A "
        f"pixel is judged if the labels or the prediction assign it to a structure that the labels name ({named}). "
        "Errors lie mostly at borders, so a gate that follows borders also follows errors; that is no evidence that it "
        "causes them."
    )


def _draw_entropies(by_entropy: ByEntropy, where: str) -> Shown:
    if not by_entropy.pixels.sum():
        st.info("The network predicts background everywhere with at least 99 %. Choose another slice in the sidebar.")
        return {}, {}
    blocks = list(by_entropy.sums)
    means = {name: by_entropy.means(name) for name in blocks}
    st.subheader(
        "Gate by entropy of the prediction",
        help="Entropy of the class probabilities divided by its maximum: 0 where the network is certain, 1 where all "
        "classes are equally likely. Spearman's ρ is between a map's pixels and the mean entropy under each.",
    )
    figure = entropy_table(means, by_entropy.mean_entropies, by_entropy.spearman)
    export.chart(figure, key="understand_entropies")
    st.caption(
        f"Over {where}: {int(by_entropy.pixels.sum()):,} pixels, by deciles of entropy in each slice. Pixels predicted "
        "as background with a probability of at least 99 % are left out. Over several slices, ρ is the mean of theirs."
    )
    table = pd.DataFrame(
        np.stack([*means.values(), by_entropy.mean_entropies]),
        index=pd.Index([*blocks, "mean entropy"], name="block"),
        columns=[f"decile {number}" for number in range(1, 11)],
    )
    table["Spearman"] = [*(by_entropy.spearman[name] for name in blocks), np.nan]
    return {"gate by entropy": figure}, {"gate by entropy": table}


def _error_code(view: View, block: str) -> str:
    sample = next((known for known in cached.known_samples().values() if known.scan.name == view.scan.name), None)
    if sample is not None:
        reading = f"""sample = samples()[{sample.name!r}]
labels, groups = read_labels(sample.labels, scan), sample.groups"""
    else:
        reading = """labels = read_labels(Path("labels.nii.gz"), scan)  # your label file
groups = own_groups(card.structures, labels)"""
    return f"""
from scse_viz.analysis.errors import by_error, verdicts
from scse_viz.scans.samples import in_groups, known_labels, own_groups, samples
from scse_viz.scans import read_labels, slice_grid

{reading}
reference = known_labels(scan.slice({view.plane!r}, {view.index}).cut(labels), groups)
grid = slice_grid(scan, {view.plane!r})
verdict = verdicts(in_groups(result.labels, groups), reference)
gates_by_error = by_error(result.gates, verdict, (grid.row_mm, grid.column_mm))
gates_by_error.means({block!r}), gates_by_error.auc({block!r})  # of this slice
"""


def _entropy_code(view: View, block: str) -> str:
    return f"""
from scse_viz.analysis.errors import by_entropy, counted_pixels
from scse_viz.scans import slice_grid

grid = slice_grid(scan, {view.plane!r})
counted = counted_pixels(result.labels, result.confidence)
gates_by_entropy = by_entropy(result.gates, result.entropy, counted, (grid.row_mm, grid.column_mm))
gates_by_entropy.means({block!r}), gates_by_entropy.spearman[{block!r}]  # of this slice
"""
