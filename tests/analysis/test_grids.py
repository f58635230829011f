"""How maps lie over slices: sizes, and shared lengths worked by hand."""

import numpy as np

from scse_viz.analysis.grids import map_mm, overlaps


def test_the_finest_map_is_on_the_grid_of_the_input_however_many_slices_there_are():
    gates = {"encoder1/spatial_gate": np.zeros((32, 16)), "bottleneck/spatial_gate": np.zeros((2, 1))}
    gates["bottleneck/channel_gate"] = np.zeros(128)  # has no grid
    assert map_mm(gates, "encoder1/spatial_gate", (1.0, 0.5)) == (1.0, 0.5)
    assert map_mm(gates, "bottleneck/spatial_gate", (1.0, 0.5)) == (16.0, 8.0)
    several = {name: np.stack([gate] * 3) for name, gate in gates.items()}
    assert map_mm(several, "bottleneck/spatial_gate", (1.0, 0.5)) == (16.0, 8.0)


def test_lengths_are_shared_in_part_and_none_by_touching():
    # pixels of 2 mm from 0, 2, 4 under cells of 3 mm from 0, 3
    np.testing.assert_array_equal(overlaps(2, 3.0, 3, 2.0), [[2, 1, 0], [0, 1, 2]])
    np.testing.assert_array_equal(overlaps(3, 0.1, 3, 0.1) > 0, np.eye(3))  # rounding makes no slivers
