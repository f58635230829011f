"""What is kept of gates by structure, against numbers worked out by hand."""

import numpy as np
import pytest

from scse_viz.analysis.gates import BlockGates
from scse_viz.cohort.gates import WHOLE, GateSums
from scse_viz.inference import SliceResult

LEFT = np.repeat([[0] * 4 + [1] * 4], 8, axis=0).astype(np.uint8)  # (8, 8): two structures of 32 pixels
HALF = np.full((8, 8), 0.5, np.float32)
SWITCH = np.where(LEFT == 0, 1, 0.3).astype(np.float32)  # saturated in one structure, constant in both
SWITCH[::2, 4:] = 0.7


def rows(*maps, channels=None):
    sums = GateSums(["outside", "inside"], (1, 1))
    for gate in maps:
        gates = BlockGates(channel_gate=channels, spatial_gate=gate)
        sums.add(SliceResult(LEFT, HALF, HALF, {"encoder1": gates}, (1, 1)))
    return {(row["gate"], row["structure"]): row for row in sums.rows()}


def test_mean_spread_and_saturation_are_those_of_the_pixels_of_each_structure():
    measured = rows(SWITCH, SWITCH)
    outside, inside = measured["spatial_gate", "outside"], measured["spatial_gate", "inside"]
    assert (outside["mean"], outside["spread"], outside["saturation"]) == pytest.approx((1, 0, 1))
    assert (inside["mean"], inside["spread"], inside["saturation"]) == pytest.approx((0.5, 0.2, 0), abs=1e-6)
    assert measured["spatial_gate", WHOLE]["mean"] == pytest.approx(0.75)


def test_health_is_told_by_structure():
    measured = rows(SWITCH, SWITCH)
    assert measured["spatial_gate", "outside"]["health"] == "constant"
    assert measured["spatial_gate", "inside"]["health"] == "active"
    moved = rows(np.where(LEFT == 0, SWITCH, 1), np.where(LEFT == 0, SWITCH, 0).astype(np.float32))
    assert moved["spatial_gate", "inside"]["health"] == "saturated"


def test_a_channel_gate_has_its_mean_weights_and_no_row_for_a_structure():
    measured = rows(SWITCH, channels=np.array([0.2, 0.8], np.float32))
    assert measured["channel_gate", WHOLE]["weights"] == pytest.approx([0.2, 0.8])
    assert {structure for gate, structure in measured if gate == "channel_gate"} == {WHOLE}


def test_a_structure_of_few_pixels_has_no_row():
    sums = GateSums(["outside", "inside"], (1, 1))
    few = np.zeros((8, 8), np.uint8)
    few[0, :3] = 1
    sums.add(SliceResult(few, HALF, HALF, {"encoder1": BlockGates(spatial_gate=HALF)}, (1, 1)))
    assert [row["structure"] for row in sums.rows()] == [WHOLE, "outside"]
