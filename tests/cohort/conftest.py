"""A tiny network and a few tiny scans with labels in a table."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from scse_viz import zoo
from tests.cli.words import CARD

SCANS = 5


@pytest.fixture(scope="session")
def tiny_zoo(tmp_path_factory):
    """A folder with one untrained network, and its card."""
    folder = tmp_path_factory.mktemp("networks")
    card = zoo.save(CARD.network(seed=3).eval().requires_grad_(False), replace(CARD, name="tiny-unet-scse"), folder)
    return folder, card


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """A table of SCANS scans with labels and groups, the last of them damaged."""
    folder = tmp_path_factory.mktemp("cohort")
    rows = ["path,labels,group,age"]
    random = np.random.default_rng(0)
    for number in range(SCANS):
        values = random.random((24, 20, 6)).astype(np.float32)
        nib.save(nib.Nifti1Image(values, np.eye(4)), folder / f"scan{number}.nii")
        labels = (values > 0.5).astype(np.uint8) + (values > 0.8)
        nib.save(nib.Nifti1Image(labels.astype(np.uint8), np.eye(4)), folder / f"labels{number}.nii")
        rows.append(f"scan{number}.nii,labels{number}.nii,{'AB'[number % 2]},{60 + number}")
    (folder / f"scan{SCANS - 1}.nii").write_bytes(b"damaged")
    (folder / "all.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "all.csv"
