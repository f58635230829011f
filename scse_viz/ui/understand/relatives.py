"""The lessons on the relatives: what each squeezes, excites and costs, and how it differs from its neighbour."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.channels import spread_over
from scse_viz.figures.channels import channel_steps
from scse_viz.inference.relatives import RelativeSteps
from scse_viz.rendering.colours import ACTIVATION_SCALE, ATTENTION_SCALE, GATE_SCALES
from scse_viz.rendering.png import robust_span
from scse_viz.ui.shell import export
from scse_viz.ui.understand.tiles import Scale, Tile, draw

SHOWN = 4
"""Channels of the pictures."""
Figures = dict[str, go.Figure]


@dataclass(frozen=True)
class Lesson:
    """A relative in words: its question, source and formula, and what it squeezes, excites and does unlike others."""

    question: str
    source: str
    formula: str
    squeezes: str
    excites: str
    differs: str


LESSONS: Mapping[str, Lesson] = {
    "scse-r16": Lesson(
        "does scSE need half of the channels as hidden units?",
        "Roy et al. 2018, with the default of segmentation_models_pytorch",
        r"\hat u = u \, \sigma\big(W_2\,\mathrm{ReLU}(W_1 z)\big) + u \, \sigma(w * u), \qquad W_1 : C \to C / 16",
        "Space into one mean a channel, and channels into one number a pixel: as scSE.",
        "Channels and pixels at once, added: as scSE.",
        "Only the hidden layer is smaller: C / 16 units in place of C / 2, so an eighth of the weights. What other "
        "libraries call scSE is often this one.",
    ),
    "eca": Lesson(
        "do channels need to hear from all others?",
        "Wang et al., ECA-Net, CVPR 2020",
        r"\hat z = \sigma(w * z), \qquad z_k = \frac{1}{h\,w} \sum_{i,j} u_k(i, j)",
        "Space into one mean a channel: as cSE.",
        "Channels. A short window w slides along the channels, so a weight depends on a few neighbours' means.",
        "cSE has two fully connected layers, in which every mean counts for every weight. ECA has a handful of numbers "
        "in all, and neighbours of a channel are neighbours by number alone.",
    ),
    "soca": Lesson(
        "which channels vary, and vary together?",
        "Dai et al., second-order attention network, CVPR 2019",
        r"\begin{gathered} \Sigma = \tfrac{1}{h\,w}\,(u - \bar u)(u - \bar u)^{\top}, \\ "
        r"z = \mathrm{mean\;row}\big(\Sigma^{1/2}\big), \qquad "
        r"\hat z = \sigma\big(W_2\,\mathrm{ReLU}(W_1 z)\big) \end{gathered}",
        "Space into covariances: how strongly each channel varies over the slice, and with which others. Five steps of "
        "an iteration take the matrix's square root, and each row becomes one number.",
        "Channels, by the two layers of cSE.",
        "cSE asks how strong a channel is on average; SOCA how much it varies. A channel that is bright everywhere is "
        "loud to cSE and silent to SOCA.",
    ),
    "cbam": Lesson(
        "first what, then where?",
        "Woo et al., CBAM, ECCV 2018",
        r"u' = u \, \sigma\big(f(\bar u) + f(\max u)\big), \qquad "
        r"\hat u = u' \, \sigma\big(w_{7 \times 7} * [\max u', \bar u']\big)",
        "Space into a mean and a maximum a channel; then channels into a maximum and a mean a pixel.",
        "Channels first, and then the pixels of what is left, each by 7 × 7 pixels around it.",
        "scSE does both at once on the same features and adds them; here the second gate sees what the first has left, "
        "and both multiply. sSE sees one pixel, this gate its neighbourhood.",
    ),
    "pe": Lesson(
        "can a gate know where without a map for it?",
        "Rickmann et al., project and excite, MICCAI 2019, in two dimensions",
        r"\begin{gathered} z_k(i, j) = \tfrac{1}{w}\sum_{j'} u_k(i, j') + \tfrac{1}{h}\sum_{i'} u_k(i', j), \\ "
        r"\hat u = u \, \sigma\big(W_2\,\mathrm{ReLU}(W_1 z)\big) \end{gathered}",
        "Rows and columns apart: a pixel keeps the mean of its row and the mean of its column, in every channel.",
        "Every pixel of every channel has a weight of its own.",
        "cSE averages over rows and columns at once and forgets where; PE forgets only half. Its gate is the only one "
        "here that is as large as the features.",
    ),
    "nonlocal": Lesson(
        "where should a pixel look for help?",
        "Wang et al., non-local networks, CVPR 2018, in the form of self-attention GAN, ICML 2019",
        r"\hat u_i = u_i + s \, W \sum_j \mathrm{softmax}_j\big(q_i^{\top} k_j\big)\, v_j",
        "Nothing: every pixel stays, on large maps averaged over small squares.",
        "Pairs of pixels: each pixel has shares of all others, which sum to 1, and adds their weighted mean.",
        "All others multiply what is there by a gate. This block adds what it finds elsewhere, times a learned scale s "
        "that starts at 0.",
    ),
    "ag": Lesson(
        "which pixels of a skip does the decoder need?",
        "Oktay et al., Attention U-Net, MIDL 2018",
        r"\hat q = \sigma\big(w\,\mathrm{ReLU}(W_u * u + W_g * g)\big), \qquad \hat u = \hat q \, u",
        "Channels of the skip and of the stage below into one number a pixel.",
        "Pixels of the skip connection alone; what goes down the encoder stays as it is.",
        "sSE decides from a pixel's own features. Here the coarser stage below, which has seen more of the slice, "
        "has a say; decoder stages and the bottleneck have no gate.",
    ),
}
"""Relative -> its lesson, in the order of RELATIVES."""


def tell(variant: str, title: str) -> None:
    """Draw what can be said about a relative without a network."""
    lesson = LESSONS[variant]
    st.markdown(f"### {title}: {lesson.question}")
    st.latex(lesson.formula)
    st.markdown(
        f"- **Squeezed:** {lesson.squeezes}\n- **Excited:** {lesson.excites}\n- **Unlike its neighbour:** "
        f"{lesson.differs}\n- **Source:** {lesson.source}."
    )


def teach(variant: str, steps: RelativeSteps, block: str) -> Figures:
    """Draw the steps of a block with its own numbers; the figures drawn, by name."""
    st.markdown(
        f"**Cost of {block}:** {steps.parameters:,} parameters and {steps.multiply_adds:,} multiply-adds on this "
        f"slice, for {len(steps.before)} channels of {steps.before.shape[1]} × {steps.before.shape[2]} pixels."
    )
    figures = DRAWN[variant](steps, block)
    _draw_change(steps)
    return figures


def _channel_gate(steps: RelativeSteps, block: str, **squeezed: str) -> Figures:
    """Bars of what is squeezed, by the name of the step -> title, and of the weights."""
    weights = steps.steps["weights"]
    shown = spread_over(weights, SHOWN)
    figures = {}
    for name, title in squeezed.items():
        figures[f"{block} {name}"] = channel_steps(steps.steps[name], shown, title=title, axis=name)
    figures[f"{block} weights"] = channel_steps(
        weights, shown, title="weight of every channel", axis="weight (0 to 1)", span=(0, 1.15)
    )
    for name, figure in figures.items():
        export.chart(figure, key=f"understand_relative_{name.removeprefix(block).strip().replace(' ', '_')}")
    return figures


def _eca(steps: RelativeSteps, block: str) -> Figures:
    kernel = ", ".join(f"{weight:+.2f}" for weight in steps.steps["kernel"])
    st.markdown(f"The window has **{len(steps.steps['kernel'])}** weights, the same for all channels: {kernel}.")
    return _channel_gate(steps, block, mean="mean of every channel")


def _soca(steps: RelativeSteps, block: str) -> Figures:
    of_channels = steps.steps["covariance"]
    reach = float(np.abs(of_channels).max()) or 1.0
    text = f"covariance of {len(of_channels)} channels"
    tile = Tile(of_channels, text, f"{text}, up to {reach:.3g}", placed=False)
    draw([[tile]], Scale(-reach, reach, "blue-red", "covariance"))
    return _channel_gate(
        steps, block, mean="mean of every channel, which cSE would use", root="mean row of the square root"
    )


def _cbam(steps: RelativeSteps, block: str) -> Figures:
    figures = _channel_gate(steps, block, mean="mean of every channel", maximum="maximum of every channel")
    names = ("maximum over channels", "mean over channels")
    tiles = [Tile(steps.steps[name], name, f"{block}: {name}, after the channel gate") for name in names]
    draw([tiles], _scale_of(np.stack([steps.steps[name] for name in names])))
    _draw_gate(steps, block)
    return figures


def _pe(steps: RelativeSteps, block: str) -> Figures:
    gate, projections = steps.steps["full gate"], steps.steps["projections"]
    shown = spread_over(gate.mean(axis=(1, 2)), SHOWN)
    tiles = [Tile(projections[k], f"channel {k}: row + column", f"projections of channel {k}") for k in shown]
    draw([tiles], _scale_of(projections[shown]))
    tiles = [Tile(gate[k], f"gate, mean {gate[k].mean():.2f}", f"channel {k}: gate of every pixel") for k in shown]
    draw([tiles], Scale(0, 1, GATE_SCALES[0], "gate"))
    return {}


def _non_local(steps: RelativeSteps, block: str) -> Figures:
    received, looks = steps.steps["received"], steps.steps["looks"]
    row, column = steps.steps["looks from"].tolist()
    st.markdown(
        f"The learned scale s is **{float(steps.steps['scale']):+.3f}**; what is added is "
        f"**{np.abs(steps.steps['added']).mean() / max(np.abs(steps.before).mean(), 1e-9):.1%}** of the features on "
        "average. Click any pixel in Explore or Compare to see where it looks."
    )
    tiles = [
        Tile(looks, f"row {row}, column {column} looks: up to × {looks.max():.2f}", f"{block}: where its middle looks"),
        Tile(received, f"looked at: up to × {received.max():.2f}", f"{block}: how much each pixel is looked at"),
    ]
    top = float(max(looks.max(), received.max()))
    draw([tiles], Scale(0, top, ATTENTION_SCALE, "× an even share"))
    return {}


def _skip(steps: RelativeSteps, block: str) -> Figures:
    squeezed = steps.steps["mean over channels"]
    draw([[Tile(squeezed, "the skip, mean", f"{block}: mean of the skip's channels")]], _scale_of(squeezed))
    _draw_gate(steps, block)
    return {}


def _concurrent(steps: RelativeSteps, block: str) -> Figures:
    hidden = steps.steps["hidden"]
    st.markdown(
        f"Hidden units: **{len(hidden)}** for {len(steps.before)} channels, of which {int((hidden > 0).sum())} active."
    )
    figures = _channel_gate(steps, block, mean="mean of every channel")
    _draw_gate(steps, block)
    return figures


DRAWN: Mapping[str, Callable[[RelativeSteps, str], Figures]] = {
    "scse-r16": _concurrent,
    "eca": _eca,
    "soca": _soca,
    "cbam": _cbam,
    "pe": _pe,
    "nonlocal": _non_local,
    "ag": _skip,
}
"""Relative -> the function that draws its steps."""


def _draw_gate(steps: RelativeSteps, block: str) -> None:
    gate = steps.steps["gate"]
    text = f"gate, mean {gate.mean():.2f}, {gate.min():.2f} to {gate.max():.2f}"
    draw([[Tile(gate, text, f"{block}: spatial {text}")]], Scale(0, 1, GATE_SCALES[0], "gate"))


def _draw_change(steps: RelativeSteps) -> None:
    """Draw the channels that the block changes most and least, before and after, on one scale."""
    change = np.abs(steps.after - steps.before).mean(axis=(1, 2))
    shown = spread_over(change, SHOWN)
    st.markdown("**Recalibrated:** four channels, from the least to the most changed. Above: before; below: after.")
    rows = [
        [Tile(features[k], f"channel {k}", f"channel {k}, {when} the block") for k in shown]
        for when, features in (("before", steps.before), ("after", steps.after))
    ]
    draw(rows, _scale_of(np.concatenate([steps.before[shown], steps.after[shown]])))


def _scale_of(features: np.ndarray) -> Scale:
    return Scale(*robust_span(features), ACTIVATION_SCALE, "and more: activation, a.u.")
