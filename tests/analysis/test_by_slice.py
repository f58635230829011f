"""Numbers of a whole plane, by hand."""

import numpy as np

from scse_viz.analysis.by_slice import by_block, from_mean, label_agreement, of_largest

NAN = np.nan


def test_agreement_is_over_the_slices_that_are_done():
    predicted = np.array([[[1, 1], [0, 2]], [[2, 2], [2, 2]], [[1, 0], [0, 0]]])
    reference = np.array([[[1, 0], [0, 2]], [[0, 0], [0, 0]], [[0, 0], [0, 0]]])
    measured = label_agreement(predicted, reference, np.array([True, False, True]), voxel_mm3=500.0, classes=4)
    np.testing.assert_allclose(measured.predicted_ml[1:], [1.5, 0.5, 0])
    np.testing.assert_allclose(measured.reference_ml[1:], [0.5, 0.5, 0])
    np.testing.assert_allclose(measured.dice[1:], [2 * 1 / 4, 1, NAN])


def test_numbers_of_gates_become_a_table_of_blocks_by_slices():
    numbers = {("b", "spatial_gate"): np.array([0.5, NAN]), ("a", "channel_gate"): np.array([0.1, 0.2])}
    np.testing.assert_array_equal(by_block(numbers, ("a", "b"), "spatial_gate", 2), [[NAN, NAN], [0.5, NAN]])


def test_deviations_are_from_the_mean_of_the_row_over_what_there_is():
    np.testing.assert_allclose(from_mean(np.array([[1.0, 3, NAN], [NAN] * 3])), [[-1, 1, NAN], [NAN] * 3])


def test_shares_are_of_the_largest_of_the_row():
    shares = of_largest(np.array([[1.0, 4, NAN], [0, 0, 0], [NAN] * 3]))
    np.testing.assert_allclose(shares, [[0.25, 1, NAN], [0, 0, 0], [NAN] * 3])
