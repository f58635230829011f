"""The lessons on cSE, sSE and scSE, step by step. Each returns the figures that it draws, by name."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.channels import spread_over, strongest_terms
from scse_viz.analysis.gates import channel_share
from scse_viz.figures.channels import channel_steps
from scse_viz.inference.steps import BlockSteps, ChannelSteps, SpatialSteps
from scse_viz.rendering.colours import ACTIVATION_SCALE, GATE_SCALES
from scse_viz.rendering.png import robust_span
from scse_viz.ui.shell import export
from scse_viz.ui.understand.tiles import Scale, Tile, draw

SHOWN = 4
"""Channels of the diagrams."""


def channel(steps: BlockSteps, block: str) -> dict[str, go.Figure]:
    """cSE: squeeze the space, excite the channels."""
    gate = steps.channel
    assert gate is not None
    shown = spread_over(gate.weights, SHOWN)
    st.markdown(
        "### cSE: which channels matter in this picture?\n"
        "A stage of the network turns the slice into many **channels**: pictures of the same size, each responding to "
        "a feature of its own, such as an edge, a bright patch or a texture. cSE looks at the whole picture once and "
        "gives every channel one weight between 0 (suppressed) and 1 (kept)."
    )
    squeeze = _draw_means(steps, gate, shown)
    excite = _draw_weights(gate, shown)
    _step(
        "3 · Recalibrate: multiply every channel by its weight",
        "All pixels of a channel are multiplied by the same number. Above: before; below: after; on one scale:",
        r"\hat u_k = \hat z_k \, u_k",
    )
    before = [_feature(steps.before, number, f"channel {number}") for number in shown]
    draw(
        [before, [_by_channel(steps, number, gate.weights[number]) for number in shown]], _scale_of(steps.before[shown])
    )
    _remember("cSE knows *what* is in the picture and not *where*: one weight applies to the whole slice.")
    return {f"{block} squeeze": squeeze, f"{block} excite": excite}


def _draw_means(steps: BlockSteps, gate: ChannelSteps, shown: list[int]) -> go.Figure:
    _step(
        "1 · Squeeze: one number per channel",
        f"The mean of each of the {len(gate.mean)} channels over all {steps.before[0].size:,} pixels. *Where* a "
        "feature is, is lost; *how strong* it is on average remains. Four channels, from the least to the most "
        "excited:",
        r"z_k = \frac{1}{h\,w} \sum_{i,j} u_k(i, j)",
    )
    tiles = [_feature(steps.before, number, f"channel {number}: mean {gate.mean[number]:.3g}") for number in shown]
    draw([tiles], _scale_of(steps.before[shown]))
    squeeze = channel_steps(gate.mean, shown, title="z: mean of every channel", axis="mean activation, a.u.")
    export.chart(squeeze, key="understand_squeeze")
    return squeeze


def _draw_weights(gate: ChannelSteps, shown: list[int]) -> go.Figure:
    count, hidden = len(gate.mean), len(gate.hidden)
    _step(
        "2 · Excite: from means to weights",
        f"Two small fully connected layers: {count} means → {hidden} hidden units → {count} weights, so every weight "
        f"can depend on every channel. {int((gate.hidden > 0).sum())} of the {hidden} hidden units are active here. "
        "The sigmoid σ keeps each weight between 0 and 1; they need not sum to 1.",
        r"\hat z = \sigma\big(W_2 \; \mathrm{ReLU}(W_1 z + b_1) + b_2\big)",
    )
    excite = channel_steps(
        gate.weights, shown, title="ẑ: weight of every channel", axis="weight (0 to 1)", span=(0, 1.15)
    )
    export.chart(excite, key="understand_excite")
    return excite


def spatial(steps: BlockSteps, block: str) -> dict[str, go.Figure]:
    """sSE: squeeze the channels, excite the pixels."""
    gate = steps.spatial
    assert gate is not None
    shown = strongest_terms(gate.kernel, steps.before, SHOWN)
    st.markdown(
        "### sSE: which pixels matter?\n"
        "The other way round: squeeze all **channels** at a pixel into one number, and give every **pixel** one "
        "weight. Segmentation labels each pixel, so it is natural to weight each pixel too."
    )
    kernel = _draw_kernel(steps, gate, shown)
    _draw_gate(gate, block)
    _step(
        "3 · Recalibrate: multiply every pixel by its gate",
        "All channels of a pixel are multiplied by the same number. Above: before; below: after; on one scale:",
        r"\hat u_k(i, j) = \hat q(i, j) \, u_k(i, j)",
    )
    before = [_feature(steps.before, number, f"channel {number}") for number in shown]
    draw([before, [_by_space(steps, number) for number in shown]], _scale_of(steps.before[shown]))
    _remember("sSE knows *where* and not *which channel*: at a pixel, all channels are scaled alike.")
    return {f"{block} kernel": kernel}


def _draw_kernel(steps: BlockSteps, gate: SpatialSteps, shown: list[int]) -> go.Figure:
    _step(
        "1 · Squeeze: a weighted sum of the channels",
        f"A 1 × 1 convolution: one weight w for each of the {len(gate.kernel)} channels, the same at every pixel and "
        f"learned in training; the bias b is {gate.bias:+.2f}. A positive w opens the gate where its channel is "
        "bright, a negative one closes it. The four channels that contribute most to the sum on this slice:",
        r"q(i, j) = \sum_k w_k \, u_k(i, j) + b",
    )
    tiles = [_feature(steps.before, number, f"channel {number}: w = {gate.kernel[number]:+.2f}") for number in shown]
    draw([tiles], _scale_of(steps.before[shown]))
    kernel = channel_steps(gate.kernel, shown, title="w: weight of every channel in the sum", axis="w")
    export.chart(kernel, key="understand_kernel")
    return kernel


def _draw_gate(gate: SpatialSteps, block: str) -> None:
    _step(
        "2 · Excite: the sigmoid of the sum",
        "A sum of 0 gives 0.5; a large positive one almost 1, a large negative one almost 0.",
        r"\hat q(i, j) = \sigma\big(q(i, j)\big)",
    )
    left, right = st.columns(2)
    with left:
        text = f"sum q, {gate.logits.min():.2f} to {gate.logits.max():.2f}"
        reach = float(np.abs(gate.logits).max()) or 1.0
        draw([[Tile(gate.logits, text, f"{block}: {text}")]], Scale(-reach, reach, "blue-red", "q"))
    with right:
        text = f"gate, mean {gate.gate.mean():.2f}"
        draw([[Tile(gate.gate, text, f"{block}: spatial {text}")]], Scale(0, 1, GATE_SCALES[0], "gate"))


def both(steps: BlockSteps, block: str) -> dict[str, go.Figure]:
    """scSE: both at once, added; it draws no figures."""
    by_channel, by_space = steps.channel, steps.spatial
    assert by_channel is not None
    assert by_space is not None
    st.markdown(
        "### scSE: both at once\n"
        "Both gates see the same features, and their results are added. An activation is kept if its channel **or** "
        "its pixel is excited, and grows if both are."
    )
    _step(
        "Recalibrate twice, then add",
        "From left to right: the features that enter, multiplied by the channel's weight, multiplied by the spatial "
        "gate, and the sum, which leaves the block. Four channels, from the least to the most excited, on one scale:",
        r"\hat u_k(i, j) = \hat z_k \, u_k(i, j) + \hat q(i, j) \, u_k(i, j)",
    )
    _draw_sums(steps, by_channel)
    share = channel_share(steps.before, by_channel.weights, by_space.gate)
    weight, gate = float(by_channel.weights.mean()), float(by_space.gate.mean())
    st.markdown(
        f"Over all {len(steps.before)} channels of {block}, the channel gate contributes **{share:.0%}** of the result "
        f"and the spatial gate **{1 - share:.0%}**. The mean factor is {weight:.2f} + {gate:.2f} = "
        f"**{weight + gate:.2f}**."
    )
    _remember(
        "Factors of scSE lie between 0 and 2. With both gates at 0.5, which is about where an untrained block starts, "
        "the factor is 1 and the block changes nothing; cSE or sSE alone would halve every activation."
    )
    return {}


def _draw_sums(steps: BlockSteps, gate: ChannelSteps) -> None:
    shown = spread_over(gate.weights, SHOWN)
    rows: list[list[Tile | str]] = [
        [
            _feature(steps.before, number, f"channel {number}"),
            "→",
            _by_channel(steps, number, gate.weights[number]),
            "+",
            _by_space(steps, number),
            "=",
            _feature(steps.after, number, "sum"),
        ]
        for number in shown
    ]
    draw(rows, _scale_of(np.concatenate([steps.before[shown], steps.after[shown]])))


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
