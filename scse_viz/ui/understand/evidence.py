"""The last two lessons: the paper's results beside ours, and why a block can make a network worse."""

from collections.abc import Mapping
from statistics import fmean, stdev

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.gates import mean_factors
from scse_viz.figures.channels import whole_against_crop
from scse_viz.figures.gates import factors_by_block
from scse_viz.rendering.colours import variant_colours
from scse_viz.ui.shell import cached, export
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import ALL_VARIANT_TITLES
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.zoo import Card
from scse_viz.zoo.scores import CITATION, MALC, PAPER_DICE, PAPER_UNCHECKED, TRAINED_ON, Experiment
from scse_viz.zoo.titles import architecture_title, variant_title

CROP_MM = 96.0
"""The side of the crops that the brain networks were trained on in most steps."""
ADDING = ("cse", "sse", "scse")
"""Variants that add their gates, or have one: their mean factor is the sum of the gates' means."""
DATA = "understand_data"
WIDE = 460
"""Width of a table in pixels: two stand side by side, or one below the other in a narrow window."""


def paper(view: View) -> dict[str, pd.DataFrame]:
    """The paper's table beside ours, and why they cannot be compared directly; returns both tables."""
    st.markdown(
        "### Is it worth it? The paper's results and ours\n"
        "Roy et al. put the three blocks into three networks and measured the Dice coefficient on whole-brain scans: "
        "1 is a perfect segmentation, 0 no overlap. In the table as we have it, every block helps, scSE most."
    )
    tables = {"paper": _table(PAPER_DICE)}
    with st.container(horizontal=True, gap="large"):
        with st.container(width=WIDE):
            st.markdown("**The paper** (unchecked): global Dice, brain (MALC data)")
            _draw(tables["paper"], "understand_paper")
        with st.container(width=WIDE):
            ours, measured_on = _ours(view.networks)
            st.markdown(f"**Ours**: mean Dice, {measured_on}")
            tables["ours"] = _table(ours)
            _draw(tables["ours"], "understand_ours")
    own_data = _on_own_data()
    if own_data is not None:
        tables["on the paper's own data"] = own_data
    st.markdown(
        "The two tables above cannot be compared number by number. The paper trained and tested on real scans with "
        "manual labels. Our networks are smaller, were trained on far less data, and once each where no seeds are "
        "given: another seed may change the order of the variants. The brain networks were trained on no real scan, "
        "only on images synthesized from label maps. So compare each block with none, and do not trust differences of "
        "0.01 or 0.02. The cards on the page Models say which data each figure was measured on."
    )
    st.caption(f"{CITATION}; extended in IEEE TMI 2019 (arXiv 1808.08127). {PAPER_UNCHECKED}")
    return tables


def drawbacks(view: View, card: Card, block: str) -> dict[str, go.Figure]:
    """Why a block can make a network worse, as far as we know, with numbers of this slice; returns the figures."""
    st.markdown(
        "### Why can scSE make a model worse?\n"
        f"It can: of our four brain U-Nets, the one with scSE is the worst on whole slices of the synthetic "
        f"head{_real()}. We do not know for certain why. Here are two mechanisms that can be observed on this slice, "
        "and what we measured."
    )
    figures = {**_draw_factors(view, card), **_draw_crop(view, card, block)}
    _draw_experiments()
    st.info(
        "For your own network: train on images of the size and margins that it will be used on, crop scans to the "
        "head, check the gates for saturation on the page Explore, switch blocks off one by one on the page Intervene, "
        "and train several seeds before you trust a difference.",
        icon=":material/lightbulb:",
    )
    return figures


def _draw_experiments() -> None:
    experiments = understand_cached.experiments()
    if not {"stages", "margins"} <= set(experiments):
        st.caption("The results of our experiments are missing from the folder of the networks.")
        return
    stages, margins = experiments["stages"], experiments["margins"]
    st.markdown(f"##### What we measured\n**{stages.title[0].upper()}{stages.title[1:]}**")
    _draw_experiment(stages)
    st.markdown(
        "With every phase of training on images more like those that it is tested on, cSE came closer to none: "
        f"{_series(stages, 'cse')} behind; scSE likewise: {_series(stages, 'scse')}. That agrees with the second "
        "mechanism, but it is one seed, and the phases differ in more than their images. This experiment tests it:\n\n"
        f"**{margins.title[0].upper()}{margins.title[1:]}**"
    )
    _draw_experiment(margins)
    st.markdown(
        "Only air was cropped. A channel gate pools over the air as well, and the two networks with channel gates do "
        "worse in the cube; the two without do not. Training with wide margins recovered part of that loss."
    )


def _real() -> str:
    """How the U-Net with scSE fares on the real heads, in words; empty where it was not measured."""
    for each in understand_cached.comparisons():
        if (each.network, each.data, each.measure) == ("brain-unet-scse", MALC, "dice"):
            worse = each.subjects - each.better
            mean = -each.difference
            return f", and on {worse} of {each.subjects} real heads of MALC it is below none, by {mean:.3f} in the mean"
    return ""


def _series(experiment: Experiment, variant: str) -> str:
    return ", ".join(f"{difference:.3f}" for difference in experiment.behind(variant))


def _draw_experiment(experiment: Experiment) -> None:
    table = pd.DataFrame.from_dict(experiment.rows, orient="index").rename(columns=variant_title)
    _draw(table.rename_axis("condition"), f"understand_{experiment.name}")


def _draw_factors(view: View, card: Card) -> dict[str, go.Figure]:
    st.markdown(
        "##### 1 · Gates multiply at every stage\n"
        "A feature passes several blocks. With cSE or sSE alone, half-open gates halve it at each, and later layers "
        "must learn to compensate; what one gate suppresses, no later one restores. scSE adds two gates, so the factor "
        "is 1 when both are half open, and 2 at most. The mean factors on this slice:"
    )
    family = {
        sibling.variant: sibling for sibling in view.networks.values() if sibling.architecture == card.architecture
    }
    factors: dict[str, dict[str, float]] = {}
    with st.spinner("Running the networks", show_time=False):
        for variant in ADDING:
            if variant in family:
                gates = cached.result(view.slice, family[variant]).gates
                factors[variant_title(variant)] = mean_factors(gates)
    if not factors:
        st.caption("No network of this architecture has gates.")
        return {}
    figure = factors_by_block(factors, colours=variant_colours(ALL_VARIANT_TITLES))
    export.chart(figure, key="understand_factors")
    return {"mean factors": figure}


def _draw_crop(view: View, card: Card, block: str) -> dict[str, go.Figure]:
    side = round(CROP_MM / card.pixel_mm)
    side = max(card.multiple, side - side % card.multiple) if card.foreign else max(16, side)
    st.markdown(
        "##### 2 · The channel gate pools over everything it sees\n"
        "A convolution at a pixel sees the pixel's neighbourhood, in a crop as in a whole slice. The channel gate "
        "sees a **mean over the whole picture**. A crop from the middle of the brain has no air and little skull, so "
        "its means differ, and so do the weights. A network that is trained on crops and used on whole slices runs "
        "with weights that it never had in training. Below: the weights of this whole slice against those of its "
        f"middle {side} × {side} pixels."
    )
    whole = cached.result(view.slice, card).gates[block].channel_gate
    if whole is None:
        st.info(f"{variant_title(card.variant)} has no channel gate. Choose cSE or scSE in the sidebar to see it.")
        return {}
    crop = understand_cached.crop(view.slice, card, side)[block]
    figure = whole_against_crop(whole, crop, block=block)
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        export.chart(figure, key="understand_crop")
    with right:
        st.metric("Mean change of a weight", f"{abs(crop - whole).mean():.2f}", help="Mean of |crop - whole|, 0 to 1.")
        st.metric("Largest change", f"{abs(crop - whole).max():.2f}")
        st.caption(f"{card.name}, {block}, {len(whole)} channels. On the dashed line the two are equal.")
    return {"whole slice against crop": figure}


def _ours(networks: Mapping[str, Card]) -> tuple[dict[str, dict[str, float]], str]:
    """Architecture -> variant -> mean Dice, and what it was measured on; from the cards where results are missing."""
    known = {name: results for name, results in understand_cached.results().items() if name in networks}
    by_title = {measured.title: data for results in known.values() for data, measured in results.data.items()}
    if not by_title:
        means = {card.name: (card.figures or {}).get("mean_dice") for card in networks.values()}
        return _by_architecture(networks, means), f"{next(iter(networks.values())).anatomy}, as on their cards"
    if st.session_state.get(DATA) not in by_title:
        st.session_state.pop(DATA, None)  # data of another anatomy
    title = st.selectbox(
        "Measured on",
        list(by_title),
        key=DATA,
        bind="query-params",
        help="Whole volumes that no network was trained on.",
    )
    data = by_title[title]
    means = {
        name: fmean(subjects.values())
        for name, results in known.items()
        if data in results.data and (subjects := results.data[data].by_subject())
    }
    return _by_architecture(networks, means), title


def _on_own_data() -> pd.DataFrame | None:
    """Draw and return our mean Dice on the test heads of the paper, by training; None where none was measured."""
    networks = [results for results in understand_cached.results().values() if MALC in results.data]
    if not networks:
        return None
    cells: dict[str, dict[str, str]] = {}
    for results in networks:
        means = results.data[MALC].by_subject()
        mean, deviation = fmean(means.values()), stdev(means.values()) if len(means) > 1 else 0.0
        row = f"{architecture_title(results.architecture)}, {TRAINED_ON.get(results.anatomy, results.anatomy)}"
        cells.setdefault(row, {})[variant_title(results.variant)] = f"{mean:.3f} ± {deviation:.3f}"
    heads = max(len(results.data[MALC].subjects) for results in networks)
    st.markdown(
        f"**Ours on the paper's own data**: mean Dice ± standard deviation over the {heads} test heads of MALC",
        help="Real T1-weighted scans of the OASIS project; labels drawn by hand, provided by Neuromorphometrics, Inc. "
        "The skull was taken off with a mask made from these labels, so the outline of the brain is the labels' own. "
        "Structures 1 to 16, coronal slices; `pretrained/README.md` has every structure, distances and tests.",
    )
    table = pd.DataFrame.from_dict(cells, orient="index").rename_axis("network")
    known = [title for title in ALL_VARIANT_TITLES if title in table.columns]
    st.dataframe(table[known], width="stretch", height="content", placeholder="–", key="understand_own_data")
    st.caption(", ".join(_tested_on_own_data()))
    return table[known]


def _tested_on_own_data() -> list[str]:
    """The comparisons with none on the paper's heads, in words."""
    tested = [each for each in understand_cached.comparisons() if each.data == MALC and each.measure == "dice"]
    return [
        f"{each.network} {each.difference:+.3f} against none, better in {each.better} of {each.subjects} heads"
        + (" (significant)" if each.significant else "")
        for each in tested
    ]


def _by_architecture(networks: Mapping[str, Card], means: Mapping[str, float | None]) -> dict[str, dict[str, float]]:
    scores: dict[str, dict[str, float]] = {}
    for card in networks.values():
        mean = means.get(card.name)
        if mean is not None:
            scores.setdefault(card.architecture, {})[card.variant] = float(mean)
    return scores


def _table(scores: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    table = pd.DataFrame(
        {variant_title(variant): {architecture_title(name): row.get(variant) for name, row in scores.items()}
         for variant in ("none", "cse", "sse", "scse")}
    )  # fmt: skip
    table.index.name = "network"
    return table


def _draw(table: pd.DataFrame, key: str) -> None:
    columns = {title: st.column_config.NumberColumn(format="%.3f") for title in table.columns}
    st.dataframe(table, width="stretch", height="content", column_config=columns, placeholder="–", key=key)
