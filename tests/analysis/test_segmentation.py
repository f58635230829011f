"""Dice and volumes, worked by hand."""

import numpy as np
import pytest

from scse_viz.analysis import dice, volumes_ml


def test_dice_is_twice_the_overlap_over_the_sum():
    predicted = np.array([[0, 0, 1, 1], [2, 2, 2, 0]])
    reference = np.array([[0, 1, 1, 1], [2, 0, 0, 3]])

    np.testing.assert_allclose(dice(predicted, reference, 5), [2 / 6, 4 / 5, 2 / 4, 0, np.nan])


def test_dice_of_different_grids_is_refused():
    with pytest.raises(ValueError, match=r"shape \(2,\) and \(3,\)"):
        dice(np.zeros(2, int), np.zeros(3, int), 2)


def test_dice_of_numbers_beyond_the_classes_is_refused():
    with pytest.raises(ValueError, match="labels up to 7; 3 classes end at 2"):
        dice(np.array([0, 1]), np.array([0, 7]), 3)


def test_a_thousand_cubic_millimetres_are_one_millilitre():
    labels = np.repeat(np.uint8([0, 2]), [1000, 500]).reshape(10, 10, 15)

    np.testing.assert_allclose(volumes_ml(labels, 1.5, 4), [1.5, 0, 0.75, 0])
