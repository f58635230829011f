from functools import partial

import nibabel as nib
import numpy as np
import pytest

from scse_viz.scans import ScanError, VolumeChoice, read_labels, read_scan, slice_of
from tests.odd.pictures import packed_png
from tests.odd.tiffs import packed_tiff, retagged
from tests.scan_files import nifti, npy, numbers, picture


@pytest.fixture
def scan():
    return read_scan(nifti(numbers(4, 5, 6), np.diag([1, 2, 3, 1])), name="scan.nii")


def test_labels_follow_the_scan_whatever_the_order_of_their_axes():
    labels = numbers(4, 5, 6)
    turned = nib.Nifti1Image(labels, np.diag([1, 2, 3, 1])).as_reoriented([[2, -1], [0, 1], [1, -1]])
    scan = read_scan(nifti(labels, np.diag([1, 2, 3, 1])), name="scan.nii")
    aligned = read_labels(turned.to_bytes(), scan, name="labels.nii")
    assert aligned.dtype == np.int32
    np.testing.assert_array_equal(aligned, labels)


def test_labels_may_be_floats_that_are_whole_numbers(scan):
    labels = numbers(4, 5, 6, dtype=np.float64)
    np.testing.assert_array_equal(read_labels(nifti(labels, scan.affine), scan, name="labels.nii"), labels)


def test_labels_without_directions_belong_to_the_voxels_in_the_order_of_the_file():
    scan = read_scan(nifti(numbers(4, 5, 6), np.diag([-1, -1, -1, 1])), name="scan.nii")
    np.testing.assert_array_equal(read_labels(npy(numbers(4, 5, 6)), scan, name="labels.npy"), scan.voxels)


def test_labels_of_a_picture_may_be_its_palette():
    scan = read_scan(picture(np.zeros((6, 8), np.uint8)), name="slice.png")
    labels = numbers(6, 8, dtype=np.uint8)
    palette = picture(labels, mode="P", transparency=0)
    np.testing.assert_array_equal(slice_of(read_labels(palette, scan, name="labels.png"), "axial", 0), labels)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("pack", [packed_png, packed_tiff, partial(packed_tiff, photometric=0)])
def test_labels_of_a_gray_picture_are_as_stored(bits, pack):
    labels = (numbers(6, 8) % 2**bits).astype(np.uint8)
    scan = read_scan(picture(np.zeros((6, 8), np.uint8)), name="slice.png")
    np.testing.assert_array_equal(slice_of(read_labels(pack(labels, bits), scan, name="labels"), "axial", 0), labels)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_labels_of_a_compressed_min_is_white_tiff_are_as_stored(compression, dtype):
    labels = numbers(6, 8, dtype=dtype)
    data = retagged(picture(labels, "TIFF", compression=compression), 262, 0)
    scan = read_scan(data, name="scan.tif")
    np.testing.assert_array_equal(slice_of(read_labels(data, scan, name="labels.tif"), "axial", 0), labels)


@pytest.mark.parametrize(
    ("labels", "affine", "sentence"),
    [
        (
            numbers(4, 5, 7),
            np.diag([1, 2, 3, 1]),
            "labels.nii: 4 × 5 × 7 voxels where scan.nii has 4 × 5 × 6; resample",
        ),
        (
            numbers(4, 5, 6),
            np.diag([1, 2, 3.5, 1]),
            "labels.nii: its grid lies up to 2.5 mm off that of scan.nii; resample",
        ),
        (
            numbers(4, 5, 6, dtype=np.float32) / 2,
            np.diag([1, 2, 3, 1]),
            "labels.nii: holds values that are not whole numbers",
        ),
        (np.full((4, 5, 6), np.inf), np.diag([1, 2, 3, 1]), "labels.nii: holds values that are not whole numbers"),
        (np.full((4, 5, 6), np.nan), np.diag([1, 2, 3, 1]), "labels.nii: holds values that are not whole numbers"),
        (np.full((4, 5, 6), 1e12), np.diag([1, 2, 3, 1]), "labels.nii: labels from 1e.12 to 1e.12 do not fit 32 bits"),
        (numbers(4, 5, 6, 2), np.diag([1, 2, 3, 1]), "labels.nii: 2 volumes of labels"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_the_difference(scan, labels, affine, sentence):
    with pytest.raises(ScanError, match=sentence) as caught:
        read_labels(nifti(labels, affine), scan, name="labels.nii")
    assert not isinstance(caught.value, VolumeChoice)


def test_labels_within_the_rounding_of_a_header_fit(scan):
    affine = scan.affine.copy()
    affine[:3, 3] += 0.02
    assert read_labels(nifti(numbers(4, 5, 6), affine), scan, name="labels.nii").shape == scan.voxels.shape


def test_a_colour_picture_is_no_label_file():
    scan = read_scan(picture(np.zeros((6, 8), np.uint8)), name="slice.png")
    with pytest.raises(ScanError, match=r"labels.png: a colour picture, but labels are whole numbers"):
        read_labels(picture(np.zeros((6, 8, 3), np.uint8)), scan, name="labels.png")
