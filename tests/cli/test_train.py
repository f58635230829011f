"""`scse-viz train` from folder to networks, and what it says where it cannot."""

import re
import signal
import socket
import sys

import nibabel as nib
import numpy as np
import pytest
import torch

from scse_viz import cli, zoo
from scse_viz.blocks import VARIANTS
from scse_viz.cli import train as command
from scse_viz.models import ALL_ARCHITECTURES
from scse_viz.scans import PLANES
from scse_viz.system.devices import AUTO
from scse_viz.training.engine.machine import DEVICES, PRECISIONS
from scse_viz.training.own import train as own
from scse_viz.training.own.crops import Crops


@pytest.fixture
def folder(tmp_path):
    """Three scans of a bright cube with its labels."""
    for number in range(3):
        reference = np.zeros((16, 16, 16), dtype=np.uint8)
        reference[4 : 9 + number, 5:11, 4:12] = 7
        image = (reference * 20.0 + np.random.default_rng(number).normal(50, 3, reference.shape)).astype(np.float32)
        for part, values in (("images", image), ("labels", reference)):
            (tmp_path / "cubes" / part).mkdir(parents=True, exist_ok=True)
            nib.save(nib.Nifti1Image(values, np.eye(4)), tmp_path / "cubes" / part / f"{number}.nii.gz")
    return tmp_path / "cubes"


@pytest.fixture
def train(folder, tmp_path, monkeypatch):
    """Run `train` on the folder with few steps of a tiny network; the exit code and the folder of networks."""
    monkeypatch.setattr(own, "VALIDATION_SLICES", 2)

    def run(*more):
        out = tmp_path / "networks"
        small = [
            "--steps",
            "2",
            "--batch",
            "2",
            "--size",
            "16",
            "--widths",
            "4",
            "4",
            "4",
            "4",
            "4",
            "--device",
            "cpu",
            "--precision",
            "float32",
        ]
        return cli.main(["train", "--data", str(folder), "--out", str(out), *small, *more]), out

    return run


def test_variants_are_trained_that_segment_and_models_find(train, folder, tmp_path, capsys, monkeypatch):
    code, out = train("--variant", "none", "scse")
    said = capsys.readouterr().out

    assert code == 0
    assert list(zoo.cards(out)) == ["cubes-unet-none", "cubes-unet-scse"]
    assert "cubes: 2 scans for training, 1 of other subjects held out; sagittal, coronal, axial slices" in said
    assert "1 label 7: number 7 in the label files" in said
    assert len(re.findall(r"^step 2 of 2: validation Dice [\d.]+", said, flags=re.MULTILINE)) == 2
    assert f"SCSE_VIZ_MODELS={out} streamlit run app.py" in said
    scan = str(folder / "images" / "0.nii.gz")
    words = ["segment", scan, "--models", str(out), "--model", "cubes-unet-scse", "--out", str(tmp_path / "result")]
    assert cli.main(words) == 0
    assert (tmp_path / "result" / "segmentation.nii.gz").exists()
    monkeypatch.setenv("SCSE_VIZ_MODELS", str(out))
    assert set(zoo.cards()) >= {"brain-unet-scse", "cubes-unet-none"}


def test_names_for_the_numbers_come_from_a_file(train, tmp_path, capsys):
    (tmp_path / "names.txt").write_text("7 cube\n")
    train("--classes", str(tmp_path / "names.txt"), "--name", "My Cubes")

    assert "1 cube: number 7 in the label files" in capsys.readouterr().out


def test_an_interrupted_training_says_where_it_resumes(train, capsys, monkeypatch):
    class Interrupted(Crops):
        def of_step(self, step, rank=0, ranks=1):
            if step == 0:
                signal.raise_signal(signal.SIGINT)
            return super().of_step(step, rank, ranks)

    with monkeypatch.context() as patch:
        patch.setattr(own, "Crops", Interrupted)
        assert train()[0] == cli.STOPPED
    said = capsys.readouterr().err
    assert "cubes-unet-scse: stopped after step 1; the same command resumes the training" in said
    assert "Traceback" not in said
    code, out = train()
    assert code == 0
    assert list(zoo.cards(out)) == ["cubes-unet-scse"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--validation", "1.5"], "--validation 1.5: choose a share between 0 and 1"),
        (["--classes", "nowhere.txt"], "nowhere.txt: not a readable text file"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--widths", "1", "1", "1", "1", "1"], "--widths: reduction 2 leaves no hidden unit of 1 channels"),
        (["--batch", "1"], "--batch 1 of --size 16 leaves a single pixel"),
        (["--name", "???"], "a name needs letters or digits"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(options, sentence, train, capsys):
    assert train(*options)[0] == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "options", [["--steps", "0"], ["--pixel-mm", "-1"], ["--variant", "magic"], ["--batch", "two"]]
)
def test_options_that_are_no_numbers_or_names_are_refused_at_once(options, train, capsys):
    with pytest.raises(SystemExit, match="2"):
        train(*options)
    assert options[0] in capsys.readouterr().err


def test_a_graphics_card_that_is_not_there_is_missed(train, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)  # on a machine that has one as well
    assert train("--device", "cuda")[0] == cli.BAD_INPUT
    assert "torch finds no CUDA device; choose --device cpu" in capsys.readouterr().err


def test_without_the_extra_a_sentence_says_what_to_install(train, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)

    assert train()[0] == cli.BAD_INPUT
    assert "pip install '.[train]'" in capsys.readouterr().err


def test_the_choices_are_those_of_the_tables():
    assert ALL_ARCHITECTURES == command.ARCHITECTURES
    assert list(VARIANTS) == list(command.VARIANTS)
    assert set(PLANES) == set(command.PLANES)
    assert (DEVICES, (AUTO, *PRECISIONS)) == (command.DEVICES, command.PRECISIONS)


def test_a_unet_of_another_library_is_trained_without_asking_a_hub(train, folder, tmp_path, monkeypatch, capsys):
    def refused(*_):
        raise AssertionError("asks the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    encoder = ["--architecture", "smp-unet", "--encoder", "tu-mobilenetv3_small_050"]
    code, out = train("--variant", "none", "scse", *encoder, "--widths", "16", "16", "16")

    assert code == 0
    cards = zoo.cards(out)
    assert list(cards) == ["cubes-smp-unet-none", "cubes-smp-unet-scse"]
    assert cards["cubes-smp-unet-scse"].training["encoder_weights"] == "random"
    assert [block.name for block in cards["cubes-smp-unet-scse"].block_table if not block.ran] == [
        "decoder.blocks.2.attention1.attention"
    ]
    assert cards["cubes-smp-unet-none"].gates == ("channel_gate",)
    scan = str(folder / "images" / "0.nii.gz")
    words = ["segment", scan, "--models", str(out), "--model", "cubes-smp-unet-scse", "--out", str(tmp_path / "result")]
    assert cli.main(words) == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--encoder", "resnet18"], "--encoder: unet has no encoder of another library; choose smp-unet"),
        (["--encoder-weights", "imagenet"], "--encoder-weights: unet has no encoder of another library"),
        (["--architecture", "smp-unet", "--variant", "cse"], "variant 'cse' is none of smp-unet"),
        (["--architecture", "smp-unet", "--encoder", "resnet1"], "encoder 'resnet1' is unknown"),
        (["--architecture", "smp-unet", "--encoder-weights", "nowhere.pt"], "nowhere.pt: no such file"),
    ],
)
def test_encoders_that_cannot_be_had_are_one_sentence(options, sentence, train, capsys):
    assert train(*options, "--widths", "16", "16", "16", "16")[0] == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
