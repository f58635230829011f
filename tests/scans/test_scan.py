from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import aff2axcodes

from scse_viz.scans import (
    PLANES,
    ScanError,
    VolumeChoice,
    read_labels,
    read_scan,
    slice_grid,
    slice_of,
    volume_of,
)
from tests.scan_files import gzipped, nifti, npy, numbers, picture

AXIS_CODES = [
    tuple(pair[side] for pair, side in zip(axes, sides, strict=True))
    for axes in permutations(("LR", "PA", "IS"))
    for sides in product((0, 1), repeat=3)
]
DIRECTIONS = {"L": (0, -1), "R": (0, 1), "P": (1, -1), "A": (1, 1), "I": (2, -1), "S": (2, 1)}


def affine_of(codes, spacing=(1, 2, 3), origin=(10, -20, 30)):
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, code in enumerate(codes):
        row, sign = DIRECTIONS[code]
        affine[row, axis] = sign * spacing[axis]
    affine[:3, 3] = origin
    return affine


@pytest.fixture
def scan():
    return read_scan(nifti(numbers(4, 5, 6), np.diag([1, 2, 3, 1])), name="scan.nii")


@pytest.mark.parametrize("codes", AXIS_CODES, ids="".join)
def test_every_voxel_keeps_its_place_in_the_body_and_returns_to_its_place_in_the_file(codes):
    values = numbers(3, 4, 5)
    file = nib.Nifti1Image.from_bytes(nifti(values, affine_of(codes)))
    scan = read_scan(file.to_bytes(), name="scan.nii")
    assert aff2axcodes(scan.affine) == ("R", "A", "S")
    for voxel in ((0, 0, 0), (2, 1, 4), (1, 3, 2)):
        mm = file.affine @ (*voxel, 1)
        x, y, z, _ = np.linalg.solve(scan.affine, mm).round().astype(int)
        assert scan.voxels[x, y, z] == values[voxel]
    back = nib.Nifti1Image.from_bytes(scan.to_file_grid(scan.voxels).to_bytes())
    np.testing.assert_array_equal(back.get_fdata(), values)
    np.testing.assert_array_equal(back.affine, file.affine)


def test_export_keeps_sform_qform_units_and_the_type_of_the_volume():
    def mark(header):
        header.set_qform(affine_of("LAS"), code=1)
        header.set_sform(affine_of("LAS", origin=(1, 2, 3)), code=4)
        header.set_xyzt_units("mm", "sec")

    scan = read_scan(nifti(numbers(3, 4, 5), change=mark), name="scan.nii")
    back = nib.Nifti1Image.from_bytes(scan.to_file_grid(scan.voxels.astype(np.uint8)).to_bytes())
    assert (int(back.header["qform_code"]), int(back.header["sform_code"])) == (1, 4)
    np.testing.assert_allclose(back.get_qform(), affine_of("LAS"), atol=1e-5)
    np.testing.assert_allclose(back.get_sform(), affine_of("LAS", origin=(1, 2, 3)))
    assert back.header.get_xyzt_units() == ("mm", "sec")
    assert back.get_data_dtype() == np.uint8


def test_export_of_a_scaled_file_is_not_scaled():
    header = nib.Nifti1Header(nifti(numbers(3, 4, 5))[:348])
    header["scl_slope"], header["scl_inter"] = 0.5, -7
    scan = read_scan(header.binaryblock + nifti(numbers(3, 4, 5))[348:], name="scan.nii")
    np.testing.assert_array_equal(scan.voxels, numbers(3, 4, 5) / 2 - 7)
    back = nib.Nifti1Image.from_bytes(scan.to_file_grid(scan.voxels).to_bytes())
    np.testing.assert_array_equal(back.get_fdata(), scan.voxels)


@pytest.mark.parametrize(
    ("dtype", "written"),
    [(bool, np.uint8), (np.float16, np.float32), (np.int64, np.int32), (np.float32, np.float32), (np.uint8, np.uint8)],
)
def test_export_writes_types_that_viewers_read(scan, dtype, written):
    image = scan.to_file_grid(scan.voxels.astype(dtype))
    assert nib.Nifti1Image.from_bytes(image.to_bytes()).get_data_dtype() == written


def test_export_of_several_channels_keeps_them_last():
    scan = read_scan(nifti(numbers(3, 4, 5), affine_of("PSR")), name="scan.nii")
    channels = np.stack([scan.voxels, -scan.voxels], axis=-1)
    np.testing.assert_array_equal(scan.to_file_grid(channels).dataobj[..., 1], -numbers(3, 4, 5))


def test_export_refuses_a_volume_of_another_shape(scan):
    with pytest.raises(ValueError, match=r"\(5, 4, 6\) for a scan of \(4, 5, 6\)"):
        scan.to_file_grid(np.zeros((5, 4, 6)))


def test_export_of_a_picture_is_read_as_labels_of_that_picture():
    scan = read_scan(picture(numbers(7, 9, dtype=np.uint8)), name="slice.png")
    labels = scan.to_file_grid(scan.voxels.astype(np.uint8)).to_bytes()
    np.testing.assert_array_equal(read_labels(labels, scan, name="labels.nii"), scan.voxels)


def test_export_of_a_nifti_2_file_is_nifti_2():
    scan = read_scan(nifti(numbers(3, 4, 5), kind=nib.Nifti2Image), name="scan.nii")
    assert isinstance(scan.to_file_grid(scan.voxels), nib.Nifti2Image)


@pytest.mark.parametrize(
    ("plane", "top_left", "right", "down"),
    [("axial", "LA", "R", "P"), ("coronal", "LS", "R", "I"), ("sagittal", "PS", "A", "I")],
)
def test_slices_are_shown_with_left_on_the_left_and_the_front_or_top_above(plane, top_left, right, down):
    """Fill a volume with the millimetres along one direction: they grow to the right, or down, in the slice."""
    axes = np.stack(np.indices((4, 5, 6)))
    for letter, shown_along in ((right, 1), (down, 0)):
        axis, sign = DIRECTIONS[letter]
        shown = slice_of(axes[axis] * sign, plane, 1)
        assert (np.diff(shown, axis=shown_along) == 1).all()
    scan = read_scan(nifti(numbers(4, 5, 6)), name="scan.nii")
    top, right_letter, bottom, left = slice_grid(scan, plane).letters
    assert (left + top, right_letter, bottom) == (top_left, right, down)


@pytest.mark.parametrize("plane", PLANES)
def test_volume_of_is_the_inverse_of_slice_of(plane):
    volume = numbers(4, 5, 6)
    slices = np.stack([slice_of(volume, plane, index) for index in range(volume.shape[PLANES[plane]])])
    np.testing.assert_array_equal(volume_of(slices, plane), volume)


@pytest.mark.parametrize("plane", PLANES)
def test_a_pixel_knows_its_voxel_and_the_view_its_sizes(plane, scan):
    grid = slice_grid(scan, plane)
    shown = slice_of(scan.voxels, plane, 2)
    assert shown.shape == (grid.height, grid.width)
    assert grid.count == scan.voxels.shape[PLANES[plane]]
    assert shown[1, 3] == scan.voxels[scan.slice(plane, 2).voxel(1, 3)]


def test_pixels_of_a_view_have_their_size_in_mm(scan):
    views = {plane: slice_grid(scan, plane) for plane in PLANES}
    assert {plane: (grid.row_mm, grid.column_mm) for plane, grid in views.items()} == {
        "axial": (2, 1),
        "coronal": (3, 1),
        "sagittal": (3, 2),
    }


def test_a_slice_is_a_copy_and_a_scan_cannot_be_written(scan):
    shown = slice_of(scan.voxels, "axial", 0)
    shown[:] = -1
    assert scan.voxels.min() == 0
    with pytest.raises(ValueError, match="read-only"):
        scan.voxels[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("shape", "planes"), [((4, 5, 6), tuple(PLANES)), ((4, 5, 1), ("axial",)), ((1, 5, 6), ("sagittal",))]
)
def test_planes_are_those_with_rows_and_columns(shape, planes):
    assert read_scan(nifti(numbers(*shape)), name="scan.nii").planes == planes


def test_a_scan_like_colin27_has_millimetres_of_its_atlas():
    affine = np.array([[-1, 0, 0, 90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]])  # stored from right to left
    scan = read_scan(gzipped(nifti(numbers(181, 217, 3, dtype=np.uint8), affine)), name="colin27.nii.gz")
    np.testing.assert_array_equal(scan.affine[:3, 3], [-90, -126, -72])
    assert scan.spacing == (1, 1, 1)
    assert scan.oriented
    assert scan.notes == ()


def test_a_path_gives_its_name_and_the_same_scan_as_its_bytes(tmp_path):
    data = nifti(numbers(4, 5, 6))
    path = tmp_path / "scan.nii"
    path.write_bytes(data)
    scan = read_scan(path)
    assert scan.name == "scan.nii"
    assert scan.digest == read_scan(data, name="other.nii").digest


def test_digest_tells_voxels_affines_and_shapes_apart():
    files = [
        nifti(numbers(4, 5, 6)),
        nifti(numbers(4, 5, 6) + np.int16(1)),
        nifti(numbers(4, 5, 6), affine_of("RAS")),
        nifti(numbers(4, 6, 5)),
        nifti(np.zeros((4, 5, 6), np.int16)),
        nifti(np.zeros((4, 6, 5), np.int16)),
        nifti(numbers(4, 5, 6), affine_of("ASR", spacing=(1, 1, 1), origin=(0, 0, 0))),
    ]
    assert len({read_scan(file, name="scan.nii").digest for file in files}) == len(files)


def test_a_file_of_several_volumes_asks_which_one():
    values = numbers(4, 5, 6, 3)
    with pytest.raises(VolumeChoice, match=r"scan.nii: 4-D image with 3 volumes; choose one \(0 to 2\)") as caught:
        read_scan(nifti(values), name="scan.nii")
    assert caught.value.volumes == 3
    np.testing.assert_array_equal(read_scan(nifti(values), name="scan.nii", volume=2).voxels, values[..., 2])
    with pytest.raises(ScanError, match=r"scan.nii: has no volume 3; choose 0 to 2"):
        read_scan(nifti(values), name="scan.nii", volume=3)
    with pytest.raises(ScanError, match=r"scan.nii: has no volume 1; choose 0, the only one"):
        read_scan(nifti(values[..., 0]), name="scan.nii", volume=1)


def test_one_volume_in_four_dimensions_needs_no_choice():
    assert read_scan(nifti(numbers(4, 5, 6, 1)), name="scan.nii").voxels.shape == (4, 5, 6)


def test_values_that_are_not_finite_become_the_smallest_with_a_note():
    values = numbers(4, 5, 6, dtype=np.float32) - 7
    values[0, 0, :3] = np.nan, np.inf, -np.inf
    scan = read_scan(nifti(values), name="scan.nii")
    assert (scan.voxels[0, 0, :4] == [-4, -4, -4, -4]).all()
    assert scan.notes == ("3 voxels that were not finite were set to the smallest value, -4.",)


def test_values_beyond_float32_count_as_not_finite():
    values = np.full((4, 5, 6), 1e300)
    values[0] = 5
    assert read_scan(nifti(values), name="scan.nii").voxels.max() == 5


def test_a_scan_without_a_finite_value_is_refused():
    with pytest.raises(ScanError, match=r"scan.nii: no voxel has a finite value"):
        read_scan(nifti(np.full((4, 5, 6), np.nan, np.float32)), name="scan.nii")


def test_a_constant_image_is_accepted_with_a_note():
    scan = read_scan(nifti(np.full((4, 5, 6), 3, np.int16)), name="scan.nii")
    assert scan.notes == ("All voxels are equal, so there is nothing to segment.",)


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(ScanError, match=r"scan.nii: cannot be opened \(No such file or directory\)"):
        read_scan(Path("nowhere/scan.nii"))


def test_a_slice_is_known_by_the_content_of_its_scan_its_plane_and_its_index():
    read = [read_scan(npy(numbers(3, 4, 5)), name=name) for name in ("one.npy", "other.npy")]
    assert read[0].slice("axial", 2).key == read[1].slice("axial", 2).key != read[0].slice("axial", 3).key
    np.testing.assert_array_equal(read[0].slice("coronal", 1).pixels, slice_of(read[0].voxels, "coronal", 1))


@pytest.mark.parametrize(
    ("plane", "index", "error", "sentence"),
    [
        ("axial", 5, IndexError, "axial slice 5 of 5"),
        ("axial", -1, IndexError, "0 to 4"),
        ("oblique", 0, ValueError, "oblique"),
    ],
)
def test_a_slice_that_the_scan_lacks_is_refused(plane, index, error, sentence):
    with pytest.raises(error, match=sentence):
        read_scan(npy(numbers(3, 4, 5)), name="scan.npy").slice(plane, index)
