"""The command line from file to files, and every refusal: code 2 and one line."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch

from scse_viz import cli, zoo
from scse_viz.anatomy import Structure
from scse_viz.blocks import VARIANTS
from scse_viz.inference import segment_slice
from scse_viz.scans import PLANES, read_scan, slice_of
from tests.cards import TINY

CARD = replace(
    TINY,
    structures=tuple(Structure(n, name, f"#00000{n}") for n, name in enumerate(("background", "shell", "core"))),
    training={"crops": 12_000, "licence": "CC0-1.0"},
    figures={"mean_dice": 0.8125},
)
FILES = ["attention.npz", "classes.json", "segmentation.nii.gz", "summary.json"]


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """A folder of two untrained networks, with and without gates."""
    folder = tmp_path_factory.mktemp("networks")
    for variant in ("none", "scse"):
        card = replace(CARD, name=f"tiny-unet-{variant}", variant=variant)
        model = card.network(seed=3).eval().requires_grad_(False)
        # Spread the answers over the three classes, with clear winners.
        model.classifier.weight *= 1000
        model.classifier.bias -= model(torch.rand(1, 1, 64, 64)).mean(dim=(0, 2, 3))
        zoo.save(model, card, folder)
    return folder


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """A 10 x 13 x 17 volume whose file runs posterior, inferior, left, off the origin."""
    values = np.random.default_rng(1).random((10, 13, 17)).astype(np.float32)
    affine = np.diag([1.5, 1, 0.8, 1])
    affine[:3, 3] = -7, 11, 3
    turned = nib.orientations.ornt_transform(*(nib.orientations.axcodes2ornt(codes) for codes in ("RAS", "PIL")))
    path = tmp_path_factory.mktemp("scans") / "head.nii.gz"
    nib.save(nib.Nifti1Image(values, affine).as_reoriented(turned), path)
    return path


@pytest.fixture
def segment(networks, scan, tmp_path):
    """Run `segment` with some options changed (None leaves one out); the exit code and the folder of results."""

    def run(*more, source=scan, **changed):
        options = {"model": CARD.name, "out": tmp_path / "results", "models": networks} | changed
        words = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
        return cli.main(["segment", str(source), *words, *more]), options["out"]

    return run


def refusal(capsys):
    """What stands on stderr: one line."""
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


@pytest.mark.parametrize("plane", cli.PLANES)
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
        alone = segment_slice(read, model, CARD, plane, index)
        clear = alone.confidence > 0.34  # beside an exact tie of three
        np.testing.assert_array_equal(slice_of(in_ras, plane, index)[clear], alone.labels[clear])


def test_the_gates_of_every_slice_are_kept_in_order_as_float16(segment, scan, networks):
    _, out = segment(plane="coronal")
    gates = np.load(out / "attention.npz")
    expected = segment_slice(read_scan(scan), zoo.load(CARD.name, networks), CARD, "coronal", 9).gates

    assert gates.files == list(expected)
    for name, gate in expected.items():
        assert gates[name].dtype == np.float16
        assert gates[name].shape == (13, *gate.shape)
        np.testing.assert_allclose(gates[name][9], gate, atol=1e-3)


def test_a_network_without_gates_gives_its_activations(segment):
    _, out = segment(model="tiny-unet-none")

    assert set(np.load(out / "attention.npz")) >= {"encoder1/activation", "bottleneck/activation"}


def test_the_summary_says_what_ran_and_how_much_was_found(segment, networks):
    _, out = segment()
    summary = json.loads((out / "summary.json").read_text())
    found = np.asarray(nib.load(out / "segmentation.nii.gz").dataobj)

    assert (summary["scan"], summary["model"], summary["plane"]) == ("head.nii.gz", CARD.name, "axial")
    assert summary["model_sha256"] == zoo.cards(networks)[CARD.name].sha256
    assert summary["input_pixel_mm"] == pytest.approx([1, 1])
    assert summary["volume_ml"] == {
        name: pytest.approx((found == number).sum() * 1.2 / 1000, abs=5e-4)
        for number, name in enumerate(("background", "shell", "core"))
    }
    assert "dice" not in summary
    assert set(summary["versions"]) == {"scse-viz", "torch", "numpy", "nibabel"}
    assert json.loads((out / "classes.json").read_text()) == {"0": "background", "1": "shell", "2": "core"}


def test_dice_is_that_of_the_structures_that_the_labels_hold(segment):
    _, out = segment()
    labels = out / "segmentation.nii.gz"
    found = nib.load(labels)
    assert {0, 1, 2} <= set(np.unique(found.dataobj).tolist())
    truth = np.where(np.asarray(found.dataobj) == 2, 0, found.dataobj).astype(np.uint8)
    nib.save(nib.Nifti1Image(truth, found.affine), out / "truth.nii.gz")
    segment(labels=out / "truth.nii.gz")

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


def test_a_plane_that_a_flat_image_has_not_is_refused(segment, tmp_path, capsys):
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
    ("shape", "value", "sentence"),
    [
        ((4, 4, 4), 1, "4 × 4 × 4"),
        ((13, 17, 10), 3, "classes 0 to 2"),
        ((13, 17, 10), -1, "numbers -1"),
        ((13, 17, 10), 0.5, "whole"),
    ],
)
def test_labels_that_do_not_fit_are_refused_before_anything_runs(
    shape, value, sentence, segment, scan, tmp_path, capsys
):
    path = tmp_path / "labels.nii"
    nib.save(nib.Nifti1Image(np.full(shape, value, dtype=np.float32), nib.load(scan).affine), path)
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


@pytest.mark.parametrize("command", [["models"], ["segment", "x.nii", "--model", "y", "--out", "z"]])
def test_a_folder_of_networks_that_is_not_there_is_refused(command, tmp_path, capsys):
    assert cli.main([*command, "--models", str(tmp_path / "nowhere")]) == 2
    assert "nowhere: no such folder" in refusal(capsys)


def test_a_folder_without_networks_says_so(tmp_path, capsys):
    assert cli.main(["models", "--models", str(tmp_path)]) == 2
    assert "no networks there" in refusal(capsys)


def test_models_lists_a_row_for_every_network(networks, capsys):
    assert cli.main(["models", "--models", str(networks)]) == 0
    rows = capsys.readouterr().out.splitlines()
    row = next(row for row in rows if row.startswith("tiny-unet-scse"))

    assert re.split(r"\s{2,}", rows[0])[:4] == ["name", "structures", "planes", "parameters"]
    assert len(rows) == 1 + len(zoo.cards(networks))
    assert re.split(r"\s{2,}", row)[1:3] == ["2", "axial, coronal, sagittal"]
    assert re.split(r"\s{2,}", row)[4:] == ["12,000", "0.812", "CC0-1.0"]


def test_models_lists_the_shipped_networks(capsys):
    assert cli.main(["models"]) == 0
    listed = [row.split()[0] for row in capsys.readouterr().out.splitlines()[1:]]

    assert listed == list(zoo.cards())
    assert len(listed) >= len(VARIANTS) - 3


def test_the_planes_of_the_command_are_those_of_a_scan():
    assert set(cli.PLANES) == set(PLANES)


def test_help_and_version_come_without_loading_what_is_slow():
    code = (
        "import sys; from scse_viz.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "assert not {'torch', 'numpy', 'nibabel', 'streamlit'} & set(sys.modules)"
    )
    for option in ("--help", "--version"):
        said = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, check=True)
        assert "scse-viz" in said.stdout


def test_the_module_runs_like_the_command_and_never_loads_streamlit(networks):
    command = [sys.executable, "-X", "importtime", "-m", "scse_viz", "models", "--models", str(networks)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "tiny-unet-scse" in said.stdout
    assert "torch" in said.stderr  # the list of what was loaded
    assert "streamlit" not in said.stderr


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
