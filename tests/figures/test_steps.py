"""The small figures of the lessons."""

import numpy as np

from scse_viz.figures.steps import OTHERS, PICKED, channel_steps, factors_by_block, whole_against_crop


def test_the_picked_channels_are_coloured_and_named_on_the_side_of_their_bar():
    bars, names = channel_steps(np.array([0.5, -0.2, 0.1]), [0, 1], title="w", axis="w").data
    assert list(bars.marker.color) == [PICKED, PICKED, OTHERS]
    assert list(names.text) == ["0", "1"]
    assert list(names.textposition) == ["top center", "bottom center"]


def test_factors_are_drawn_from_nought_to_two_with_a_line_at_one():
    figure = factors_by_block(
        {"cSE": {"encoder1": 0.5}, "scSE": {"encoder1": 1.9}}, colours={"cSE": "#111", "scSE": "#222"}
    )
    assert [list(trace.y) for trace in figure.data] == [[0.5], [1.9]]
    assert figure.layout.yaxis.range == (0, 2)
    assert figure.layout.shapes[0].y0 == 1


def test_weights_of_slice_and_crop_meet_on_the_diagonal():
    diagonal, points = whole_against_crop(np.array([0.1, 0.9]), np.array([0.2, 0.9]), block="encoder1").data
    assert list(diagonal.x) == list(diagonal.y)
    assert (points.x.tolist(), points.y.tolist()) == ([0.1, 0.9], [0.2, 0.9])
