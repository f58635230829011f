"""Figures of a cohort: a point a scan that tells which one it is."""

import numpy as np

from scse_viz.figures.cohorts import Points, against, by_group, weights_of_scans
from scse_viz.rendering.panels import GATE_RANGE

GROUPS = {
    "A": Points(["a.nii", "b.nii"], [0, 2], np.array([0.1, 0.3]), np.array([61.0, np.nan])),
    "B": Points(["c.nii"], [1], np.array([0.2]), np.array([70.0])),
}


def test_every_point_has_the_name_and_the_row_of_its_scan():
    for figure in (by_group(GROUPS, title="mean gate"), against(GROUPS, x_title="age", y_title="mean gate")):
        points = {
            (name, row, value)
            for trace in figure.data
            for name, row, value in zip(trace.text, trace.customdata, trace.y, strict=True)
        }
        assert points == {("a.nii", 0, 0.1), ("b.nii", 2, 0.3), ("c.nii", 1, 0.2)}


def test_a_group_has_one_colour_in_both_figures():
    boxes, points = by_group(GROUPS, title="mean gate"), against(GROUPS, x_title="age", y_title="mean gate")
    colours = [trace.marker.color for trace in boxes.data]
    assert colours == [trace.marker.color for trace in points.data]
    assert len(set(colours)) == len(GROUPS)


def test_weights_have_the_channels_and_scans_in_the_order_given_and_a_fixed_scale():
    weights = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    (drawn,) = weights_of_scans(weights, ["a", "b", "c"], [1, 0]).data
    np.testing.assert_array_equal(drawn.z, weights)
    assert list(drawn.x) == ["1", "0"]
    assert [row[0] for row in drawn.text] == ["a", "b", "c"]
    assert (drawn.zmin, drawn.zmax) == GATE_RANGE
