"""The features of one block, and probabilities that agree with the segmentation."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch

from scse_viz.blocks import VARIANTS
from scse_viz.inference import segment_slice
from scse_viz.inference.features import inspect_block
from scse_viz.scans import read_scan
from tests.cards import TINY

SPACING = (1, 2, 1.5)  # so that slices are resampled for the network and its answer is resampled back


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scan") / "scan.nii.gz"
    voxels = np.random.default_rng(0).random((20, 24, 6), dtype=np.float32)
    nib.save(nib.Nifti1Image(voxels, np.diag([*SPACING, 1])), path)
    return read_scan(path)


def network(variant):
    card = replace(TINY, variant=variant)
    return card, card.network(seed=0).eval().requires_grad_(False)


def test_what_leaves_is_what_enters_times_the_recorded_gates(scan):
    card, model = network("scse")
    features = inspect_block(scan.slice("axial", 3), model, card, "encoder2")
    gates = segment_slice(scan.slice("axial", 3), model, card).gates
    both = gates["encoder2"].channel_gate[:, None, None] + gates["encoder2"].spatial_gate
    np.testing.assert_allclose(features.after, features.before * both, rtol=1e-5, atol=1e-6)


def test_probabilities_are_those_behind_the_labels(scan):
    card, model = network("sse")
    probabilities = inspect_block(scan.slice("coronal", 5), model, card, "bottleneck").probabilities
    result = segment_slice(scan.slice("coronal", 5), model, card)
    assert probabilities.shape == (len(card.structures), *result.labels.shape)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(probabilities.max(axis=0), result.confidence, rtol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(axis=0), result.labels)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_can_be_inspected_and_only_none_leaves_features_as_they_are(variant, scan):
    card, model = network(variant)
    if variant == "nonlocal":
        torch.nn.init.ones_(model.blocks["encoder1"].scale)  # it starts at 0
    features = inspect_block(scan.slice("axial", 0), model, card, "encoder1")
    assert features.before.shape == features.after.shape
    assert np.array_equal(features.before, features.after) == (variant == "none")
    assert not model.blocks["decoder1"]._forward_hooks


def test_a_shared_inspection_cannot_be_overwritten(scan):
    card, model = network("none")
    with pytest.raises(ValueError, match="read-only"):
        inspect_block(scan.slice("axial", 0), model, card, "encoder1").before[0] = 0


def test_a_block_that_a_network_lacks_is_refused(scan):
    card, model = network("none")
    with pytest.raises(KeyError, match="encoder9"):
        inspect_block(scan.slice("axial", 0), model, card, "encoder9")
