"""Figures show the numbers they were given, on scales that do not depend on them."""

import numpy as np
import pytest

from scse_viz.blocks import VARIANTS
from scse_viz.figures.channels import (
    PICKED,
    UNPICKED,
    channel_bars,
    channel_overview,
    channel_steps,
    weight_bars,
    whole_against_crop,
)
from scse_viz.rendering.colours import variant_colours
from tests.named_gates import typed

COLOURS = variant_colours(tuple(VARIANTS))
GATES = {
    "none": typed({"encoder1/activation": np.zeros((2, 2))}),
    "cse": typed({"encoder1/channel_gate": np.array([0.3, 0.1, 0.2]), "encoder2/channel_gate": np.array([0.4])}),
    "scse": typed({"encoder1/channel_gate": np.array([0.6, 0.9, 0.7]), "encoder2/channel_gate": np.array([0.5])}),
}


def test_bars_stand_at_the_weights_of_their_channels():
    cse, scse = channel_bars(GATES, block="encoder1", colours=COLOURS).data
    assert (cse.name, list(cse.y)) == ("cse", [0.3, 0.1, 0.2])
    assert (scse.name, list(scse.y)) == ("scse", [0.6, 0.9, 0.7])


def test_sorted_bars_rise_and_remember_their_channels():
    cse = channel_bars(GATES, block="encoder1", colours=COLOURS, by_weight=True).data[0]
    assert list(cse.y) == [0.1, 0.2, 0.3]
    assert list(cse.customdata) == [1, 2, 0]


def test_the_scale_of_weights_is_fixed_and_the_axes_say_what_they_show():
    layout = channel_bars(GATES, block="encoder1", colours=COLOURS).layout
    assert layout.yaxis.range == (0, 1)
    assert layout.yaxis.title.text == "weight (0 to 1)"
    assert layout.xaxis.title.text == "channel"
    assert "rank" in channel_bars(GATES, block="encoder1", colours=COLOURS, by_weight=True).layout.xaxis.title.text


def test_a_variant_without_channel_weights_has_no_bars():
    assert [bar.name for bar in channel_bars(GATES, block="encoder1", colours=COLOURS).data] == ["cse", "scse"]


def test_every_variant_has_a_colour_of_its_own():
    assert len(set(COLOURS.values())) == len(VARIANTS)


@pytest.mark.parametrize("count", [1, 2])
def test_the_overview_has_a_panel_for_each_block_on_one_scale(count):
    blocks = ["encoder1", "encoder2"][:count]
    figure = channel_overview(GATES, blocks=blocks, colours=COLOURS)
    assert len(figure.data) == 2 * count
    assert [list(line.y) for line in figure.data[:2]] == [[0.3, 0.1, 0.2], [0.6, 0.9, 0.7]]
    assert [line.showlegend for line in figure.data] == [True, True, False, False][: 2 * count]
    assert all(axis.range == (0, 1) for axis in figure.select_yaxes())
    assert [note.text for note in figure.layout.annotations][:count] == blocks


@pytest.mark.parametrize(("by_weight", "order"), [(True, [1, 2, 0]), (False, [0, 1, 2])])
def test_bars_remember_their_channel_in_whatever_order(by_weight, order):
    weights = np.array([0.1, 0.9, 0.4])
    bars = weight_bars(weights, by_weight=by_weight, chosen=2).data[0]
    assert list(bars.customdata) == order
    assert list(bars.y) == list(weights[order])
    assert len(set(bars.marker.color)) == 2
    assert bars.marker.color[order.index(2)] != bars.marker.color[order.index(0)]


def test_the_picked_channels_are_coloured_and_named_on_the_side_of_their_bar():
    bars, names = channel_steps(np.array([0.5, -0.2, 0.1]), [0, 1], title="w", axis="w").data
    assert list(bars.marker.color) == [PICKED, PICKED, UNPICKED]
    assert list(names.text) == ["0", "1"]
    assert list(names.textposition) == ["top center", "bottom center"]


def test_weights_of_slice_and_crop_meet_on_the_diagonal():
    diagonal, points = whole_against_crop(np.array([0.1, 0.9]), np.array([0.2, 0.9]), block="encoder1").data
    assert list(diagonal.x) == list(diagonal.y)
    assert (points.x.tolist(), points.y.tolist()) == ([0.1, 0.9], [0.2, 0.9])
