"""What blocks multiply by, worked by hand."""

import numpy as np
import pytest

from scse_viz.analysis.factors import mean_factors, spread_over, strongest_terms
from tests.named_gates import typed

CHANNEL, SPATIAL = np.array([0.2, 0.6]), np.array([[0.5, 0.7], [0.3, 0.5]])


@pytest.mark.parametrize(
    ("gates", "factor"),
    [
        ({"channel_gate": CHANNEL}, 0.4),
        ({"spatial_gate": SPATIAL}, 0.5),
        ({"channel_gate": CHANNEL, "spatial_gate": SPATIAL}, 0.9),
    ],
)
def test_the_factor_is_the_mean_of_a_gate_or_the_sum_of_both(gates, factor):
    named = {f"encoder1/{kind}": gate for kind, gate in gates.items()}
    assert mean_factors(typed(named)) == {"encoder1": pytest.approx(factor)}


def test_half_open_gates_leave_the_sum_as_it_was_and_halve_each_alone():
    half = {"a/channel_gate": np.full(4, 0.5), "b/spatial_gate": np.full((2, 2), 0.5)}
    both = {"c/channel_gate": np.full(4, 0.5), "c/spatial_gate": np.full((2, 2), 0.5)}
    assert mean_factors(typed({**half, **both})) == {"a": 0.5, "b": 0.5, "c": 1.0}


def test_a_network_without_gates_multiplies_by_nothing():
    assert mean_factors(typed({"encoder1/activation": SPATIAL})) == {}


def test_channels_are_spread_from_the_lowest_weight_to_the_highest():
    assert spread_over(np.array([0.9, 0.1, 0.5, 0.3, 0.7]), 3) == [1, 2, 0]
    assert spread_over(np.array([0.9, 0.1]), 4) == [1, 0]


def test_the_strongest_terms_vary_most_by_kernel_and_features_together():
    features = np.array([[[0.0, 2.0]], [[0.0, 10.0]], [[7.0, 7.0]], [[0.0, 1.0]]])
    assert strongest_terms(np.array([-3.0, 0.1, 9.0, 2.0]), features, 2) == [0, 3]  # spreads 3, 0.5, 0 and 1
