"""The steps of a relative's block lead to what the block returns, and its cost is what was counted by hand."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn

from scse_viz.blocks import RELATIVES
from scse_viz.inference.cost import multiply_adds, parameters
from scse_viz.inference.relatives import relative_steps
from scse_viz.models import build
from scse_viz.scans import read_scan
from tests.cards import TINY


@pytest.fixture
def scan(tmp_path):
    voxels = np.random.default_rng(0).random((40, 60, 3), dtype=np.float32)
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / "noise.nii")
    return read_scan(tmp_path / "noise.nii")


@pytest.mark.parametrize("variant", RELATIVES)
def test_the_steps_lead_to_what_leaves_the_block(variant, scan):
    card = replace(TINY, variant=variant, name=f"tiny-unet-{variant}")
    model = build("unet", variant, classes=2, widths=card.widths, seed=0).eval()
    if variant == "nonlocal":
        nn.init.constant_(model.blocks["encoder2"].scale, 0.5)
    made = relative_steps(scan.slice("axial", 1), model, card, "encoder2")
    steps, before = made.steps, made.before
    by_channel = steps["weights"][:, None, None] if "weights" in steps else 1
    expected = {
        "scse-r16": lambda: before * by_channel + before * steps["gate"],
        "cbam": lambda: before * by_channel * steps["gate"],
        "pe": lambda: before * steps["full gate"],
        "nonlocal": lambda: before + steps["added"],
        "ag": lambda: before * steps["gate"],
    }.get(variant, lambda: before * by_channel)()
    np.testing.assert_allclose(made.after, expected, atol=1e-5)
    assert made.parameters == parameters(model.blocks["encoder2"]) > 0
    assert made.multiply_adds > 0


def test_a_stage_without_a_gate_has_no_steps(scan):
    card = replace(TINY, variant="ag", name="tiny-unet-ag")
    model = build("unet", "ag", classes=2, widths=card.widths, seed=0).eval()
    with pytest.raises(KeyError, match="decoder1 of tiny-unet-ag has no gate"):
        relative_steps(scan.slice("axial", 1), model, card, "decoder1")


def test_attention_counts_both_of_its_products_however_it_is_computed():
    for side in (8, 48):  # written out, and without the matrix; keys are 8 x 8 and 24 x 24
        keys = min(side, 24) ** 2
        block = RELATIVES["nonlocal"](16).eval()
        pixels = side * side
        projections = 2 * 16 * (2 * pixels + 2 * keys)
        assert multiply_adds(block, torch.zeros(1, 16, side, side)) == projections + 2 * 2 * pixels * keys
