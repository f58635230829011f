"""Gates by structure, worked by hand on slices of a few pixels."""

import numpy as np
import pytest

from scse_viz.analysis.structures import by_structure, mean_gates, profile, slice_means
from tests.named_gates import typed

LABELS = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [2, 2, 0, 0], [2, 2, 0, 0]])
COARSE = np.array([[0.2, 0.8], [0.5, 0.1]], dtype=np.float32)  # a pixel of it spans 2 x 2 of the slice
FINE = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
GATES = {"encoder1/spatial_gate": FINE, "encoder2/channel_gate": np.array([0.1, 0.9]), "encoder2/spatial_gate": COARSE}


def of_slice(labels=LABELS, gates=GATES):
    return by_structure(typed(gates), labels, 3, (1, 1))


def test_the_mean_inside_a_structure_is_weighted_by_its_area():
    means = mean_gates([of_slice()], ["encoder2"], least=1)
    assert means[:, 0] == pytest.approx([(3 * 0.2 + 4 * 0.1) / 7, (1 * 0.2 + 4 * 0.8) / 5, 0.5])


def test_on_a_map_of_the_slices_own_grid_the_mean_is_that_of_its_pixels():
    means = mean_gates([of_slice()], ["encoder1"], least=1)
    assert means[:, 0] == pytest.approx([FINE[number == LABELS].mean() for number in range(3)])


def test_pooling_a_coarse_map_is_reading_it_below_every_pixel_of_the_slice():
    below = COARSE.repeat(2, axis=0).repeat(2, axis=1)
    means = mean_gates([of_slice()], ["encoder2"], least=1)
    assert means[:, 0] == pytest.approx([below[number == LABELS].mean() for number in range(3)])


def test_slices_are_pooled_by_pixels_and_not_slice_by_slice():
    other = of_slice(np.full((4, 4), 2), {**GATES, "encoder2/spatial_gate": np.ones((2, 2), dtype=np.float32)})
    means = mean_gates([of_slice(), other], ["encoder2"], least=1)
    assert means[2, 0] == pytest.approx((4 * 0.5 + 16 * 1) / 20)
    assert slice_means([of_slice(), other], ["encoder2"])[0] == pytest.approx((4 * COARSE.sum() + 16) / 32)


def test_a_structure_of_too_few_pixels_and_a_block_without_a_map_stay_blank():
    means = mean_gates([of_slice()], ["encoder1", "decoder1"], least=5)
    assert np.isnan(means).tolist() == [[False, True], [False, True], [True, True]]
    assert np.isnan(slice_means([of_slice()], ["decoder1"])).all()


def test_a_structure_that_never_occurs_is_blank_even_when_one_pixel_would_do():
    assert np.isnan(mean_gates([of_slice(np.zeros((4, 4), dtype=int))], ["encoder1"], least=0)[1:]).all()


def weighted(pixels, weights):
    labels = np.zeros((4, 4), dtype=int)
    labels.ravel()[:pixels] = 1
    return of_slice(labels, {**GATES, "encoder2/channel_gate": np.array(weights)})


def test_a_profile_sets_slices_with_a_structure_against_those_without():
    slices = [weighted(5, [0.2, 0.5]), weighted(6, [0.4, 0.5]), weighted(0, [0.9, 0.1]), weighted(0, [0.7, 0.3])]
    shown = profile(slices, "encoder2", 1, least=5)
    assert shown.slices == (2, 2)
    assert shown.present[0] == pytest.approx([0.3, 0.5])
    assert shown.present[1] == pytest.approx([np.sqrt(0.02), 0])
    assert shown.difference == pytest.approx([-0.5, 0.3])
    assert shown.standard_error == pytest.approx([np.sqrt(0.02 / 2 + 0.02 / 2), np.sqrt(0.02 / 2)])


def test_a_slice_with_a_trace_of_a_structure_is_of_neither_kind():
    shown = profile([weighted(5, [0.2, 0.5]), weighted(2, [0, 0]), weighted(0, [0.9, 0.1])], "encoder2", 1, least=5)
    assert shown.slices == (1, 1)
    assert np.isnan(shown.standard_error).all()


def test_there_is_no_profile_where_every_slice_is_of_one_kind():
    assert profile([weighted(5, [0.2, 0.5])], "encoder2", 1, least=5) is None
    assert profile([weighted(0, [0.2, 0.5])], "encoder2", 1, least=5) is None
