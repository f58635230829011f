"""The shipped samples: small, aligned, and labelled as samples.json says."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from scse_viz.training.sample_scans import brain_mask
from scse_viz.zoo.structures import ANATOMIES

FOLDER = Path(__file__).parents[2] / "sample_data"
SAMPLES = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))


def test_the_folder_stays_under_13_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 13e6


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_labels_lie_on_the_grid_of_the_scan_and_are_those_that_are_listed(sample: dict) -> None:
    scan, labels = nib.load(FOLDER / sample["scan"]), nib.load(FOLDER / sample["labels"])
    assert scan.shape == labels.shape
    assert np.array_equal(scan.affine, labels.affine)
    assert nib.aff2axcodes(scan.affine) == ("R", "A", "S")
    assert set(np.unique(labels.dataobj)) == {0, *(group["label"] for group in sample["groups"])}
    classes = len(ANATOMIES[sample["anatomy"]])
    assert all(0 < number < classes for group in sample["groups"] for number in group["structures"])


def test_colin27s_hippocampi_are_where_a_head_has_them() -> None:
    labels = nib.load(FOLDER / "colin27-labels.nii.gz")
    voxels = np.argwhere(np.asarray(labels.dataobj) == 10)
    mm = nib.affines.apply_affine(labels.affine, voxels)
    right, left = mm[mm[:, 0] > 0], mm[mm[:, 0] < 0]
    for side, x in ((right, 28), (left, -27)):
        assert np.abs(side.mean(axis=0) - [x, -21, -12]).max() < 4, "MNI space, Tzourio-Mazoyer et al. 2002"


def test_the_masked_head_is_colin27_inside_the_brain_and_black_outside() -> None:
    head, brain = nib.load(FOLDER / "colin27.nii.gz"), nib.load(FOLDER / "colin27-brain.nii.gz")
    low = np.round(np.linalg.inv(head.affine) @ brain.affine[:, 3]).astype(int)[:3]
    box = tuple(slice(start, start + count) for start, count in zip(low, brain.shape, strict=True))
    whole, masked = np.asarray(head.dataobj)[box], np.asarray(brain.dataobj)
    assert np.array_equal(masked[masked > 0], whole[masked > 0])
    assert 1.2e6 < np.count_nonzero(masked) < 1.9e6, "a brain with its ventricles, in mm³"
    assert np.count_nonzero(masked[0]) == np.count_nonzero(masked[:, :, -1]) == 0


def test_a_brain_mask_is_one_part_without_holes_and_without_bits_of_skull() -> None:
    classes = np.zeros((40, 40, 40), dtype=np.uint8)
    classes[10:30, 10:30, 10:30] = 2
    classes[18:22, 18:22, 18:22] = 0  # a hole
    classes[30:36, 20, 20] = 2  # a bridge
    classes[2, 2, 2] = 1
    classes[9, 10:30, 10:30] = 17  # fluid around the brain
    expected = np.zeros((40, 40, 40), dtype=bool)
    expected[10:30, 10:30, 10:30] = True
    mask = brain_mask(classes)
    assert np.count_nonzero(mask != expected) < 0.01 * np.count_nonzero(expected)
    assert mask[20, 20, 20]


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hippocampus_sample_is_a_piece_of_colin27_with_the_whole_hippocampus_of_its_side(side: str) -> None:
    head, labels = (nib.load(FOLDER / f"colin27{part}.nii.gz") for part in ("", "-labels"))
    name = f"colin27-hippocampus-{side}"
    crop, crop_labels = nib.load(FOLDER / f"{name}.nii.gz"), nib.load(FOLDER / f"{name}-labels.nii.gz")
    low = np.round(np.linalg.inv(head.affine) @ crop.affine[:, 3]).astype(int)[:3]
    box = tuple(slice(start, start + count) for start, count in zip(low, crop.shape, strict=True))
    assert np.array_equal(crop.dataobj, head.dataobj[box])
    assert np.array_equal(np.asarray(crop_labels.dataobj) == 1, labels.dataobj[box] == 10)
    x = nib.affines.apply_affine(labels.affine, np.argwhere(np.asarray(labels.dataobj) == 10))[:, 0]
    assert np.count_nonzero(crop_labels.dataobj) == np.count_nonzero(x < 0 if side == "left" else x > 0)
