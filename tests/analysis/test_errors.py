"""Gates and error, worked by hand."""

import numpy as np
import pytest

from scse_viz.analysis.errors import (
    BINS,
    NOT_JUDGED,
    RIGHT,
    WRONG,
    auc,
    by_entropy,
    by_error,
    counted_pixels,
    deciles,
    pooled_entropies,
    pooled_errors,
    verdicts,
)
from tests.named_gates import typed

SIZES = (1, 1)
GATE = typed(
    {
        "decoder1/spatial_gate": np.array([[0.1, 0.9], [0.6, 0.6]], dtype=np.float32),
        "decoder1/channel_gate": np.ones(3),
    }
)


def test_only_pixels_that_labels_or_prediction_give_to_a_structure_are_judged():
    predicted, reference = np.array([[0, 1, 1], [2, 2, 0]]), np.array([[0, 1, 0], [2, 1, 3]])
    assert verdicts(predicted, reference).tolist() == [[NOT_JUDGED, RIGHT, WRONG], [RIGHT, WRONG, WRONG]]


def test_means_are_of_wrong_and_of_right_pixels():
    errors = by_error(GATE, np.array([[RIGHT, WRONG], [WRONG, NOT_JUDGED]]), SIZES)
    assert errors.pixels.tolist() == [1, 2]
    assert errors.means("decoder1") == pytest.approx([0.1, 0.75])
    assert errors.histograms["decoder1"].sum(axis=1).tolist() == [1, 2]


def test_a_coarse_pixel_counts_for_both_kinds_by_what_lies_below_it():
    verdict = np.array([[RIGHT, RIGHT, WRONG, WRONG], [RIGHT, WRONG, WRONG, NOT_JUDGED]])
    gates = typed(
        {
            "encoder1/spatial_gate": np.zeros((2, 4), np.float32),
            "encoder2/spatial_gate": np.array([[0.2, 0.8]], np.float32),
        }
    )
    errors = by_error(gates, verdict, SIZES)
    assert errors.means("encoder2") == pytest.approx([0.2, (1 * 0.2 + 3 * 0.8) / 4])
    # Wrong 0.2 ties with every right one, wrong 0.8 is above them all.
    assert errors.auc("encoder2") == pytest.approx((1 * 0.5 + 3 * 1) / 4)


@pytest.mark.parametrize(
    ("right", "wrong", "chance"), [([0], [255], 1), ([255], [0], 0), ([7], [7], 0.5), ([0, 10, 20], [10, 30], 4.5 / 6)]
)
def test_auc_is_the_share_of_pairs_in_which_the_wrong_pixel_has_the_higher_gate(right, wrong, chance):
    histograms = np.stack([np.bincount(values, minlength=BINS) for values in (right, wrong)])
    assert auc(histograms) == pytest.approx(chance)


def test_auc_of_many_pixels_is_that_of_all_pairs():
    random = np.random.default_rng(0)
    right, wrong = random.integers(0, BINS, 200), random.integers(60, BINS, 100)
    pairs = np.sign(wrong[:, None] - right[None]) / 2 + 0.5
    assert auc(np.stack([np.bincount(values, minlength=BINS) for values in (right, wrong)])) == pytest.approx(
        pairs.mean()
    )


def test_without_an_error_there_is_nothing_to_tell_apart():
    errors = by_error(GATE, np.full((2, 2), RIGHT), SIZES)
    assert np.isnan(errors.auc("decoder1"))
    assert np.isnan(errors.means("decoder1")[WRONG])


def test_errors_of_slices_are_pooled_by_pixels():
    one = by_error(GATE, np.array([[RIGHT, WRONG], [WRONG, NOT_JUDGED]]), SIZES)
    two = by_error(GATE, np.array([[WRONG, NOT_JUDGED], [NOT_JUDGED, RIGHT]]), SIZES)
    both = pooled_errors([one, two])
    assert both.pixels.tolist() == [2, 3]
    assert both.means("decoder1") == pytest.approx([(0.1 + 0.6) / 2, (0.9 + 0.6 + 0.1) / 3])


def test_deciles_are_of_the_counted_pixels_alone():
    values, counted = np.arange(25.0).reshape(5, 5), np.zeros((5, 5), dtype=bool)
    counted[1:] = True  # twenty of them, two a decile
    tenths = deciles(values, counted)
    assert (tenths[0] == -1).all()
    assert np.bincount(tenths[1:].ravel()).tolist() == [2] * 10
    assert tenths[1, 0] == 0
    assert tenths[4, 4] == 9


def test_equal_values_share_a_decile():
    assert set(deciles(np.zeros((3, 4)), np.ones((3, 4), dtype=bool)).ravel()) == {4}
    assert (deciles(np.zeros((3, 4)), np.zeros((3, 4), dtype=bool)) == -1).all()


def test_gates_by_decile_follow_the_entropy():
    entropy = np.linspace(0, 1, 20).reshape(4, 5)
    gates = typed({"decoder1/spatial_gate": (1 - entropy).astype(np.float32)})
    entropies = by_entropy(gates, entropy, np.ones((4, 5), dtype=bool), SIZES)
    assert entropies.pixels.tolist() == [2] * 10
    assert entropies.means("decoder1") == pytest.approx(1 - entropies.mean_entropies)
    assert entropies.spearman["decoder1"] == pytest.approx(-1)


def test_the_rank_correlation_is_computed_at_the_maps_own_resolution():
    entropy = np.array([[0.0, 0.4, 0.5, 0.5, 0.9, 0.9]])  # means below the map: 0.2, 0.5, 0.9
    gates = typed(
        {
            "encoder1/spatial_gate": np.zeros((2, 6), np.float32),
            "encoder2/spatial_gate": np.array([[0.1, 0.3, 0.2]], np.float32),
        }
    )
    entropies = by_entropy(
        gates,
        entropy.repeat(2, 0),
        np.ones((2, 6), bool),
        SIZES,
    )
    assert entropies.spearman["encoder2"] == pytest.approx(0.5)
    assert np.isnan(entropies.spearman["encoder1"])  # a constant gate has no ranks


def test_pixels_of_a_map_that_are_counted_by_less_than_half_have_no_part_in_the_correlation():
    """Means of counted pixels below the map: 0.2 of both, 0.5 of one; the third and fourth hold a quarter and none."""
    entropy = np.array([[0.1, 0.3, 0.5, 0.9, 1.0, 0.0, 0.7, 0.7], [0.1, 0.3, 0.5, 0.9, 0.0, 0.0, 0.7, 0.7]])
    counted = np.array([[1, 1, 1, 0, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0, 0]], dtype=bool)
    gate = np.array([[0.1, 0.2, 0.0, 0.9]], np.float32)
    gates = typed({"encoder1/spatial_gate": np.zeros((2, 8), np.float32), "encoder2/spatial_gate": gate})
    assert by_entropy(gates, entropy, counted, SIZES).spearman["encoder2"] == pytest.approx(1)


def test_a_mean_of_entropy_is_over_the_counted_pixels_below_and_not_their_sum():
    entropy = np.array([[0.4, 0.4, 0.5, 0.0, 0.6, 0.6]] * 2)
    counted = np.array([[1, 1, 1, 0, 1, 1]] * 2, dtype=bool)
    gate = np.array([[0.1, 0.2, 0.3]], np.float32)
    gates = typed({"encoder1/spatial_gate": np.zeros((2, 6), np.float32), "encoder2/spatial_gate": gate})
    assert by_entropy(gates, entropy, counted, SIZES).spearman["encoder2"] == pytest.approx(1)


def test_a_gate_of_one_is_in_the_last_bin_and_one_of_zero_in_the_first():
    gates = typed({"decoder1/spatial_gate": np.array([[0.0, 1.0]], np.float32)})
    right, wrong = by_error(gates, np.array([[RIGHT, WRONG]]), SIZES).histograms["decoder1"]
    assert (right[0], wrong[BINS - 1]) == (1, 1)


def test_the_correlation_of_several_slices_is_the_mean_of_theirs():
    entropy = np.linspace(0, 1, 20).reshape(4, 5)
    every = np.ones((4, 5), dtype=bool)
    up, down, flat = (
        by_entropy(typed({"decoder1/spatial_gate": gate.astype(np.float32)}), entropy, every, SIZES)
        for gate in (entropy, 1 - entropy, 0 * entropy)
    )
    assert pooled_entropies([up, up, down, flat]).spearman["decoder1"] == pytest.approx(1 / 3)
    both = pooled_entropies([up, down])
    assert both.means("decoder1") == pytest.approx([0.5] * 10)
    assert both.pixels.tolist() == [4] * 10
    assert both.mean_entropies == pytest.approx(up.mean_entropies)


def test_background_that_is_sure_is_not_counted():
    labels, confidence = np.array([[0, 0, 5, 5]]), np.array([[0.999, 0.9, 0.999, 0.3]])
    assert counted_pixels(labels, confidence).tolist() == [[False, True, True, True]]
