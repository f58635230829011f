"""Health of gates that are made to be dead, constant, fixed, saturated and alive."""

import numpy as np
import pytest

from scse_viz.analysis.health import AblationEffect, Verdict, diagnose, observe

RANDOM = np.random.default_rng(0)


def maps(*gates: np.ndarray) -> dict:
    """One scan with these slices."""
    return {"scan": [observe(gate) for gate in gates]}


def test_an_observation_worked_by_hand() -> None:
    seen = observe(np.array([[0.0, 0.5], [1.0, 0.5]]))
    assert seen.mean == 0.5
    assert seen.spread == pytest.approx(np.sqrt(0.125))
    assert seen.saturation == 0.5
    assert seen.entropy == pytest.approx(0.5, abs=1e-9)  # 0, 1, 0 and 1 bit
    assert seen.weights is None


def test_a_gate_that_was_never_observed_never_ran() -> None:
    assert diagnose({}).verdict == diagnose({"scan": []}).verdict == Verdict.NEVER_RAN


def test_a_gate_without_effect_is_named_before_all_else() -> None:
    gate = maps(RANDOM.random((4, 4)), RANDOM.random((4, 4)))
    assert diagnose(gate, AblationEffect(changed=0.0)).verdict == Verdict.NO_EFFECT
    assert diagnose(gate, AblationEffect(changed=0.1)).verdict == Verdict.ACTIVE


def test_the_same_value_everywhere_is_a_scale() -> None:
    diagnosis = diagnose(maps(np.full((3, 3), 0.99), np.full((3, 3), 0.99)))
    assert diagnosis.verdict == Verdict.CONSTANT
    assert diagnosis.sentence == "the same 0.99 at every pixel of every slice: a scale, not attention"


def test_a_flat_map_whose_value_differs_from_slice_to_slice_is_not_constant() -> None:
    assert diagnose(maps(np.full((3, 3), 0.2), np.full((3, 3), 0.8))).verdict == Verdict.ACTIVE


def test_weights_that_differ_by_channel_and_never_by_slice_are_fixed() -> None:
    weights = np.array([0.1, 0.5, 0.9])
    assert diagnose(maps(weights, weights)).verdict == Verdict.FIXED
    assert diagnose(maps(weights, weights[::-1])).verdict == Verdict.ACTIVE


def test_a_map_of_zeros_and_ones_is_a_switch() -> None:
    diagnosis = diagnose(maps(np.eye(4), np.eye(4)))
    assert diagnosis.verdict == Verdict.SATURATED
    assert diagnosis.saturation == 1


def test_spreads_are_over_what_their_names_say() -> None:
    first = [observe(np.array([0.2, 0.4])), observe(np.array([0.4, 0.4]))]
    second = [observe(np.array([0.6, 0.6]))]
    diagnosis = diagnose({"a": first, "b": second})
    assert diagnosis.slices == 3
    assert diagnosis.mean == pytest.approx((0.3 + 0.4 + 0.6) / 3)
    assert diagnosis.spread_within == pytest.approx((0.1 + 0 + 0) / 3)
    assert diagnosis.spread_slices == pytest.approx(((0.1 + 0) / 2 + 0) / 2)  # channel by channel, then scan by scan
    assert diagnosis.spread_scans == pytest.approx((0.6 - 0.35) / 2)


def test_shut_channels_are_counted_by_their_mean() -> None:
    diagnosis = diagnose(maps(np.array([0.0, 0.2, 0.9, 1.0]), np.array([0.08, 0.0, 0.9, 1.0])))
    assert diagnosis.shut == 0.25
    assert diagnose(maps(np.eye(2))).shut is None


def test_one_scan_has_no_spread_over_scans() -> None:
    assert np.isnan(diagnose(maps(np.eye(2))).spread_scans)


def test_a_map_and_a_channel_gate_do_not_mix() -> None:
    with pytest.raises(ValueError, match="one gate at a time"):
        diagnose(maps(np.eye(2), np.ones(2)))
