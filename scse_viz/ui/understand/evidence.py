"""The last lesson: why a block can make a network worse."""

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
from scse_viz.zoo.scores import MALC, Experiment
from scse_viz.zoo.titles import variant_title

CROP_MM = 96.0
"""The side of the crops that the brain networks were trained on in most steps."""
MANY = 10
"""Rows from which on a table of an experiment is folded."""
ADDING = ("cse", "sse", "scse")
"""Variants that add their gates, or have one: their mean factor is the sum of the gates' means."""


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
    """Draw what was measured once: margins and phases, conditions of passes, gates that can move."""
    experiments = understand_cached.experiments()
    if not experiments:
        st.caption("The results of our experiments are missing from the folder of the networks.")
        return
    st.markdown("##### What we measured")
    for experiment in experiments.values():
        said = f"**{experiment.title[0].upper()}{experiment.title[1:]}**"
        if len(experiment.rows) > MANY:
            with st.expander(said):
                _draw_experiment(experiment)
        else:
            st.markdown(said)
            _draw_experiment(experiment)
        st.markdown(f"{_closer(experiment) if experiment.name == 'stages' else ''}{experiment.note}")


def _closer(stages: Experiment) -> str:
    return (
        "With every phase of training on images more like those that it is tested on, cSE came closer to none: "
        f"{_series(stages, 'cse')} behind; scSE likewise: {_series(stages, 'scse')}. That agrees with the second "
        "mechanism, which the next table tests. "
    )


def _real() -> str:
    """How the U-Net with scSE fares on the real heads, in words; empty where it was not measured."""
    for comparison in understand_cached.comparisons():
        kind = comparison.network, comparison.against, comparison.data, comparison.measure
        if kind == ("brain-unet-scse", "none", MALC, "dice"):
            heads = comparison.subjects
            worse, mean = heads - comparison.better, -comparison.difference
            return f", and on {worse} of {heads} real heads of MALC it is below none, by {mean:.3f} in the mean"
    return ""


def _series(experiment: Experiment, variant: str) -> str:
    return ", ".join(f"{difference:.3f}" for difference in experiment.behind(variant))


def _draw_experiment(experiment: Experiment) -> None:
    table = pd.DataFrame.from_dict(experiment.rows, orient="index").rename(columns=variant_title)
    st.table(table.style.format("{:.3f}", na_rep="–"))  # unlike a data frame's, its rows wrap in a narrow window


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
