"""What a page offers to take along: files on the scan's grid, a report, and code that computes the view again."""

import gzip
import io
import zipfile

import nibabel as nib
import numpy as np
import pytest

from scse_viz import zoo
from scse_viz.analysis.gates import named_arrays
from scse_viz.inference import segment_slice
from scse_viz.scans import read_scan, samples, slice_of
from scse_viz.ui.shell import export
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.source import Source

NAME = "brain-unet-scse"


@pytest.fixture(scope="module")
def view() -> View:
    scan = read_scan(samples.samples()["icbm2009a"].scan)
    return View(Source(scan), "coronal", 100, zoo.cards())


@pytest.fixture(scope="module")
def result(view):
    return segment_slice(view.scan.slice(view.plane, view.index), zoo.load(NAME), zoo.read_card(NAME))


def test_maps_of_stages_lie_on_the_grid_of_the_scan(view, result):
    maps = {name: gate for name, gate in named_arrays(result.gates).items() if gate.ndim == 2}
    archive = zipfile.ZipFile(io.BytesIO(export.nifti(view, zoo.read_card(NAME), maps)))
    assert len(archive.namelist()) == 9
    file = nib.load(samples.samples()["icbm2009a"].scan)
    for name, scale in (("encoder1-spatial-gate", 1), ("bottleneck-spatial-gate", 16)):
        image = nib.Nifti1Image.from_bytes(gzip.decompress(archive.read(f"{name}.nii.gz")))
        np.testing.assert_allclose(image.affine, file.affine)
        assert np.isnan(image.get_fdata()).any()  # the other slices
        volume = read_scan(image.to_bytes(), name="map.nii").voxels
        assert volume.shape == view.scan.voxels.shape
        placed = slice_of(volume, view.plane, view.index)
        gate = result.gates[name.partition("-")[0]].spatial_gate
        expected = np.kron(gate, np.ones((scale, scale), dtype=np.float32))[: placed.shape[0], : placed.shape[1]]
        np.testing.assert_allclose(placed, expected, atol=1e-6)


def test_the_code_computes_the_view_again(view, result, monkeypatch):
    monkeypatch.chdir(samples.SAMPLE_DATA.parent)
    scope: dict = {}
    exec(export.code_of(view, [zoo.read_card(NAME)]), scope)
    np.testing.assert_array_equal(scope["result"].labels, result.labels)
    np.testing.assert_allclose(scope["result"].gates["decoder1"].spatial_gate, result.gates["decoder1"].spatial_gate)


def test_a_report_names_the_scan_the_network_its_hash_and_the_versions(view, result):
    card = zoo.read_card(NAME)
    page = export.build_report(
        view, "explore", [card], {}, {}, {"bottleneck": result.gates["bottleneck"].spatial_gate}, "x"
    )
    text = page.decode()
    for fact in (view.scan.name, card.sha256, view.scan.digest, "torch", "coronal slice 100", "data:image/png"):
        assert fact in text
