"""Gate health of tiny networks whose gates are made to be constant, dead or alive."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from scse_viz.analysis.ablation import changed_share
from scse_viz.analysis.health import Verdict
from scse_viz.analysis.segmentation import dice
from scse_viz.attention import record
from scse_viz.inference import segment_slice
from scse_viz.inference.health import (
    SWITCHED_OFF,
    Examined,
    diagnoses,
    evenly_spaced,
    examine,
    examine_slice,
    gates_of,
)
from scse_viz.inference.inputs import slice_input
from scse_viz.scans import Scan, read_scan
from tests.cards import TINY
from tests.scan_files import npy

CARD = replace(TINY, variant="scse")


@pytest.fixture(scope="module")
def scan() -> Scan:
    return read_scan(npy(np.random.default_rng(0).random((20, 24, 9)) * 100), name="noise.npy")


@pytest.fixture
def model(scan):
    """A network that predicts each class at half of the pixels of a slice, so that its gates matter."""
    made = CARD.network(seed=0).eval().requires_grad_(False)
    logits = record(made, slice_input(scan.slice("axial", 4), CARD)).output
    made.classifier.bias[1] -= (logits[:, 1] - logits[:, 0]).median()
    return made


def health(model, scan, labels=None):
    exams = [(name, exam) for name, _, exam in examine([Examined(scan, labels)], model, CARD, "axial", slices=3)]
    return diagnoses(exams, gates_of(model))


def test_every_gate_has_a_diagnosis_the_worst_first(model, scan):
    by_gate = health(model, scan)
    assert len(by_gate) == 2 * len(CARD.block_table)
    assert [diagnosis.verdict for diagnosis in by_gate.values()] == sorted(d.verdict for d in by_gate.values())
    assert {diagnosis.slices for diagnosis in by_gate.values()} == {3}


def test_a_gate_whose_weights_are_zero_is_the_same_half_everywhere(model, scan):
    gate = model.blocks["encoder2"].spatial_gate.squeeze
    torch.nn.init.zeros_(gate.weight)
    torch.nn.init.zeros_(gate.bias)
    diagnosis = health(model, scan)["encoder2", "spatial_gate"]
    assert (diagnosis.mean, diagnosis.spread_within, diagnosis.entropy) == (0.5, 0, 1)
    assert diagnosis.verdict in (Verdict.CONSTANT, Verdict.NO_EFFECT)


def test_a_gate_that_is_open_everywhere_has_no_effect(model, scan):
    assert health(model, scan)["decoder1", "spatial_gate"].effect.changed > 0
    gate = model.blocks["decoder1"].spatial_gate.squeeze
    torch.nn.init.zeros_(gate.weight)
    torch.nn.init.constant_(gate.bias, 40.0)  # 1 in float32
    diagnosis = health(model, scan)["decoder1", "spatial_gate"]
    assert diagnosis.verdict == Verdict.NO_EFFECT
    assert diagnosis.effect.changed == 0


def test_dice_is_lost_against_labels_and_nan_without(model, scan):
    assert all(np.isnan(d.effect.dice_lost) for d in health(model, scan).values())
    own = np.stack([examine_labels(model, scan, index) for index in range(9)], axis=2)
    by_gate = health(model, scan, own)
    for diagnosis in by_gate.values():
        assert (diagnosis.effect.dice_lost > 0) == (diagnosis.effect.changed > 0)
    assert any(diagnosis.effect.changed > 0 for diagnosis in by_gate.values())


def examine_labels(model, scan, index):
    """The network's own prediction as labels (X, Y): it cannot be beaten."""
    return segment_slice(scan.slice("axial", index), model, CARD).labels[::-1].T


def test_slices_are_spread_over_the_plane_and_there_are_never_more_than_it_has(scan):
    assert evenly_spaced(scan, "axial", 3) == [1, 4, 7]
    assert evenly_spaced(scan, "axial", 50) == list(range(9))


def test_a_network_without_gates_has_nothing_to_examine(scan):
    plain = replace(TINY, variant="none")
    model = plain.network(seed=0).eval()
    assert gates_of(model) == ()
    assert examine_slice(scan.slice("axial", 4), model, plain).observations == {}


@pytest.mark.parametrize("labelled", [False, True])
def test_an_exam_is_that_of_a_whole_pass_for_every_gate(model, scan, labelled):
    scan_slice = scan.slice("axial", 4)
    before = segment_slice(scan_slice, model, CARD)
    labels = np.random.default_rng(1).integers(0, 2, before.labels.shape) if labelled else None
    exam = examine_slice(scan_slice, model, CARD, labels)
    assert exam.observations.keys() == exam.effects.keys() == set(gates_of(model))
    for (block, kind), effect in exam.effects.items():
        after = segment_slice(scan_slice, model, CARD, changes={block: SWITCHED_OFF[kind]}).labels
        assert effect.changed == changed_share(before.labels, after)
        if labels is not None:
            assert effect.dice_lost == pytest.approx(dice(before.labels, labels, 2)[1] - dice(after, labels, 2)[1])
    assert labelled or all(np.isnan(effect.dice_lost) for effect in exam.effects.values())
    assert any(effect.changed > 0 for effect in exam.effects.values())
