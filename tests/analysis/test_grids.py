"""How maps lie over slices: sizes, and shared lengths worked by hand."""

import numpy as np

from scse_viz.analysis.grids import overlaps


def test_lengths_are_shared_in_part_and_none_by_touching():
    # pixels of 2 mm from 0, 2, 4 under cells of 3 mm from 0, 3
    np.testing.assert_array_equal(overlaps(2, 3.0, 3, 2.0), [[2, 1, 0], [0, 1, 2]])
    np.testing.assert_array_equal(overlaps(3, 0.1, 3, 0.1) > 0, np.eye(3))  # rounding makes no slivers
