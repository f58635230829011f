"""What a page exports: files on the scan's grid, a report, and code that computes the view again."""

import base64
import gzip
import io
import re
import zipfile
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from scse_viz import zoo
from scse_viz.inference import SliceResult, segment_slice
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


def map_of(result: SliceResult, block: str) -> export.SliceMap:
    gates = result.gates[block]
    return export.SliceMap(gates.spatial_gate, gates.map_mm)


def test_maps_of_stages_lie_on_the_grid_of_the_scan(view, result):
    maps = {f"{block}/spatial_gate": map_of(result, block) for block in result.gates}
    archive = zipfile.ZipFile(io.BytesIO(export.nifti(view, maps)))
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
    maps = {"bottleneck": map_of(result, "bottleneck")}
    page = export.build_report(view, export.ExportContents("explore", [card], maps=maps), "x")
    text = page.decode()
    for fact in (view.scan.name, card.sha256, view.scan.digest, "torch", "coronal slice 100", "data:image/png"):
        assert fact in text


def test_a_report_draws_gates_on_one_scale_and_activations_on_their_own(view, result):
    values = 0.5 * result.gates["encoder1"].spatial_gate / result.gates["encoder1"].spatial_gate.max()
    maps = {
        "gate": export.SliceMap(values, (1.0, 1.0)),
        "activation": export.SliceMap(values, (1.0, 1.0), arbitrary_units=True),
    }
    text = export.build_report(view, export.ExportContents("explore", [], maps=maps), "x").decode()
    assert "gate, 0 to 1" in text
    assert "activation, 0 to 0.5" in text


def test_pictures_of_a_report_follow_the_convention_and_files_do_not(view, result):
    card = zoo.read_card(NAME)
    maps = {"encoder1": map_of(result, "encoder1")}
    mirrored = replace(view, radiological=True)
    contents = export.ExportContents("explore", [card], maps=maps)
    reports = [export.build_report(shown, contents, "x") for shown in (view, mirrored)]
    plain, turned = (report.decode() for report in reports)
    assert "neurological: left is drawn left" in plain
    assert "radiological: right is drawn left" in turned
    pairs = list(zip(_pictures(plain), _pictures(turned), strict=True))
    assert len(pairs) == 3  # slice, prediction, map
    assert all((one == other[:, ::-1]).all() for one, other in pairs)
    assert all((one != other).any() for one, other in pairs[1:])  # the head itself is symmetric
    volumes = [
        nib.Nifti1Image.from_bytes(
            gzip.decompress(zipfile.ZipFile(io.BytesIO(export.nifti(shown, maps))).read("encoder1.nii.gz"))
        )
        for shown in (view, mirrored)
    ]
    np.testing.assert_array_equal(volumes[0].get_fdata(), volumes[1].get_fdata())


def _pictures(report: str) -> list[np.ndarray]:
    encoded = re.findall(r'src="data:image/png;base64,([^"]+)"', report)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(picture)))) for picture in encoded]
