"""The three lessons: cSE, sSE and scSE, each in its steps. Each returns the figures that it has drawn."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.channels import spread_over, strongest_terms
from scse_viz.analysis.gates import channel_share
from scse_viz.figures.channels import channel_steps
from scse_viz.inference.steps import BlockSteps
from scse_viz.rendering.colours import ACTIVATION_SCALE, GATE_SCALES
from scse_viz.rendering.png import robust_span
from scse_viz.ui.shell import export
from scse_viz.ui.understand.tiles import Scale, Tile, draw

SHOWN = 4
"""Channels of the diagrams."""


def channel(steps: BlockSteps, block: str) -> dict[str, go.Figure]:
    """cSE: squeeze the space, excite the channels."""
    found = steps.channel
    assert found is not None
    picked = spread_over(found.weights, SHOWN)
    st.markdown(
        "### cSE: which channels matter in this picture?\n"
        "A stage of the network turns the slice into many **channels**: pictures of the same size, each answering to "
        "something else, such as an edge, a bright patch or a texture. cSE looks at the whole picture once and gives "
        "every channel one weight between 0 (silenced) and 1 (kept)."
    )
    count, hidden = len(found.mean), len(found.hidden)
    _step(
        "1 · Squeeze: one number a channel",
        f"The mean of each of the {count} channels over all {steps.before[0].size:,} pixels. *Where* something is gets "
        f"lost; *how much* of it there is stays. Four channels, from the least to the most excited:",
        r"z_k = \frac{1}{h\,w} \sum_{i,j} u_k(i, j)",
    )
    scale = _scale_of(steps.before[picked])
    draw([[_feature(steps.before, each, f"channel {each}: mean {found.mean[each]:.3g}") for each in picked]], scale)
    squeeze = channel_steps(found.mean, picked, title="z: mean of every channel", axis="mean activation, a.u.")
    export.chart(squeeze, key="understand_squeeze")
    _step(
        "2 · Excite: from means to weights",
        f"Two small fully connected layers: {count} means → {hidden} hidden units → {count} weights, so every weight "
        f"may depend on every channel. {int((found.hidden > 0).sum())} of the {hidden} hidden units are active here. "
        "The sigmoid σ keeps each weight between 0 and 1; they need not sum to 1.",
        r"\hat z = \sigma\big(W_2 \; \mathrm{ReLU}(W_1 z + b_1) + b_2\big)",
    )
    excite = channel_steps(
        found.weights, picked, title="ẑ: weight of every channel", axis="weight (0 to 1)", span=(0, 1.15)
    )
    export.chart(excite, key="understand_excite")
    _step(
        "3 · Multiply: every channel by its weight",
        "All pixels of a channel by the same number. Before above, after below, on one scale:",
        r"\hat u_k = \hat z_k \, u_k",
    )
    before = [_feature(steps.before, each, f"channel {each}") for each in picked]
    draw([before, [_by_channel(steps, each, found.weights[each]) for each in picked]], scale)
    _remember("cSE knows *what* is in the picture and not *where*: one weight serves the whole slice.")
    return {f"{block} squeeze": squeeze, f"{block} excite": excite}


def spatial(steps: BlockSteps, block: str) -> dict[str, go.Figure]:
    """sSE: squeeze the channels, excite the pixels."""
    found = steps.spatial
    assert found is not None
    picked = strongest_terms(found.kernel, steps.before, SHOWN)
    st.markdown(
        "### sSE: which places matter?\n"
        "The other way round: squeeze all **channels** at a pixel into one number, and give every **pixel** one "
        "weight. In segmentation every pixel gets an answer of its own, so this question lies near."
    )
    _step(
        "1 · Squeeze: a weighted sum of the channels",
        f"A 1 × 1 convolution: one weight w for each of the {len(found.kernel)} channels, the same at every pixel and "
        f"learned in training; b is {found.bias:+.2f}. A positive w opens the gate where its channel is bright, a "
        "negative one closes it. The four channels that move the sum most on this slice:",
        r"q(i, j) = \sum_k w_k \, u_k(i, j) + b",
    )
    scale = _scale_of(steps.before[picked])
    draw([[_feature(steps.before, each, f"channel {each}: w = {found.kernel[each]:+.2f}") for each in picked]], scale)
    kernel = channel_steps(found.kernel, picked, title="w: weight of every channel in the sum", axis="w")
    export.chart(kernel, key="understand_kernel")
    _step(
        "2 · Excite: the sigmoid of the sum",
        "0 becomes 0.5; what is far above 0 becomes almost 1, what is far below almost 0.",
        r"\hat q(i, j) = \sigma\big(q(i, j)\big)",
    )
    left, right = st.columns(2)
    with left:
        text = f"sum q, {found.logits.min():.2f} to {found.logits.max():.2f}"
        reach = float(np.abs(found.logits).max()) or 1.0
        draw([[Tile(found.logits, text, f"{block}: {text}")]], Scale(-reach, reach, "blue-red", "q"))
    with right:
        text = f"gate, mean {found.gate.mean():.2f}"
        draw([[Tile(found.gate, text, f"{block}: spatial {text}")]], Scale(0, 1, GATE_SCALES[0], "gate"))
    _step(
        "3 · Multiply: every pixel by its gate",
        "All channels of a pixel by the same number. Before above, after below, on one scale:",
        r"\hat u_k(i, j) = \hat q(i, j) \, u_k(i, j)",
    )
    before = [_feature(steps.before, each, f"channel {each}") for each in picked]
    draw([before, [_by_space(steps, each) for each in picked]], scale)
    _remember("sSE knows *where* and not *which channel*: at a pixel, all channels rise and fall together.")
    return {f"{block} kernel": kernel}


def both(steps: BlockSteps, block: str) -> dict[str, go.Figure]:
    """scSE: both at once, added."""
    of_channel, of_space = steps.channel, steps.spatial
    assert of_channel is not None
    assert of_space is not None
    picked = spread_over(of_channel.weights, SHOWN)
    st.markdown(
        "### scSE: both at once\n"
        "Both gates look at the same features at the same time, and their results are added. A value survives if its "
        "channel **or** its place is called for, and grows if both are."
    )
    _step(
        "Recalibrate twice, then add",
        "From left to right: what enters, times its channel's weight, times the spatial gate, and the sum, which is "
        "what leaves the block. Four channels, from the least to the most excited, on one scale:",
        r"\hat u_k(i, j) = \hat z_k \, u_k(i, j) + \hat q(i, j) \, u_k(i, j)",
    )
    rows: list[list[Tile | str]] = [
        [
            _feature(steps.before, each, f"channel {each}"),
            "→",
            _by_channel(steps, each, of_channel.weights[each]),
            "+",
            _by_space(steps, each),
            "=",
            _feature(steps.after, each, "sum"),
        ]
        for each in picked
    ]
    draw(rows, _scale_of(np.concatenate([steps.before[picked], steps.after[picked]])))
    share = channel_share(steps.before, of_channel.weights, of_space.gate)
    by_channel, by_space = float(of_channel.weights.mean()), float(of_space.gate.mean())
    st.markdown(
        f"Over all {len(steps.before)} channels of {block}, the channel half brings **{share:.0%}** of the result and "
        f"the spatial half **{1 - share:.0%}**. The mean factor is {by_channel:.2f} + {by_space:.2f} = "
        f"**{by_channel + by_space:.2f}**."
    )
    _remember(
        "Factors of scSE lie between 0 and 2. With both gates at 0.5, about where a new block starts, the factor is 1 "
        "and the block changes nothing; cSE or sSE alone would halve every value."
    )
    return {}


def _step(title: str, text: str, formula: str) -> None:
    st.markdown(f"##### {title}\n{text}")
    st.latex(formula)


def _remember(text: str) -> None:
    st.success(text, icon=":material/lightbulb:")


def _feature(features: np.ndarray, number: int, caption: str) -> Tile:
    values = features[number]
    return Tile(values, caption, f"{caption}, from {values.min():.3g} to {values.max():.3g}")


def _by_channel(steps: BlockSteps, number: int, weight: float) -> Tile:
    return Tile(steps.by_channel(number), f"× {weight:.2f}", f"channel {number} times its weight {weight:.2f}")


def _by_space(steps: BlockSteps, number: int) -> Tile:
    return Tile(steps.by_space(number), "× gate", f"channel {number} times the spatial gate")


def _scale_of(features: np.ndarray) -> Scale:
    return Scale(*robust_span(features), ACTIVATION_SCALE, "and more: activation, a.u.")
