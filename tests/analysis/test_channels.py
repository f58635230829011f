"""Channels in order, worked by hand."""

import numpy as np

from scse_viz.analysis.channels import ranked, spread_over, strongest_terms


def test_channels_are_ranked_from_the_most_excited_and_ties_by_number():
    assert ranked(np.array([0.2, 0.9, 0.2, 0.5])).tolist() == [1, 3, 0, 2]


def test_channels_are_spread_from_the_lowest_weight_to_the_highest():
    assert spread_over(np.array([0.9, 0.1, 0.5, 0.3, 0.7]), 3) == [1, 2, 0]
    assert spread_over(np.array([0.9, 0.1]), 4) == [1, 0]


def test_the_strongest_terms_vary_most_by_kernel_and_features_together():
    features = np.array([[[0.0, 2.0]], [[0.0, 10.0]], [[7.0, 7.0]], [[0.0, 1.0]]])
    assert strongest_terms(np.array([-3.0, 0.1, 9.0, 2.0]), features, 2) == [0, 3]  # spreads 3, 0.5, 0 and 1
