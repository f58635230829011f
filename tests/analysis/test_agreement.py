"""Agreement between networks, worked by hand and against scipy."""

import numpy as np
import pytest
from scipy import stats

from scse_viz.analysis.agreement import (
    contested_share,
    correlations,
    disagreement,
    mean_dice,
    mean_of,
    outvoted,
    pairwise_dice,
    quartile_overlaps,
    rank_correlations,
    ranks,
)

NAN = np.nan


def answers(*networks: list[int]) -> np.ndarray:
    """What each network says about the pixels of one row."""
    return np.array(networks, dtype=np.uint8)[:, None, :]


def test_dice_between_each_pair_by_structure():
    one, other, empty = answers([0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0])

    scores = pairwise_dice([one, other, empty], 3)

    np.testing.assert_allclose(scores[..., 1], [[1, 0.8, 0], [0.8, 1, 0], [0, 0, NAN]])
    assert np.isnan(scores[..., 2]).all()


def test_the_mean_leaves_out_background_and_what_is_in_neither():
    scores = np.array([0.99, 0.5, NAN, 0.7])

    assert mean_dice(scores) == pytest.approx(0.6)
    assert np.isnan(mean_dice(np.array([0.99, NAN])))


#                           all agree, one of four differs, two against two, all four differ, two and one and one
FOUR = answers([1, 1, 1, 0, 5], [1, 1, 1, 1, 5], [1, 1, 2, 2, 6], [1, 0, 2, 3, 7])


def test_networks_that_do_not_give_the_most_common_answer_are_counted():
    assert disagreement(FOUR).tolist() == [[0, 1, 2, 3, 2]]


def test_who_is_outvoted_is_marked_and_in_a_tie_all_are():
    marked = outvoted(FOUR)[:, 0, :].T

    assert marked.tolist() == [
        [False] * 4,
        [False, False, False, True],
        [True] * 4,
        [True] * 4,
        [False, False, True, True],
    ]


def test_two_networks_that_differ_are_both_marked_and_one_alone_never_is():
    assert outvoted(answers([1, 2], [1, 3])).tolist() == [[[False, True]], [[False, True]]]
    assert not outvoted(answers([0, 1, 2])).any()
    assert disagreement(answers([0, 1, 2])).tolist() == [[0, 0, 0]]


def test_the_contested_share_is_of_what_any_network_segments():
    assert contested_share(answers([0, 1, 1, 2, 0, 0], [0, 1, 2, 0, 0, 0])) == pytest.approx(2 / 3)
    assert contested_share(answers([0, 0], [0, 0])) == 0


def test_correlation_is_that_of_pearson():
    rng = np.random.default_rng(0)
    maps = [rng.random((6, 5), dtype=np.float32) for _ in range(3)]

    matrix = correlations([*maps, -maps[0]])

    assert matrix[0, 1] == pytest.approx(stats.pearsonr(maps[0].ravel(), maps[1].ravel()).statistic, abs=1e-6)
    assert matrix[2, 1] == pytest.approx(stats.pearsonr(maps[1].ravel(), maps[2].ravel()).statistic, abs=1e-6)
    np.testing.assert_allclose(matrix[0, [0, 3]], [1, -1])
    np.testing.assert_array_equal(matrix, matrix.T)


def test_maps_that_are_constant_or_of_other_sizes_have_no_correlation():
    slope = np.arange(6.0).reshape(2, 3)

    matrix = correlations([slope, np.full((2, 3), 0.3, np.float32), slope.T])

    assert np.isnan(matrix[0, 1:]).all()
    assert np.isnan(matrix[1]).all()
    assert matrix[2, 2] == pytest.approx(1)


def test_overlap_is_that_of_the_pixels_above_each_quartile():
    rising = np.arange(8.0).reshape(2, 4)  # above 5.25: pixels 6 and 7
    other = np.array([[0.0, 1, 2, 3], [4, 9, 8, 5]])  # above 5.75: pixels 5 and 6

    shares = quartile_overlaps([rising, other, 7 - rising])

    np.testing.assert_allclose(shares, [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]])


def test_a_constant_map_has_no_upper_quarter():
    assert np.isnan(quartile_overlaps([np.ones((2, 2)), np.arange(4.0).reshape(2, 2)])[0]).all()


def test_maps_of_chance_overlap_by_a_seventh():
    rng = np.random.default_rng(1)

    assert quartile_overlaps([*rng.random((2, 400, 400))])[0, 1] == pytest.approx(1 / 7, abs=0.01)


def test_rank_correlation_is_that_of_spearman_with_ties():
    one, other = np.array([0.1, 0.4, 0.4, 0.9, 0.2]), np.array([0.5, 0.5, 0.7, 0.8, 0.1])

    matrix = rank_correlations([one, other, one**3])

    assert matrix[0, 1] == pytest.approx(stats.spearmanr(one, other).statistic)
    assert matrix[0, 2] == pytest.approx(1)


def test_ranks_are_those_of_scipy_with_ties():
    values = np.random.default_rng(0).integers(0, 8, 30)
    assert ranks(values).tolist() == stats.rankdata(values).tolist()


def test_rankings_of_other_lengths_and_without_order_are_not_compared():
    matrix = rank_correlations([np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.2]), np.full(3, 0.5)])

    assert np.isnan(matrix[0, 1:]).all()


def test_the_mean_of_matrices_skips_what_is_not_defined():
    mean = mean_of([np.array([[1.0, NAN], [0.2, NAN]]), np.array([[0.5, 0.3], [0.4, NAN]])])

    np.testing.assert_allclose(mean, [[0.75, 0.3], [0.3, NAN]])
