"""Effects worked by hand: pixels, probabilities, areas, ranks."""

from itertools import permutations

import numpy as np
import pytest

from scse_viz.analysis.ablation import (
    changed_share,
    differences,
    mean_label_dice,
    moved_probability,
    permutation_p,
    spearman,
)

BEFORE = np.array([[0, 0, 1, 1], [0, 2, 2, 2]], dtype=np.uint8)
AFTER = np.array([[0, 0, 1, 2], [1, 2, 2, 0]], dtype=np.uint8)


def test_the_share_of_changed_pixels_is_of_those_that_are_a_structure_in_either():
    assert changed_share(BEFORE, AFTER) == pytest.approx(3 / 6)
    assert changed_share(BEFORE, BEFORE) == 0
    assert changed_share(BEFORE, np.zeros_like(BEFORE)) == 1
    assert changed_share(np.zeros((2, 2)), np.zeros((2, 2))) == 0


def test_areas_before_and_after_are_in_square_centimetres_and_their_change_in_percent():
    change = differences(BEFORE, AFTER, 4, pixel_area=50.0)
    np.testing.assert_allclose(change.before, [1.5, 1, 1.5, 0])
    np.testing.assert_allclose(change.after, [1.5, 1, 1.5, 0])
    change = differences(BEFORE, np.where(BEFORE == 1, 3, BEFORE), 4, pixel_area=50.0)
    np.testing.assert_allclose(change.change, [0, -1, 0, 1])
    np.testing.assert_allclose(change.percent, [0, -100, 0, np.nan])
    np.testing.assert_allclose(change.dice, [1, 0, 1, 0])
    np.testing.assert_allclose(differences(BEFORE, AFTER, 4, 1.0).dice, [2 / 3, 0.5, 2 / 3, np.nan])


def test_probability_that_moved_is_weighted_by_what_is_no_background():
    before = np.array([[1.0, 0.4], [0.0, 0.6], [0.0, 0.0]])  # a pixel of air, and one that is 0.6 structure 1
    after = np.array([[1.0, 0.1], [0.0, 0.2], [0.0, 0.7]])
    assert moved_probability(before, after) == pytest.approx(0.7)  # half of 0.3 + 0.4 + 0.7
    assert moved_probability(before, before) == 0
    assert moved_probability(after[:, :1], after[:, :1]) == 0


def test_a_pixel_that_becomes_air_has_the_weight_of_what_it_was():
    before = np.array([[0.0, 0.5], [1.0, 0.5]])
    after = np.array([[1.0, 0.5], [0.0, 0.5]])
    assert moved_probability(before, after) == pytest.approx(1 * 1 / 1.5)


def test_dice_with_labels_is_the_mean_over_labels_that_occur():
    reference = np.array([[0, 5, 5, 5], [0, 7, 0, 0]])
    predicted = np.array([[0, 5, 0, 0], [0, 7, 0, 0]])
    assert mean_label_dice(predicted, reference, [5, 7, 9]) == pytest.approx((0.5 + 1) / 2)
    assert np.isnan(mean_label_dice(np.zeros((2, 2), int), np.zeros((2, 2), int), [5]))


def test_spearman_sees_order_and_shares_ranks():
    assert spearman(np.array([0.1, 0.2, 0.3, 0.9]), np.array([1, 4, 9, 100])) == pytest.approx(1)
    assert spearman(np.array([1, 2, 3]), np.array([3, 2, 1])) == pytest.approx(-1)
    x, y = np.array([1, 2, 2, 3]), np.array([1, 2, 3, 4])
    assert spearman(x, y) == pytest.approx(np.corrcoef([1, 2.5, 2.5, 4], [1, 2, 3, 4])[0, 1])
    assert np.isnan(spearman(np.array([1, 1, 1]), np.array([1, 2, 3])))
    assert np.isnan(spearman(np.array([1, 2]), np.array([1, 2])))


def test_chance_is_small_for_an_order_and_large_for_noise():
    x = np.arange(20.0)
    noise = np.random.default_rng(1).random(20)
    assert permutation_p(x, x**3) == pytest.approx(1 / 2001)
    assert permutation_p(x, -x) == pytest.approx(1 / 2001)
    assert 0.05 < permutation_p(x, noise) <= 1
    assert permutation_p(x, noise) == permutation_p(x, noise)
    assert np.isnan(permutation_p(x, np.ones(20)))


def test_chance_agrees_with_every_permutation_of_a_few():
    x, y = np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 2, 4, 3, 5])
    every = [abs(spearman(x, np.array(order))) for order in permutations(y)]
    exact = np.mean([rho >= spearman(x, y) - 1e-9 for rho in every])
    assert permutation_p(x, y) == pytest.approx(exact, abs=0.03)
