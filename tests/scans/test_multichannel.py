"""Several volumes as the channels of one scan."""

import nibabel as nib
import numpy as np
import pytest

from scse_viz.scans import ScanError, VolumeChoice, read_channels, read_scan, stacked, with_shown

VALUES = np.random.default_rng(0).random((6, 7, 5, 3)).astype(np.float32)


def file(values: np.ndarray, shift: float = 0) -> bytes:
    affine = np.diag([1.0, 1, 2, 1])
    affine[0, 3] = shift
    return nib.Nifti1Image(values, affine).to_bytes()


def test_the_volumes_of_a_file_are_channels_in_its_order():
    scan = read_channels(file(VALUES), name="four.nii")
    assert [channel.digest for channel in scan.channels] == [
        read_scan(file(VALUES), name="four.nii", volume=number).digest for number in range(3)
    ]
    np.testing.assert_array_equal(scan.voxels, scan.channels[0].voxels)
    assert read_channels(file(VALUES[..., 0]), name="three.nii").channels == ()


def test_any_of_the_channels_can_be_the_one_that_is_drawn():
    scan = read_channels(file(VALUES), name="four.nii")
    second = with_shown(scan, 1)
    np.testing.assert_array_equal(second.voxels, scan.channels[1].voxels)
    assert second.channels == scan.channels
    assert second.digest not in (scan.digest, *(channel.digest for channel in scan.channels))


def test_a_file_of_more_volumes_than_channels_asks_which():
    with pytest.raises(VolumeChoice, match="4-D image with 3 volumes"):
        read_channels(file(VALUES), name="four.nii", most=2)


@pytest.mark.parametrize("other", [file(VALUES[..., 0], shift=3), file(VALUES[:5, ..., 0])])
def test_scans_on_two_grids_are_no_channels_of_one(other):
    scans = [read_scan(file(VALUES[..., 0]), name="a.nii"), read_scan(other, name="b.nii")]
    with pytest.raises(ScanError, match=r"b\.nii: has another grid than a\.nii; resample"):
        stacked(scans)
