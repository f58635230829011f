"""What a browser is sent of a volume: where each voxel is, in millimetres."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from scse_viz.rendering import volumes
from scse_viz.rendering.volumes import GRAYS, label_layer, map_layer, scan_layer
from scse_viz.scans import PLANES, read_scan
from scse_viz.scans.resampling import on_grid
from tests.scan_files import nifti

AFFINE = np.array([[-0.9, 0, 0, 40], [0, 0.2, 2.2, -30], [0, -1.3, 0.3, 12], [0, 0, 0, 1]])  # LIA, oblique


def scan_of(shape=(9, 14, 11), affine=AFFINE):
    return read_scan(nifti(np.random.default_rng(0).random(shape).astype(np.float32), affine), name="scan.nii")


def opened(layer):
    return nib.Nifti1Image.from_bytes(gzip.decompress(layer.content))


def at(image, mm):
    """The value of an image nearest to a place in mm."""
    voxel = np.linalg.solve(image.affine, [*mm, 1])[:3].round().astype(int)
    return np.asarray(image.dataobj)[tuple(voxel)]


def test_the_scan_is_sent_in_few_grays_from_black_to_white_where_it_is():
    scan = scan_of()
    image = opened(scan_layer(scan, (0.1, 0.9)))
    values = np.asarray(image.dataobj)
    assert values.dtype == np.uint8
    assert (values.min(), values.max(), len(np.unique(values))) == (0, 255, GRAYS)
    np.testing.assert_allclose(image.affine, scan.affine, atol=1e-5)
    np.testing.assert_allclose(values / 255, ((scan.voxels - 0.1) / 0.8).clip(0, 1), atol=1.01 / GRAYS)


@pytest.mark.parametrize(("largest", "steps"), [(5 * 14 * 11, (2, 1, 1)), (5 * 7 * 11, (2, 1, 2)), (300, (3, 1, 2))])
def test_a_large_scan_is_thinned_along_its_finest_axis_and_stays_in_place(largest, steps, monkeypatch):
    monkeypatch.setattr(volumes, "LARGEST", largest)
    scan = scan_of()  # RAS: 9 x 11 x 14 voxels of 0.9 x 2.2 x 1.3 mm
    labels = np.arange(scan.voxels.size).reshape(scan.voxels.shape) % 251
    layer = label_layer(scan, labels)
    assert layer.steps == steps
    assert layer.voxel_mm == pytest.approx(np.multiply(steps, scan.spacing))
    for voxel in (np.multiply(steps, index) for index in ((0, 0, 0), (2, 10, 6), (1, 3, 4))):
        assert at(opened(layer), (scan.affine @ [*voxel, 1])[:3]) == labels[tuple(voxel)]


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_map_lies_where_the_exported_map_lies(plane, scale):
    scan = scan_of()
    rows, columns = (side for axis, side in reversed(list(enumerate(scan.voxels.shape))) if axis != PLANES[plane])
    down, across = (scan.spacing[axis] for axis in reversed(range(3)) if axis != PLANES[plane])
    shape = (scan.voxels.shape[PLANES[plane]], 16 // scale, 16 // scale)  # padded, beyond the slice
    assert rows <= 16
    assert columns <= 16
    maps = np.random.default_rng(1).integers(0, 255, shape) / 254
    map_mm = (scale * down, scale * across)
    image = opened(map_layer(scan, plane, maps, np.ones(shape[0], dtype=bool), map_mm))
    exported = on_grid(scan, plane, dict(enumerate(maps)), map_mm)
    for voxel in np.ndindex(scan.voxels.shape):
        drawn = (at(image, (scan.affine @ [*voxel, 1])[:3]).astype(float) - 1) / 254
        assert drawn == pytest.approx(exported[voxel], abs=0.004)


def test_slices_that_are_not_done_are_empty_and_all_others_are_not():
    scan = scan_of()
    done = np.array([True, False] * 7)
    values = np.asarray(opened(map_layer(scan, "axial", np.zeros((14, 16, 16)), done, scan.spacing[:2])).dataobj)
    assert (values[:, :, done] == 1).all()
    assert (values[:, :, ~done] == 0).all()


def test_a_large_map_is_averaged_in_its_plane(monkeypatch):
    monkeypatch.setattr(volumes, "LARGEST_MAP", 14 * 8 * 8)
    scan = scan_of()
    maps = np.zeros((14, 16, 16))
    maps[:, 0, 0] = 1
    layer = map_layer(scan, "axial", maps, np.ones(14, dtype=bool), (scan.spacing[1], scan.spacing[0]))
    values = np.asarray(opened(layer).dataobj)
    assert values.shape == (8, 8, 14)
    assert values[0, 7, 5] == 1 + round(254 / 4)
    assert layer.voxel_mm == pytest.approx((2 * scan.spacing[0], 2 * scan.spacing[1], scan.spacing[2]))


def test_activations_have_a_range_of_their_own():
    scan = scan_of()
    maps = np.full((14, 16, 16), 6.0)
    layer = map_layer(scan, "axial", maps, np.ones(14, dtype=bool), scan.spacing[:2], span=(0.0, 12.0))
    assert set(np.asarray(opened(layer).dataobj).ravel()) == {128}


def test_equal_volumes_have_equal_names_and_others_have_others():
    scan, labels = scan_of(), np.zeros((9, 11, 14), dtype=np.uint8)
    first = label_layer(scan, labels).name
    assert label_layer(scan, labels.copy()).name == first
    labels[0, 0, 0] = 1
    assert label_layer(scan, labels).name != first
