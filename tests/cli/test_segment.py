"""`scse-viz segment` from file to files, and every refusal: code 2 and one line."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from scse_viz import zoo
from scse_viz.analysis.gates import named_arrays
from scse_viz.cli.common import PLANES as CHOICES
from scse_viz.inference import segment_slice
from scse_viz.scans import PLANES, read_scan, slice_of
from tests.cli.words import CARD, refusal

FILES = ["attention.npz", "classes.json", "segmentation.nii.gz", "summary.json"]


@pytest.mark.parametrize("plane", CHOICES)
def test_the_segmentation_lies_on_the_files_own_grid_and_is_that_of_every_slice(plane, segment, scan, networks):
    code, out = segment("--plane", plane)
    written, source, read = nib.load(out / "segmentation.nii.gz"), nib.load(scan), read_scan(scan)
    model = zoo.load(CARD.name, networks)

    assert code == 0
    assert nib.aff2axcodes(written.affine) == ("P", "I", "L")
    assert written.shape == source.shape
    assert written.get_data_dtype() == np.uint8
    np.testing.assert_allclose(written.affine, source.affine)
    in_ras = np.asarray(nib.as_closest_canonical(written).dataobj)
    for index in range(in_ras.shape[PLANES[plane]]):
        alone = segment_slice(read.slice(plane, index), model, CARD)
        clear = alone.confidence > 0.34  # beside an exact tie of three
        np.testing.assert_array_equal(slice_of(in_ras, plane, index)[clear], alone.labels[clear])


def test_the_gates_of_every_slice_are_kept_in_order_as_float16(segment, scan, networks):
    _, out = segment(plane="coronal")
    gates = np.load(out / "attention.npz")
    result = segment_slice(read_scan(scan).slice("coronal", 9), zoo.load(CARD.name, networks), CARD)
    expected = named_arrays(result.gates)

    assert gates.files == list(expected)
    for name, gate in expected.items():
        assert gates[name].dtype == np.float16
        assert gates[name].shape == (13, *gate.shape)
        np.testing.assert_allclose(gates[name][9], gate, atol=1e-3)


def test_a_network_without_gates_gives_its_activations(segment):
    _, out = segment(model="tiny-unet-none")

    assert set(np.load(out / "attention.npz")) >= {"encoder1/activation", "bottleneck/activation"}


def test_the_summary_says_what_ran_and_the_volume_of_each_structure(segment, networks):
    _, out = segment()
    summary = json.loads((out / "summary.json").read_text())
    prediction = np.asarray(nib.load(out / "segmentation.nii.gz").dataobj)

    assert (summary["scan"], summary["model"], summary["plane"]) == ("head.nii.gz", CARD.name, "axial")
    assert summary["model_sha256"] == zoo.cards(networks)[CARD.name].sha256
    assert summary["input_pixel_mm"] == pytest.approx([1, 1])
    assert summary["volume_ml"] == {
        name: pytest.approx((prediction == number).sum() * 1.2 / 1000, abs=5e-4)
        for number, name in enumerate(("background", "shell", "core"))
    }
    assert "dice" not in summary
    assert set(summary["versions"]) == {"scse-viz", "torch", "numpy", "nibabel"}
    assert json.loads((out / "classes.json").read_text()) == {"0": "background", "1": "shell", "2": "core"}


def test_dice_is_that_of_the_structures_that_the_labels_hold(segment):
    _, out = segment()
    labels = out / "segmentation.nii.gz"
    prediction = nib.load(labels)
    assert {0, 1, 2} <= set(np.unique(prediction.dataobj).tolist())
    reference = np.where(np.asarray(prediction.dataobj) == 2, 0, prediction.dataobj).astype(np.uint8)
    nib.save(nib.Nifti1Image(reference, prediction.affine), out / "reference.nii.gz")
    segment(labels=out / "reference.nii.gz")

    dice = json.loads((out / "summary.json").read_text())["dice"]
    assert dice == {"shell": 1, "core": None}


def test_results_replace_older_ones_and_leave_other_files(segment):
    segment(model="tiny-unet-none")
    _, out = segment()
    (out / "mine.txt").write_text("kept")
    segment()

    assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "mine.txt"])
    assert json.loads((out / "summary.json").read_text())["model"] == CARD.name


def test_the_default_plane_is_one_that_scan_and_network_have(segment, networks, tmp_path):
    card = replace(CARD, name="sideways", planes=("coronal", "sagittal"))
    zoo.save(card.network(seed=3), card, networks)
    _, out = segment(model="sideways")

    assert json.loads((out / "summary.json").read_text())["plane"] == "sagittal"


def test_a_plane_that_a_flat_image_lacks_is_refused(segment, tmp_path, capsys):
    flat = tmp_path / "flat.nii"
    nib.save(nib.Nifti1Image(np.eye(9, dtype=np.float32)[..., None], np.eye(4)), flat)

    assert segment("--plane", "coronal", source=flat)[0] == 2
    assert "flat.nii has axial slices" in refusal(capsys)


@pytest.mark.parametrize("name", ["brain-unet-magic", "../tiny-unet-scse"])
def test_an_unknown_network_is_refused_with_those_there_are(name, segment, capsys):
    assert segment(model=name)[0] == 2
    assert re.search(f"{re.escape(name)}: no such network .* there are: .*tiny-unet-scse", refusal(capsys))


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, r"gone\.nii"), (b"no image", r"gone\.nii"), (b"", r"gone\.nii")]
)
def test_a_file_that_is_no_scan_is_refused(content, sentence, segment, tmp_path, capsys):
    path = tmp_path / "gone.nii"
    if content is not None:
        path.write_bytes(content)

    assert segment(source=path)[0] == 2
    assert re.search(sentence, refusal(capsys))


def test_a_four_dimensional_scan_needs_a_volume(segment, tmp_path, capsys):
    series = tmp_path / "series.nii"
    nib.save(nib.Nifti1Image(np.random.default_rng(0).random((5, 6, 7, 3)).astype(np.float32), np.eye(4)), series)

    assert segment(source=series)[0] == 2
    assert "--volume" in refusal(capsys)
    assert segment(source=series, volume=9)[0] == 2
    assert refusal(capsys)
    assert segment(source=series, volume=2)[0] == 0


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.ones((4, 4, 4)), "4 × 4 × 4"),
        (np.full((13, 17, 10), 3), "classes 0 to 2"),
        (np.full((13, 17, 10), -1), "numbers -1"),
        (np.full((13, 17, 10), 0.5), "whole"),
    ],
)
def test_labels_that_do_not_fit_are_refused_before_anything_runs(labels, sentence, segment, scan, tmp_path, capsys):
    path = tmp_path / "labels.nii"
    nib.save(nib.Nifti1Image(labels.astype(np.float32), nib.load(scan).affine), path)
    code, out = segment(labels=path)

    assert code == 2
    assert sentence in refusal(capsys)
    assert not out.exists()


def test_damaged_weights_are_refused(segment, networks, tmp_path, capsys):
    for path in networks.iterdir():
        (tmp_path / path.name).write_bytes(
            path.read_bytes()[:-1] if path.suffix == ".safetensors" else path.read_bytes()
        )

    assert segment(models=tmp_path)[0] == 2
    assert "sha256 differs" in refusal(capsys)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_refused(place, segment, tmp_path, capsys):
    (tmp_path / "file").write_text("")

    assert segment(out=tmp_path / place)[0] == 2
    assert "cannot be written" in refusal(capsys)


def test_an_interrupted_run_ends_quietly_and_leaves_no_file(networks, tmp_path):
    path = tmp_path / "large.nii"
    nib.save(nib.Nifti1Image(np.zeros((128, 128, 400), dtype=np.uint8), np.eye(4)), path)
    out = tmp_path / "results"
    # A test run in the background hands on a deaf ear for this signal.
    code = (
        "import signal, sys; from scse_viz.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "segment", path, "--model", CARD.name, "--out", out, "--models", networks]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as run:
        said = b""
        while b"slice/s" not in said and (more := run.stderr.read1()):
            said += more
        run.send_signal(signal.SIGINT)
        said += run.stderr.read()

    assert run.returncode == 130
    assert b"Traceback" not in said
    assert list(out.iterdir()) == []


def test_the_processor_may_be_asked_for_and_a_device_that_is_not_there_is_refused(segment, tmp_path, capsys):
    assert segment("--device", "cpu")[0] == 0
    capsys.readouterr()
    code, out = segment("--device", "cuda:99", out=tmp_path / "never")
    assert code == 2
    assert "cuda:99: torch finds no such device; choose cpu or auto" in refusal(capsys)
    assert not out.exists()
