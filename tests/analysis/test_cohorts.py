"""Effect size, correlation, outliers and order against scipy and numbers worked out by hand."""

import numpy as np
import pytest
from scipy import stats
from scipy.cluster.hierarchy import linkage

from scse_viz.analysis.cohorts import clustered, correlation, hedges_g, robust_z


def test_hedges_g_by_hand():
    effect = hedges_g(np.array([4.0, 6, 8]), np.array([1.0, 3, 5]))
    assert effect.value == pytest.approx(1.5 * (1 - 3 / 15))  # means 6 and 3, both with standard deviation 2
    half = 1.959964 * np.sqrt(6 / 9 + effect.value**2 / 12)
    assert (effect.low, effect.high) == pytest.approx((effect.value - half, effect.value + half))
    assert np.isnan(hedges_g(np.array([1.0]), np.array([1.0, 2])).value)
    assert np.isnan(hedges_g(np.ones(3), np.ones(3)).value)


def test_the_correlation_and_its_interval_are_scipys():
    x, y = np.random.default_rng(0).random((2, 20))
    y += x
    ours, wanted = correlation(np.append(x, np.nan), np.append(y, 1)), stats.pearsonr(x, y)
    assert ours.value == pytest.approx(wanted.statistic)
    assert (ours.low, ours.high) == pytest.approx(tuple(wanted.confidence_interval()), rel=1e-5)
    assert np.isnan(correlation(x[:3], y[:3]).value)


def test_an_outlier_is_far_from_the_median_whatever_its_size():
    assert robust_z(np.array([1.0, 2, 3, 4, 1e9]))[:4] == pytest.approx(np.array([-2, -1, 0, 1]) / 1.4826)
    assert robust_z(np.array([1.0, 1, 1, 9])).tolist() == [0, 0, 0, 0]


def test_similar_rows_stand_together_as_scipys_average_linkage_joins_them():
    rows = np.random.default_rng(1).random((12, 5))
    place = np.argsort(clustered(rows))
    groups = {number: {number} for number in range(12)}
    for number, (first, second, _, _) in enumerate(linkage(rows, "average"), 12):
        groups[number] = groups[int(first)] | groups[int(second)]
        places = sorted(place[list(groups[number])])
        assert places == list(range(places[0], places[0] + len(places)))
    assert clustered(rows[:1]).tolist() == [0]
