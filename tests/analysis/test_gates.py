"""Gates as numbers, by cases worked by hand."""

import math

import numpy as np
import pytest
import torch

from scse_viz.analysis.gates import (
    BlockGates,
    channel_share,
    least_sure,
    mean_factors,
    named_arrays,
    openness,
    recalibration,
    values_at,
)
from scse_viz.blocks import ConcurrentSE
from tests.named_gates import typed

CHANNEL, SPATIAL = np.array([0.2, 0.6]), np.array([[0.5, 0.7], [0.3, 0.5]])


def test_the_map_of_a_block_is_its_spatial_gate_or_the_activation_in_its_place():
    assert BlockGates(CHANNEL, SPATIAL, activation=2 * SPATIAL).map is SPATIAL
    assert BlockGates(activation=SPATIAL).map is SPATIAL
    assert BlockGates(CHANNEL).map is None


def test_a_map_is_named_for_what_it_is():
    full = np.stack([SPATIAL, SPATIAL])
    named = (BlockGates(CHANNEL, SPATIAL), BlockGates(full_gate=full), BlockGates(attention=SPATIAL))
    names = ["spatial gate", "full gate, mean over channels", "attention, in even shares", "mean activation", ""]
    assert [gates.map_name for gates in (*named, BlockGates(activation=SPATIAL), BlockGates(CHANNEL))] == names


def test_gates_are_named_in_files_by_block_and_kind():
    gates = {"encoder1": BlockGates(CHANNEL, SPATIAL), "bottleneck": BlockGates(activation=SPATIAL)}
    arrays = named_arrays(gates)
    assert list(arrays) == ["encoder1/channel_gate", "encoder1/spatial_gate", "bottleneck/activation"]
    assert arrays["encoder1/channel_gate"] is CHANNEL
    assert [gates[block].kinds for block in gates] == [("channel_gate", "spatial_gate"), ()]


def test_openness_counts_each_end_and_the_half():
    measured = openness(np.array([[0.0, 0.05, 0.4, 0.5], [0.6, 0.94, 0.95, 1.0]]))
    assert measured.mean == pytest.approx(4.44 / 8)
    assert measured.above_half == pytest.approx(4 / 8)  # 0.5 itself is not above
    assert (measured.closed, measured.open) == (2 / 8, 2 / 8)
    assert measured.saturated == 4 / 8


def test_a_gate_that_never_saturates_has_none():
    measured = openness(np.full((3, 3), 0.3, dtype=np.float32))
    assert (measured.closed, measured.open, measured.above_half) == (0, 0, 0)


def test_recalibration_is_of_magnitudes_and_not_of_sums_that_cancel():
    before = np.array([[[1.0, -1.0]], [[2.0, -4.0]]])
    magnitudes = recalibration(before, before / 4)
    assert (magnitudes.before, magnitudes.after, magnitudes.ratio) == (2.0, 0.5, 0.25)


def test_nothing_in_gives_no_ratio():
    assert math.isnan(recalibration(np.zeros((1, 2, 2)), np.zeros((1, 2, 2))).ratio)


def test_the_halves_of_scse_by_hand():
    u = np.array([[[1.0, -2.0]], [[3.0, 0.0]]])  # two channels of one row
    c, s = np.array([0.5, 1.0]), np.array([[0.25, 1.0]])
    # |u c|: 0.5, 1, 3, 0 -> 4.5; |u s|: 0.25, 2, 0.75, 0 -> 3
    assert channel_share(u, c, s) == pytest.approx(4.5 / 7.5)
    assert channel_share(u, np.ones(2), np.zeros((1, 2))) == 1
    assert math.isnan(channel_share(np.zeros((2, 1, 2)), c, s))


def test_the_halves_are_those_that_the_block_adds():
    torch.manual_seed(0)
    block, u = ConcurrentSE(6), torch.rand(1, 6, 5, 4)
    with torch.no_grad():
        c, s = block.channel_gate(u), block.spatial_gate(u)
        by_channel, total = (u * c).mean(), block(u).mean()  # u is positive: magnitudes add up
    share = channel_share(u[0].numpy(), c.flatten().numpy(), s[0, 0].numpy())
    assert share == pytest.approx(float(by_channel / total), rel=1e-5)


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


def test_a_place_is_read_from_the_pixel_of_each_map_that_covers_it():
    fine, coarse = np.arange(16.0).reshape(4, 4), np.arange(4.0).reshape(2, 2)
    sizes = {"fine": (1.0, 2.0), "coarse": (2.0, 4.0)}
    assert values_at({"fine": fine, "coarse": coarse}, sizes, (1.99, 4.0)) == {"fine": 6.0, "coarse": 1.0}
    assert values_at({"coarse": coarse}, sizes, (2.0, 3.99)) == {"coarse": 2.0}


def test_the_least_sure_pixel_is_named_by_row_and_column():
    assert least_sure(np.array([[0.9, 0.8, 0.7], [0.9, 0.5, 0.5]])) == (1, 1)


def test_a_place_beyond_a_map_is_refused():
    for point in ((2.0, 0.0), (0.0, 2.0), (-0.1, 0.0), (0.0, -0.1)):
        with pytest.raises(IndexError, match=r"map: no pixel at \(.*\) mm of its \(2, 2\)"):
            values_at({"map": np.zeros((2, 2))}, {"map": (1.0, 1.0)}, point)
