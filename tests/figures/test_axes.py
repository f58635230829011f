"""Every figure names its axes, and their units."""

import numpy as np
import plotly.graph_objects as go
import pytest

from scse_viz.analysis.errors import BINS
from scse_viz.analysis.structures import Profile
from scse_viz.figures import ablation, agreement, belief, by_slice, channels, errors, gates, structures
from tests.named_gates import typed

BLOCKS = ("encoder1", "bottleneck", "decoder1")
MAPS = {block: np.linspace(0, 1, 12).reshape(3, 4) for block in BLOCKS}
WEIGHTS = {block: np.linspace(0.2, 0.8, 5) for block in BLOCKS}
HERE = dict.fromkeys(BLOCKS, 0.5)
GATES = {"cSE": typed({f"{block}/channel_gate": weights for block, weights in WEIGHTS.items()})}
COLOURS = {"cSE": "#0072b2"}
MATRIX = np.array([[1.0, 0.5], [0.5, 1.0]])
PAIR = {"names": ["cSE", "sSE"], "measure": "Dice", "span": agreement.SHARE}
PROFILE = Profile((WEIGHTS["encoder1"], np.ones(5)), (WEIGHTS["decoder1"], np.ones(5)), (3, 3))
EFFECTS = ablation.ChannelEffects(np.linspace(0, 1, 5), np.linspace(0.1, 0.2, 5), rho=1.0)
MEASURE = "changed pixels (share)"

FIGURES = {
    "block_bars": ablation.block_bars(HERE, measure=MEASURE),
    "channel_scatter": ablation.channel_scatter(EFFECTS, x_title="weight (0 to 1)", measure=MEASURE),
    "channel_scatters": ablation.channel_scatters(
        dict.fromkeys(BLOCKS, EFFECTS), x_title="weight (0 to 1)", measure=MEASURE, span=(0, 1)
    ),
    "knock_out_bars": ablation.knock_out_bars(
        WEIGHTS["encoder1"], title="weight (0 to 1)", left_out=(1,), by_value=True, span=(0, 1)
    ),
    "matrix": agreement.matrix(MATRIX, **PAIR),
    "matrices": agreement.matrices(dict.fromkeys(BLOCKS, MATRIX), **PAIR),
    "gate_means": agreement.gate_means(
        {"cSE": [0.1, 0.2, 0.3]}, blocks=BLOCKS, quantity="mean weight", colours=COLOURS, dashes={"cSE": 0}
    ),
    "verdict_table": belief.verdict_table({"a": {"b": True}}, {"a": {"b": "1"}}, columns=["b"]),
    "removal_curves": belief.removal_curves((0, 1), (np.ones(2), np.ones(2)), [(np.ones(2), np.ones(2))], {}),
    "maps_beside": belief.maps_beside(MAPS["encoder1"], MAPS, MAPS["encoder1"] > 0),
    "survival_curve": belief.survival_curve(["a"], {"map": np.ones(1)}, 0.1),
    "block_slices": by_slice.block_slices(
        {"sSE": np.ones((3, 4)), "cSE": np.ones((3, 4))}, BLOCKS, by_slice.SHARE, plane="axial", current=1
    ),
    "channel_bars": channels.channel_bars(GATES, block="encoder1", colours=COLOURS),
    "channel_overview": channels.channel_overview(GATES, blocks=BLOCKS, colours=COLOURS),
    "weight_bars": channels.weight_bars(WEIGHTS["encoder1"], by_weight=True, chosen=1),
    "channel_steps": channels.channel_steps(WEIGHTS["encoder1"], [1], title="squeeze", axis="mean (a.u.)"),
    "whole_against_crop": channels.whole_against_crop(*list(WEIGHTS.values())[:2], block="encoder1"),
    "error_by_block": errors.error_by_block(dict.fromkeys(BLOCKS, np.array([0.1, 0.2])), HERE),
    "error_histogram": errors.error_histogram(np.ones((2, BINS)), block="encoder1"),
    "entropy_table": errors.entropy_table(dict.fromkeys(BLOCKS, np.linspace(0, 1, 10)), np.linspace(0, 1, 10), HERE),
    "gate_histogram": gates.gate_histogram({"sSE": MAPS["encoder1"]}),
    "activation_histogram": gates.activation_histogram(MAPS["encoder1"], 1),
    "class_bars": gates.class_bars({"cortex": 0.4, "background": 0.6}, {"cortex": "#ff0000", "background": "#000000"}),
    "gates_at_pixel": gates.gates_at_pixel(HERE, MAPS, WEIGHTS, BLOCKS),
    "multiples_at_pixel": gates.multiples_at_pixel(HERE, MAPS, quantity="mean |activation|"),
    "factors_by_block": gates.factors_by_block({"cSE": HERE}, colours=COLOURS),
    "gate_table": structures.gate_table(np.ones((1, 3)), ["thalamus"], BLOCKS),
    "profile_bars": structures.profile_bars(PROFILE, structure="thalamus", block="encoder1"),
}


def test_every_figure_of_these_modules_is_here():
    modules = (ablation, agreement, belief, by_slice, channels, errors, gates, structures)
    drawing = {
        name
        for module in modules
        for name, function in vars(module).items()
        if getattr(function, "__module__", "") == module.__name__
        and getattr(function, "__annotations__", {}).get("return") is go.Figure
        and not name.startswith("_")
    }
    assert drawing == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("letter", ["x", "y"])
def test_axes_are_named(name, letter):
    """By a title of the axis, or by one that small multiples share, which lies beyond their origin."""
    layout = FIGURES[name].layout
    axes = [layout[key] for key in layout.to_plotly_json() if key.startswith(f"{letter}axis")]
    across = "y" if letter == "x" else "x"
    shared = [note.text for note in layout.annotations if note[across] <= 0 and note[f"{across}ref"] == "paper"]
    assert [axis.title.text for axis in axes if axis.title.text] + shared


@pytest.mark.parametrize("name", FIGURES)
def test_axes_from_zero_to_one_say_of_what(name):
    """A gate is "(0 to 1)", a mean activation "(a.u.)", a percentage "share" or "%"."""
    units = ("0 to 1", "a.u.", "0.5: chance", "share", "%")
    for key, axis in FIGURES[name].layout.to_plotly_json().items():
        if "axis" in key and tuple(axis.get("range", ())) == (0, 1) and "title" in axis:
            assert any(unit in axis["title"]["text"] for unit in units)
