"""Changes on a slice of a scan: the same pixels, the same answers, whichever way they are asked for."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch

from scse_viz.attention import record
from scse_viz.inference import input_size, network_input, segment_slice, window
from scse_viz.inference.ablation import channel_magnitudes, predict, predict_without, region
from scse_viz.intervention import OFF, Change, intervene
from scse_viz.scans import read_scan
from scse_viz.zoo import Window
from tests.cards import TINY

CARD = replace(TINY, window=Window(0, 100, 1.5))


@pytest.fixture(scope="module")
def model():
    return CARD.network(seed=0).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def scan():
    voxels = np.random.default_rng(0).random((21, 27, 6)).astype(np.float32)
    return read_scan(nib.Nifti1Image(voxels, np.diag([2.0, 1, 1, 1])).to_bytes(), name="scan.nii")


def test_an_answer_is_that_of_the_slice_with_its_probabilities(scan, model):
    for changes in ({}, {"encoder2": OFF, "bottleneck": Change(without=(1, 2))}):
        prediction = predict(scan.slice("axial", 3), model, CARD, changes)
        expected = segment_slice(scan.slice("axial", 3), model, CARD, changes=changes)
        np.testing.assert_array_equal(prediction.labels, expected.labels)
        np.testing.assert_allclose(prediction.probabilities.max(axis=0), expected.confidence, rtol=1e-5)
        np.testing.assert_allclose(prediction.probabilities.sum(axis=0), 1, rtol=1e-5)


def test_a_changed_slice_has_the_gates_that_were_applied(scan, model):
    x = network_input(scan, CARD, "axial", [3], window(scan, CARD))
    changes = {"decoder2": Change(strength=0), "encoder1": Change(without=(0,))}
    expected = intervene(model, x, changes).blocks
    gates = segment_slice(scan.slice("axial", 3), model, CARD, changes=changes).gates
    np.testing.assert_array_equal(gates["encoder2"].spatial_gate, expected["encoder2"].spatial_gate[0])
    np.testing.assert_array_equal(gates["decoder2"].activation, expected["decoder2"].activation[0])
    assert gates["decoder2"].spatial_gate is None


def test_channels_knocked_out_together_are_as_knocked_out_alone(scan, model):
    predictions = dict(predict_without(scan.slice("coronal", 5), model, CARD, "encoder3", [0, 2, 5]))
    assert list(predictions) == [0, 2, 5]
    for channel, prediction in predictions.items():
        alone = predict(scan.slice("coronal", 5), model, CARD, {"encoder3": Change(without=(channel,))})
        np.testing.assert_allclose(prediction.probabilities, alone.probabilities, atol=1e-5)


def test_magnitudes_are_those_of_the_features_that_leave(scan, model):
    x = network_input(scan, CARD, "axial", [3], window(scan, CARD))
    blocks = record(model, x, features=True).blocks
    magnitudes = channel_magnitudes(scan.slice("axial", 3), model, CARD)
    assert list(magnitudes) == list(blocks)
    for name, values in magnitudes.items():
        np.testing.assert_allclose(values, blocks[name].after[0].abs().mean(dim=(1, 2)), rtol=1e-6)


def test_a_region_lies_on_the_gates_where_it_lies_on_the_slice(scan, model):
    inside = np.zeros((27, 21), dtype=bool)  # rows of 1 mm, columns of 2 mm
    inside[8:16, 4:8] = True
    assert input_size(scan, CARD, "axial") == (27, 42)
    masked = region(inside, 0.0, scan.slice("axial", 0), CARD)
    assert masked.mask.shape == (32, 48)  # padded as the network pads it
    change = Change(spatial_gate=masked)
    gates = segment_slice(scan.slice("axial", 3), model, CARD, changes={"encoder1": change, "encoder3": change}).gates
    before = segment_slice(scan.slice("axial", 3), model, CARD).gates
    fine, coarse = gates["encoder1"].spatial_gate, gates["encoder3"].spatial_gate
    assert (fine[8:16, 9:15] == 0).all()  # columns 4 to 8 of 2 mm are 8 to 16 of 1 mm, blurred by half a pixel
    np.testing.assert_array_equal(fine[:8], before["encoder1"].spatial_gate[:8])
    np.testing.assert_array_equal(fine[:, 18:], before["encoder1"].spatial_gate[:, 18:])
    assert (coarse[2:4, 2:4] < 0.1 * before["encoder3"].spatial_gate[2:4, 2:4] + 0.05).all()
    assert (coarse[5:] > 0.2).all()


def test_all_of_a_slice_as_region_is_the_whole_gate(scan, model):
    everywhere = region(np.ones((27, 21), dtype=bool), 1.0, scan.slice("axial", 0), CARD)
    assert torch.equal(everywhere.mask, torch.ones(32, 48))
