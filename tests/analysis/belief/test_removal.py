"""Orders, removal and areas on four pixels, by hand."""

import numpy as np
import pytest

from scse_viz.analysis.belief.removal import SHARES, area, gradient_magnitude, ranked, removed, without

EVERY = np.ones((2, 2), dtype=bool)


def test_pixels_come_in_falling_order_and_those_that_do_not_count_never():
    values = np.array([[0.4, 0.9], [0.1, 0.7]])
    assert ranked(values, EVERY).tolist() == [[2, 0], [3, 1]]
    head = np.array([[True, False], [True, True]])
    assert ranked(values, head).tolist() == [[1, -1], [2, 0]]


def test_equal_values_come_in_an_order_of_chance_that_is_repeated():
    flat = np.zeros((4, 4))
    first, again, other = (ranked(flat, np.ones((4, 4), dtype=bool), seed=seed) for seed in (0, 0, 1))
    assert sorted(first.ravel()) == list(range(16))
    assert (first == again).all()
    assert (first != other).any()


def test_removal_takes_the_first_pixels_from_the_substitute():
    places = ranked(np.array([[4.0, 3.0], [2.0, 1.0]]), EVERY)
    assert [int(removed(places, share).sum()) for share in SHARES] == [0, 0, 1, 1, 2, 3, 4]
    image, substitute = np.full((1, 2, 2), 7.0), np.zeros((1, 2, 2))
    assert without(image, substitute, removed(places, 0.5)).tolist() == [[[0, 0], [7, 7]]]


def test_the_area_is_that_of_trapezoids():
    assert area([1.0] * len(SHARES)) == pytest.approx(1)
    assert area([1.0, 0.0], shares=(0.0, 1.0)) == 0.5
    assert area([1.0, 0.0, 0.0], shares=(0.0, 0.2, 1.0)) == pytest.approx(0.1)


def test_the_gradient_is_where_the_picture_changes():
    image = np.zeros((5, 6))
    image[:, 3:] = 1
    assert gradient_magnitude(image).tolist() == [[0, 0, 0.5, 0.5, 0, 0]] * 5
