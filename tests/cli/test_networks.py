"""Networks of other libraries and of a user's own code, on the command line."""

import json
from dataclasses import asdict, replace

import nibabel as nib
import numpy as np
import pytest
import torch

from scse_viz import cli, zoo
from scse_viz.inference import segment_slice
from scse_viz.scans import read_scan, slice_of, stacked
from scse_viz.zoo.foreign import Answers, Request, answers
from tests import smp_files
from tests.cli.words import CARD, refusal

CODE = """
from tests import smp_files

def make_network():
    return smp_files.network(classes=1, in_channels=3)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder of save_pretrained."""
    folder = tmp_path_factory.mktemp("networks") / "lungs"
    smp_files.network().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["folder", "zip", "weights"])
def test_a_network_of_segmentation_models_pytorch_segments(kind, saved, segment, scan, tmp_path, capsys):
    source = saved
    if kind == "zip":
        source = tmp_path / "lungs.zip"
        source.write_bytes(smp_files.zipped(saved))
    if kind == "weights":
        source = smp_files.saved(smp_files.network().state_dict(), tmp_path / "lungs.pth")
    code, out = segment("--classes", "background, left lung #112233, right lung", model=source, models=None)
    assert code == 0
    assert "lungs: Percentiles 0.5 and 99.5 of the scan become 0 and 1." in capsys.readouterr().err

    values = np.asarray(nib.as_closest_canonical(nib.load(scan)).dataobj)
    low, high = np.percentile(values, (0.5, 99.5))
    x = torch.from_numpy(slice_of(((values - low) / (high - low)).clip(0, 1), "axial", 5).astype(np.float32))
    rows, columns = x.shape
    padded = torch.nn.functional.pad(x[None, None], (0, 32 - columns, 0, 32 - rows), mode="replicate")
    with torch.no_grad():
        expected = smp_files.network()(padded)[0, :, :rows, :columns].argmax(dim=0)
    prediction = np.asarray(nib.as_closest_canonical(nib.load(out / "segmentation.nii.gz")).dataobj)
    assert (slice_of(prediction, "axial", 5) == expected.numpy()).mean() > 0.99  # ties of float32
    assert json.loads((out / "classes.json").read_text())["1"] == "left lung"
    gates = np.load(out / "attention.npz")
    assert gates["decoder.blocks.0.attention2.attention/spatial_gate"].shape == (17, 2, 2)
    assert gates["decoder.blocks.0.attention2.attention/channel_gate"].shape == (17, 32)


def test_a_function_of_the_users_own_code_segments(segment, tmp_path, capsys):
    code = tmp_path / "my_code_of_cli.py"
    code.write_text(CODE)
    weights = smp_files.saved(smp_files.network(classes=1, in_channels=3).state_dict(), tmp_path / "mine.pt")
    options = {"model": None, "models": None, "network": f"{code}:make_network", "weights": weights}
    assert segment("--classes", "tumour", "--scaling", "z-score", **options)[0] == 0
    said = capsys.readouterr().err
    assert "mine: One gray slice fills all 3 channels: it is repeated 3 times." in said
    assert "mine: The scan's mean becomes 0, its standard deviation 1." in said
    classes = json.loads((tmp_path / "results" / "classes.json").read_text())
    assert classes == {"0": "background", "1": "tumour"}


def test_channels_that_are_named_are_scans_of_their_own(segment, saved, tmp_path, capsys):
    weights = smp_files.saved(smp_files.network(in_channels=3).state_dict(), tmp_path / "three.pt")
    assert segment("--channels", "T1, T2, FLAIR", model=weights, models=None)[0] == 2
    assert "a single volume, and three sees 3 at once (T1, T2, FLAIR)" in capsys.readouterr().err
    weights = smp_files.saved(smp_files.network(in_channels=4).state_dict(), tmp_path / "four.pt")
    assert segment("--channels", "", model=weights, models=None)[0] == 0
    assert "four: One gray slice fills all 4 channels" in capsys.readouterr().err


def test_several_scans_fill_the_channels_of_a_network(networks, scan, tmp_path):
    card = replace(CARD, name="two", in_channels=2, channels=("T1", "T2"))
    zoo.save(card.network(seed=3), card, networks)
    other = tmp_path / "other.nii.gz"
    image = nib.load(scan)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj) ** 2, image.affine), other)
    out = tmp_path / "out"
    words = ["--model", "two", "--models", str(networks), "--plane", "coronal", "--out", str(out)]
    assert cli.main(["segment", str(scan), str(other), *words]) == 0

    prediction = np.asarray(nib.as_closest_canonical(nib.load(out / "segmentation.nii.gz")).dataobj)
    together = stacked([read_scan(scan), read_scan(other)])
    alone = segment_slice(together.slice("coronal", 6), zoo.load("two", networks), card)
    np.testing.assert_array_equal(slice_of(prediction, "coronal", 6), alone.labels)


@pytest.mark.parametrize(
    ("words", "changed", "sentence"),
    [
        ([], {"model": None}, "give one of --model, a network or a file of one, and --network"),
        (["--weights", "a.pth"], {"model": "SAVED"}, "--weights: name the function"),
        (["--tiles"], {"model": "SAVED"}, "--tiles: give their size with --size"),
        ([], {"model": "gone.pth"}, "gone.pth: no such folder or file"),
        (["--classes", "a, b, c, d"], {"model": "SAVED"}, "class 3 is named, and the network has classes 0 to 2"),
        (["--classes", "gone.json"], {"model": "SAVED"}, "gone.json: cannot be read"),
        (["--size", "100"], {"model": "SAVED"}, ""),
        (["--network", "gone.py:make"], {"model": None}, "gone.py: no such file"),
    ],
)
def test_refusals(words, changed, sentence, saved, segment, capsys):
    changed = {key: saved if value == "SAVED" else value for key, value in changed.items()}
    code, _ = segment(*words, **changed)
    if sentence:
        assert code == 2
        assert sentence in refusal(capsys)
    else:
        assert code == 0


def test_the_app_starts_with_a_network_that_opens_and_not_with_another(saved, capfd, monkeypatch):
    assert cli.main(["app", "--device", "cuda:99"]) == 2
    assert "cuda:99: torch finds no such device" in capfd.readouterr().err
    assert cli.main(["app", "--model", "gone.zip"]) == 2
    assert "gone.zip: no such folder or file" in capfd.readouterr().err
    with pytest.raises(SystemExit, match="2"):  # the exit code of Streamlit
        cli.main(["app", "--model", str(saved), "--", "--no-such-option"])
    assert "No such option" in capfd.readouterr().err


def test_the_app_reads_what_its_command_line_said(monkeypatch):
    asked = Request("a.zip", encoder="resnet34", answers=Answers(head="sigmoid", size=64, arguments=(("classes", 2),)))
    monkeypatch.setenv(answers.REQUESTS, json.dumps([asdict(asked)]))
    (read,) = answers.requests()
    assert read == asked
