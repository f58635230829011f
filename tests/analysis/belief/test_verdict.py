"""Verdicts and sentences of numbers made up for them."""

from dataclasses import replace

import numpy as np
import pytest

from scse_viz.analysis.belief import GateTests, judge, pooled

GOOD = GateTests(
    spread=0.2,
    survived=0.2, survived_by_chance=0.1,
    deleted=0.1, deleted_random=0.4, deleted_random_best=0.3, deleted_edges=0.5,
    inserted=0.8, inserted_random=0.4, inserted_random_best=0.5, inserted_edges=0.3,
    inside=0.5, border=0.1, leakage=0.4, inside_by_chance=0.1, inside_p=0.005,
    repeated=0.9, between=0.2,
)  # fmt: skip


def test_a_gate_that_passes_all_may_be_read_as_attention():
    verdict = judge(GOOD, structure="thalamus")
    assert verdict.believed
    assert {name: finding.passed for name, finding in verdict.findings.items()} == dict.fromkeys(verdict.findings, True)
    assert verdict.sentence == "passes every test: it may be read as attention to thalamus"


@pytest.mark.parametrize(
    ("change", "failed", "said"),
    [
        ({"survived": 0.6}, "randomisation", "filter of the picture"),
        ({"deleted": 0.35}, "deletion", "a by-product"),
        ({"deleted": 0.25, "deleted_edges": 0.2}, "deletion", "a by-product"),
        ({"inserted": 0.45}, "insertion", "a by-product"),
        ({"inside_p": 0.4}, "inside", "no higher on thalamus than elsewhere"),
        ({"inside_p": 0.99}, "inside", "lower on thalamus than elsewhere"),
        ({"repeated": 0.55}, "repeatability", "moved by two pixels"),
    ],
)
def test_one_failure_is_enough_and_the_sentence_says_what_follows(change, failed, said):
    verdict = judge(replace(GOOD, **change), structure="thalamus")
    assert not verdict.believed
    assert [name for name, finding in verdict.findings.items() if finding.passed is False] == [failed]
    assert said in verdict.sentence


def test_weights_take_the_tests_that_apply_to_them():
    weights = GateTests(spread=0.2, survived=0.1, survived_by_chance=0.1, repeated=0.99, between=0.3)
    verdict = judge(weights)
    assert verdict.believed
    assert verdict.findings["deletion"].passed is None
    assert verdict.sentence == "learned and repeatable weights to compare slices by"
    assert "nearly the same order on every slice" in judge(replace(weights, between=0.97)).sentence


def test_a_constant_gate_has_nothing_to_read_whatever_else_was_measured():
    verdict = judge(replace(GOOD, spread=0.001))
    assert not verdict.believed
    assert verdict.sentence.startswith("the same everywhere")
    assert "no test applies" in judge(GateTests(spread=0.1)).sentence


def test_scans_are_pooled_over_those_that_have_a_number():
    means = pooled([GateTests(inside=0.2, repeated=0.4), GateTests(inside=0.4)])
    assert (means.inside, means.repeated) == (pytest.approx(0.3), 0.4)
    assert np.isnan(means.deleted)
