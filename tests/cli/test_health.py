"""`scse-viz health` on tiny networks: a verdict a gate, files, and refusals in one sentence."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scse_viz import cli, zoo
from scse_viz.analysis.health import Verdict
from tests import smp_files
from tests.cli.words import CARD, refusal
from tests.scan_files import nifti


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(2):
        voxels = np.random.default_rng(number).random((16, 18, 9)) * 100
        (folder / f"head{number}.nii").write_bytes(nifti(voxels.astype(np.float32)))
    (folder / "notes.txt").write_text("not a scan")
    return folder


def run(networks: Path, *arguments: object) -> int:
    return cli.main(["health", *map(str, arguments), "--models", str(networks), "--slices", "2"])


def test_every_gate_of_a_folder_of_scans_has_a_row_the_worst_first(networks, scans, tmp_path, capsys):
    assert run(networks, CARD.name, scans, "--out", tmp_path / "out") == 0
    rows = list(csv.DictReader((tmp_path / "out" / "health.csv").read_text(encoding="utf-8").splitlines()))
    written = json.loads((tmp_path / "out" / "health.json").read_text(encoding="utf-8"))
    gates = 2 if CARD.variant.startswith("scse") else 1
    assert len(rows) == len(written["gates"]) == gates * len(CARD.block_table)
    assert {row["slices"] for row in rows} == {"4"}
    assert "" not in {row["spread_scans"] for row in rows}, "two scans have a spread"
    verdicts = [Verdict[row["verdict"].upper().replace(" ", "_")] for row in rows]
    assert verdicts == sorted(verdicts)
    assert len(set(verdicts)) > 1
    assert written["model_sha256"] == zoo.read_card(CARD.name, networks).sha256
    assert capsys.readouterr().out.count("\n") == 1 + len(rows)


def test_labels_are_matched_by_the_name_of_the_scan(networks, scans, tmp_path, capsys):
    labels = tmp_path / "labels"
    labels.mkdir()
    ones = nifti(np.ones((16, 18, 9), dtype=np.int16))
    (labels / "head0.nii").write_bytes(ones)
    assert run(networks, CARD.name, scans, "--labels", labels) == 2
    assert "head1.nii: no labels of this name" in refusal(capsys)
    (labels / "head1.nii").write_bytes(ones)
    assert run(networks, CARD.name, scans, "--labels", labels, "--out", tmp_path / "out") == 0
    gates = json.loads((tmp_path / "out" / "health.json").read_text(encoding="utf-8"))["gates"]
    lost = [gate["dice_lost"] for gate in gates]
    assert None not in lost
    assert any(lost), "a gate that changes pixels changes Dice"


def test_a_network_without_gates_and_a_path_without_scans_are_refused(networks, scans, tmp_path, capsys):
    plain = replace(CARD, name="tiny-plain", variant="none")
    zoo.save(plain.network(seed=0), plain, networks)
    assert run(networks, "tiny-plain", scans) == 2
    assert "has no gates to examine" in refusal(capsys)
    (tmp_path / "empty").mkdir()
    assert run(networks, CARD.name, tmp_path / "empty") == 2
    assert "no scans in this folder" in refusal(capsys)
    assert run(networks, CARD.name, scans, "--device", "gpu") == 2
    assert "gpu: no device of torch; choose auto, cpu, cuda" in refusal(capsys)
    assert run(networks, CARD.name, tmp_path / "missing.nii") == 2
    assert "no such file or folder" in refusal(capsys)


def test_a_network_of_another_library_is_examined_from_its_file_or_by_a_function(scans, tmp_path, capsys):
    smp_files.network(in_channels=3).save_pretrained(tmp_path / "lungs")
    words = ["health", tmp_path / "lungs", scans, "--slices", "1", "--out", tmp_path / "out"]
    assert cli.main([*map(str, words)]) == 0
    assert "lungs: One gray slice fills all 3 channels" in capsys.readouterr().err
    rows = list(csv.DictReader((tmp_path / "out" / "health.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 2 * 10
    assert {row["verdict"] for row in rows[:2]} == {"never ran"}
    assert {row["block"] for row in rows[:2]} == {"decoder.blocks.4.attention1.attention"}

    code = tmp_path / "my_code_of_health.py"
    code.write_text("from tests import smp_files\n\ndef make_network():\n    return smp_files.network()\n")
    words = ["health", "--network", f"{code}:make_network", scans / "head0.nii", "--slices", "1"]
    assert cli.main([*map(str, words)]) == 0
    assert capsys.readouterr().out.count("\n") == 1 + 2 * 10


def test_a_network_without_scans_is_refused(networks, capsys):
    assert run(networks, CARD.name) == 2
    assert "no scans; give scans, or folders of scans, after the network" in refusal(capsys)
