"""What survives of a map, and how alike maps are within groups and between them."""

import numpy as np
import pytest

from scse_viz.analysis.belief.randomisation import survival, survival_by_chance
from scse_viz.analysis.belief.repeatability import likeness, within_and_between

NOISE = np.random.default_rng(0).random((3, 30, 30))


def test_a_map_survives_as_itself_and_as_its_negative():
    assert survival(NOISE[0], [NOISE[0] ** 3]) == pytest.approx(1), "ranks only"
    assert survival(NOISE[0], [1 - NOISE[0], NOISE[0]]) == pytest.approx(1)
    assert survival(NOISE[0], [NOISE[1], NOISE[2]]) < 0.1


def test_a_redrawn_map_that_is_constant_keeps_nothing_and_a_constant_one_has_nothing_to_keep():
    assert survival(NOISE[0], [np.ones((30, 30))]) == 0
    assert np.isnan(survival(np.ones((30, 30)), [NOISE[0]]))


def test_only_pixels_that_count_are_compared():
    half = np.zeros((30, 30), dtype=bool)
    half[:15] = True
    mixed = np.where(half, NOISE[0], NOISE[1])
    assert survival(NOISE[0], [mixed], half) == pytest.approx(1)
    assert survival(NOISE[0], [mixed], ~half) < 0.15


def test_chance_gives_more_to_a_smooth_map_than_to_noise():
    smooth = np.add.outer(np.arange(30.0), np.arange(30.0))
    assert survival_by_chance(NOISE[0]) < 0.1
    assert survival_by_chance(smooth) > 0.2
    assert survival_by_chance(np.arange(8.0)) > survival_by_chance(np.arange(512.0))


def test_likeness_of_weights_is_by_rank_and_a_constant_partner_is_unlike():
    assert likeness(np.array([1.0, 2, 3]), np.array([1.0, 10, 100])) == pytest.approx(1)
    assert likeness(NOISE[0], np.ones((30, 30))) == 0
    assert np.isnan(likeness(np.ones(3), np.ones(3)))


def test_pairs_within_a_group_stand_against_pairs_of_two():
    first, second = NOISE[0], NOISE[1]
    within, between = within_and_between([[first, first + 0.01 * NOISE[2]], [second, second]])
    assert within == pytest.approx(1, abs=1e-3)
    assert abs(between) < 0.1
    assert np.isnan(within_and_between([[first]])[0])
