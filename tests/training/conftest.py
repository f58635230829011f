"""A tiny head of four tissues and two tiny crops, so that synthesis and training are tested in seconds."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from scse_viz.training.augmentation import Slices
from scse_viz.training.brain.atlas import Atlas, load_atlas
from scse_viz.training.hippocampus.recipe import load_slices
from tests.crop_files import CROPS, write_crops

LABELS = (0, 2, 3, 17, 24, 516)
"""FreeSurfer: background, white matter, cortex, hippocampus, CSF; and an extra-cerebral label."""
MEANS = (5.0, 200.0, 120.0, 100.0, 40.0, 160.0)
SIDE = 48


@pytest.fixture(scope="session")
def label_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of the SynthSeg label maps: nested spheres, stored as L I A."""
    folder = tmp_path_factory.mktemp("labels")
    x, y, z = np.indices((SIDE,) * 3) - (SIDE - 1) / 2
    radius = np.sqrt(x**2 + y**2 + z**2)
    head = np.select([radius < 12, radius < 16, radius < 18, radius < 22], [2, 3, 24, 516], 0)
    head[SIDE // 2 - 3 : SIDE // 2 + 3, SIDE // 2 + 4 : SIDE // 2 + 9, SIDE // 2 - 3 : SIDE // 2 + 3] = 17
    ras = nib.Nifti1Image(head.astype(np.int16), np.eye(4))
    stored = ras.as_reoriented(nib.io_orientation(np.diag([-1.0, 1, 1, 1])[[0, 2, 1, 3]] * [[1], [-1], [1], [1]]))
    for number in (1, 2):
        nib.save(stored, folder / f"training_seg_{number:02d}.nii.gz")
    np.save(folder / "generation_labels.npy", np.array(LABELS))
    np.save(folder / "generation_classes_contrast_specific.npy", np.arange(len(LABELS)))
    np.save(folder / "prior_means_t1.npy", np.array([MEANS, np.zeros(len(MEANS))]))
    np.save(folder / "prior_stds_t1.npy", np.array([np.full(len(MEANS), 4.0), np.zeros(len(MEANS))]))
    return folder


@pytest.fixture(scope="session")
def atlas(label_folder: Path) -> Atlas:
    return load_atlas(label_folder, [1, 2])


@pytest.fixture(scope="session")
def crop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hippocampus")
    write_crops(folder)
    return folder


@pytest.fixture(scope="session")
def slices(crop_folder: Path) -> Slices:
    return load_slices(crop_folder, CROPS)


@pytest.fixture
def decathlon() -> Path:
    """The hippocampus data set, which is no part of the project: CI has it beside the checkout, and fails without."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "hippocampus"
    if not folder.is_dir():
        missed = pytest.fail if os.environ.get("CI") else pytest.skip
        missed("Task04_Hippocampus of the Medical Segmentation Decathlon is not in ../shared/data/hippocampus")
    return folder
