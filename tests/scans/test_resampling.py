"""Maps on the scan's own grid: where each value lands, to the voxel."""

import nibabel as nib
import numpy as np
import pytest

from scse_viz import zoo
from scse_viz.inference import segment_slice
from scse_viz.scans import PLANES, read_scan, slice_grid, slice_of
from scse_viz.scans.resampling import on_grid, shares, to_image
from scse_viz.scans.samples import samples
from tests.scan_files import nifti

CODES = ["RAS", "LPS", "PIR", "SLA", "ASR"]
SPACING = np.array([0.7, 1.25, 3.0])  # mm along right, front, top


def turned(voxels, codes, spacing=SPACING):
    """A NIfTI file of voxels (X, Y, Z) in RAS, its axes turned to some codes."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = [-20, -31, 7]
    image = nib.Nifti1Image(np.asarray(voxels, dtype=np.float32), affine)
    to = nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(codes))
    return written(image.as_reoriented(to))


def written(image):
    """The image as another program reads it."""
    return nib.Nifti1Image.from_bytes(image.to_bytes())


def world(image):
    """The place in mm of every voxel (X, Y, Z, 3) of an image, with the voxel's value."""
    places = nib.affines.apply_affine(image.affine, np.stack(np.indices(image.shape), axis=-1).reshape(-1, 3))
    return {tuple(np.round(place, 3)): value for place, value in zip(places, image.get_fdata().ravel(), strict=True)}


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("plane", PLANES)
def test_a_map_on_the_slices_own_pixels_is_the_scan_itself_voxel_by_voxel(codes, plane):
    voxels = np.random.default_rng(0).random((7, 9, 5)).astype(np.float32)
    image = turned(voxels, codes)
    scan = read_scan(image.to_bytes(), name="scan.nii")
    grid = slice_grid(scan, plane)
    maps = {index: slice_of(scan.voxels, plane, index) for index in range(grid.count)}
    exported = written(to_image(scan, plane, maps, (grid.row_mm, grid.column_mm)))
    np.testing.assert_array_equal(exported.affine, image.affine)
    np.testing.assert_allclose(np.asanyarray(exported.dataobj), image.get_fdata(), rtol=1e-6)
    assert exported.get_data_dtype() == np.float32
    assert world(exported).keys() == world(image).keys()


@pytest.mark.parametrize("codes", CODES)
def test_a_pixel_of_a_coarse_map_covers_its_own_voxels_and_no_other(codes):
    # 7 x 9 voxels of 0.7 x 1.25 mm, maps of scale 4, padded: 2 x 3 pixels of 2.8 x 5 mm from the top left corner
    image = turned(np.random.default_rng(0).random((7, 9, 5)), codes)
    scan = read_scan(image.to_bytes(), name="scan.nii")
    exported = written(to_image(scan, "axial", {3: np.arange(6).reshape(3, 2)}, (5.0, 2.8)))
    resampled = on_grid(scan, "axial", {3: np.arange(6).reshape(3, 2)}, (5.0, 2.8))
    assert np.isnan(np.delete(resampled, 3, axis=2)).all()
    for x in range(7):
        for y in range(9):
            row, column = (9 - 1 - y) // 4, x // 4  # rows go posterior
            assert resampled[x, y, 3] == 2 * row + column
            place = scan.affine @ [x, y, 3, 1]
            assert world(exported)[tuple(np.round(place[:3], 3))] == 2 * row + column


def test_a_voxel_of_several_pixels_has_their_mean_by_area():
    # voxels of 3 mm over pixels of 2 mm: the first has all of pixel 0 and half of pixel 1
    expected = [[2 / 3, 1 / 3, 0, 0], [0, 1 / 3, 2 / 3, 0]]
    np.testing.assert_allclose(shares(2, 3.0, 4, 2.0), expected, atol=1e-6)
    np.testing.assert_array_equal(shares(3, 0.1, 3, 0.1), np.eye(3))  # rounding makes no slivers


def test_a_map_that_ends_before_its_slice_is_refused():
    with pytest.raises(ValueError, match="a map of 8 mm for a slice of 9 mm"):
        shares(9, 1.0, 2, 4.0)


def test_a_constant_map_stays_what_it_is_on_any_grid():
    scan = read_scan(nifti(np.random.default_rng(0).random((11, 13, 6)), np.diag([0.9, 1.1, 2, 1])), name="s.nii")
    resampled = on_grid(scan, "coronal", dict.fromkeys(range(13), np.full((16, 16), 0.25)), (1.0, 1.0))
    np.testing.assert_allclose(resampled, 0.25, rtol=1e-6)


def test_the_gates_of_a_real_slice_are_on_their_pixels():
    scan = read_scan(samples()["colin27"].scan)  # 181 x 217 x 181: no side a multiple of 16
    name = next(name for name, card in zoo.cards().items() if card.variant == "scse")
    card = zoo.read_card(name)
    result = segment_slice(scan.slice("axial", 80), zoo.load(name), card)
    for block, scale in (("encoder1", 1), ("encoder3", 4), ("bottleneck", 16)):
        gate = result.gates[block].spatial_gate
        resampled = slice_of(on_grid(scan, "axial", {80: gate}, (scale, scale)), "axial", 80)
        for row, column in ((0, 0), (100, 55), (216, 180), (31, 160)):
            assert resampled[row, column] == pytest.approx(gate[row // scale, column // scale], rel=1e-5)
