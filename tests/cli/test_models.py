"""`scse-viz models`: a row for every network."""

import re
import shutil

import torch

from scse_viz import cli, zoo
from scse_viz.inference import cost
from tests.cli.words import CARD, refusal


def test_a_folder_without_networks_says_so(tmp_path, capsys):
    assert cli.main(["models", "--models", str(tmp_path)]) == 2
    assert "no networks in this folder" in refusal(capsys)


def test_models_lists_a_row_for_every_network(networks, capsys):
    assert cli.main(["models", "--models", str(networks)]) == 0
    rows = capsys.readouterr().out.splitlines()
    row = next(row for row in rows if row.startswith("tiny-unet-scse"))

    assert re.split(r"\s{2,}", rows[0])[:4] == ["name", "structures", "planes", "parameters"]
    assert len(rows) == 1 + len(zoo.cards(networks))
    assert re.split(r"\s{2,}", row)[1:3] == ["2", "axial, coronal, sagittal"]
    multiply_adds = cost.multiply_adds(CARD.network(), torch.zeros(1, 1, *cost.SIZE))
    assert re.split(r"\s{2,}", row)[4:] == [
        f"{multiply_adds / 1e6:,.1f} million at 256 × 256", "12,000", "0.812", "CC0-1.0"
    ]  # fmt: skip


def test_a_foreign_table_in_the_folder_is_named_and_the_rest_is_listed(networks, capsys, tmp_path):
    folder = tmp_path / "mixed"
    shutil.copytree(networks, folder)
    (folder / "config.json").write_text("{}")
    assert cli.main(["models", "--models", str(folder)]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("scse-viz: skipped: config.json is not a card")
    assert len(said.out.splitlines()) == 1 + len(zoo.cards(networks))


def test_models_lists_the_shipped_networks(capsys):
    assert cli.main(["models"]) == 0
    listed = [row.split()[0] for row in capsys.readouterr().out.splitlines()[1:]]

    assert listed == list(zoo.cards())
    assert len(listed) >= 24
