"""Training history as curves: a logarithmic axis that still shows step 0, and a line at the chosen snapshot."""

import numpy as np
import pytest

from scse_viz.figures.history import LEFT_END, Curves, history_curves

CURVES = Curves(
    steps=np.array([0, 10, 1000]),
    dice=np.array([0.0, 0.4, 0.8]),
    validation_loss=np.array([4.0, 2.0, 1.0]),
    loss_steps=np.array([500.0, 1000.0]),
    losses=np.array([3.0, 1.5]),
)
COLOURS = {"none": "#111111", "sSE": "#222222", "scSE": "#333333"}


def drawn(curves, step=10):
    return history_curves(curves, step=step, colours=COLOURS, dice_of="thalamus")


def test_step_0_is_at_the_left_end_and_labelled():
    figure = drawn({"sSE": CURVES})
    assert figure.data[0].x.tolist() == [LEFT_END, 10, 1000]
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.ticktext == ("0", "1", "10", "100", "1,000")
    assert figure.layout.xaxis.range[0] < np.log10(LEFT_END)


def test_dice_is_left_and_losses_are_right_in_one_colour_a_network():
    dice, validation, training = drawn({"sSE": CURVES}).data
    assert dice.y.tolist() == [0, 0.4, 0.8]
    assert validation.y.tolist() == [4, 2, 1]
    assert (training.x.tolist(), training.y.tolist()) == ([500, 1000], [3, 1.5])
    assert {trace.line.color for trace in (dice, validation, training)} == {"#222222"}


def test_the_line_is_at_the_chosen_step_in_both_panels():
    lines = drawn({"sSE": CURVES}, step=0).layout.shapes
    assert [line.x0 for line in lines] == [LEFT_END, LEFT_END]
    assert {line.xref for line in lines} == {"x", "x2"}


def test_a_network_keeps_its_colour_and_dash_whichever_others_are_shown():
    alone, both = drawn({"scSE": CURVES}), drawn({"none": CURVES, "scSE": CURVES})
    assert alone.data[0].line == both.data[3].line
    assert both.data[0].line.dash != both.data[3].line.dash


def test_the_axes_say_what_they_are():
    layout = drawn({"sSE": CURVES}).layout
    assert layout.yaxis.title.text == "Dice, thalamus (0 to 1)"
    assert layout.yaxis.range == pytest.approx((0, 1))
    assert "loss" in layout.yaxis2.title.text
