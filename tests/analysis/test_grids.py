"""How maps lie over slices: spans, shared lengths and areas, worked by hand."""

import numpy as np

from scse_viz.analysis.gates import BlockGates
from scse_viz.analysis.grids import areas, map_span, overlaps, sums_below

LABELS = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [2, 2, 0, 0], [2, 2, 0, 0]])


def test_lengths_are_shared_in_part_and_none_by_touching():
    # pixels of 2 mm from 0, 2, 4 under cells of 3 mm from 0, 3
    np.testing.assert_array_equal(overlaps(2, 3.0, 3, 2.0), [[2, 1, 0], [0, 1, 2]])
    np.testing.assert_array_equal(overlaps(3, 0.1, 3, 0.1) > 0, np.eye(3))  # rounding makes no slivers


def test_a_pixel_of_a_map_spans_pixels_of_the_slice_by_their_sizes_in_mm():
    assert map_span(BlockGates(map_mm=(2.0, 8.0)), (0.5, 4.0)) == (4.0, 2.0)


def test_a_coarse_map_holds_what_of_each_structure_lies_below_its_pixels():
    covered = areas(LABELS, 3, (2, 2), (2, 2))
    assert covered.tolist() == [[[3, 0], [0, 4]], [[1, 4], [0, 0]], [[0, 0], [4, 0]]]


def test_pixels_that_a_map_cuts_count_in_parts():
    # Two pixels of the map over three of the slice: each spans one and a half.
    row = np.array([[1.0, 10.0, 100.0]])
    assert sums_below(row, (1, 2), (1, 1.5)).tolist() == [[1 + 5, 5 + 100]]
    assert sums_below(row.T, (2, 1), (1.5, 1)).tolist() == [[1 + 5], [5 + 100]]


def test_what_of_a_map_lies_beyond_the_slice_holds_nothing():
    covered = areas(LABELS, 3, (3, 3), (2, 2))
    assert covered[:, 2].sum() == covered[:, :, 2].sum() == 0
    assert covered.sum() == LABELS.size
