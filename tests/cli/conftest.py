"""Two tiny networks and a tiny scan for the commands."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch

from scse_viz import cli, zoo
from tests.cli.words import CARD


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """A folder of two untrained networks, with and without gates."""
    folder = tmp_path_factory.mktemp("networks")
    for variant in ("none", "scse"):
        card = replace(CARD, name=f"tiny-unet-{variant}", variant=variant)
        model = card.network(seed=3).eval().requires_grad_(False)
        # Spread the answers over the three classes, with clear winners.
        model.classifier.weight *= 1000
        model.classifier.bias -= model(torch.rand(1, 1, 64, 64)).mean(dim=(0, 2, 3))
        zoo.save(model, card, folder)
    return folder


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """A 10 x 13 x 17 volume whose file runs posterior, inferior, left, off the origin."""
    values = np.random.default_rng(1).random((10, 13, 17)).astype(np.float32)
    affine = np.diag([1.5, 1, 0.8, 1])
    affine[:3, 3] = -7, 11, 3
    turned = nib.orientations.ornt_transform(*(nib.orientations.axcodes2ornt(codes) for codes in ("RAS", "PIL")))
    path = tmp_path_factory.mktemp("scans") / "head.nii.gz"
    nib.save(nib.Nifti1Image(values, affine).as_reoriented(turned), path)
    return path


@pytest.fixture
def segment(networks, scan, tmp_path):
    """Run `segment` with some options changed (None leaves one out); the exit code and the folder of results."""

    def run(*more, source=scan, **changed):
        options = {"model": CARD.name, "out": tmp_path / "results", "models": networks} | changed
        words = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
        return cli.main(["segment", str(source), *words, *more]), options["out"]

    return run
