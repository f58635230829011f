"""Where pixels look, from the slice's own grid."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch

from scse_viz.inference.looks import looks_from, pairs_of
from scse_viz.inference.slices import segment_slice
from scse_viz.models import build
from scse_viz.scans import read_scan
from tests.cards import TINY

CARD = replace(TINY, variant="nonlocal", name="tiny-unet-nonlocal")


@pytest.fixture
def scan(tmp_path):
    voxels = np.random.default_rng(0).random((40, 60, 3), dtype=np.float32)
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / "noise.nii")
    return read_scan(tmp_path / "noise.nii")


def network() -> torch.nn.Module:
    return build("unet", "nonlocal", classes=2, widths=CARD.widths, seed=0).eval()


def test_a_pixel_of_the_slice_looks_as_the_pixel_of_the_map_under_it(scan):
    model, scan_slice = network(), scan.slice("axial", 1)
    result = segment_slice(scan_slice, model, CARD)
    for block, scale in (("encoder1", 1), ("encoder2", 2), ("bottleneck", 16)):
        pairs = pairs_of(scan_slice, model, CARD, block)
        shares = looks_from(pairs, (33, 21), scan_slice.grid, scale, result.pixel_mm)
        expected = pairs.row(33 // scale, 21 // scale)[0].numpy()
        np.testing.assert_allclose(shares, expected * expected.size, rtol=1e-5)
        assert shares.mean() == pytest.approx(1, abs=1e-4)
        assert shares.shape == result.gates[block].attention.shape


def test_maps_of_pooled_keys_have_the_size_of_their_pixels(scan):
    result = segment_slice(scan.slice("axial", 1), network(), CARD)
    assert result.gates["encoder1"].attention.shape == (32, 24)  # of 64 x 48, two by two
    assert result.gates["encoder1"].map_mm == (2.0, 2.0)
    assert result.gates["encoder2"].map_mm == (2.0, 2.0)
    assert result.gates["bottleneck"].map_mm == (16.0, 16.0)


def test_a_block_without_attention_is_refused(scan):
    model = build("unet", "none", classes=2, widths=CARD.widths, seed=0).eval()
    with pytest.raises(ValueError, match="block 'encoder1' of tiny-unet-nonlocal has no attention"):
        pairs_of(scan.slice("axial", 1), model, CARD, "encoder1")
