"""`scse-viz believe` and `scse-viz repeat` on tiny networks: files, a run that resumes, and refusals."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scse_viz import cli, zoo
from scse_viz.zoo.beliefs import read_belief
from scse_viz.zoo.structures import BRAIN
from tests.cli.words import CARD, refusal
from tests.scan_files import nifti
from tests.training.malc.files import write_heads


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """A scan with labels of the same name in a folder beside it."""
    (tmp_path / "labels").mkdir()
    voxels = np.random.default_rng(0).random((20, 5, 22)) * 100
    labels = np.zeros((20, 5, 22), dtype=np.int16)
    labels[5:14, 1:4, 5:14] = 1
    (tmp_path / "labels" / "head.nii").write_bytes(nifti(labels))
    (tmp_path / "head.nii").write_bytes(nifti(voxels.astype(np.float32)))
    return tmp_path / "head.nii"


def believe(networks: Path, *words: object) -> int:
    common = ("--models", networks, "--structures", "shell", "--slices", 1, "--blocks", "encoder1")
    return cli.main(["believe", CARD.name, *map(str, (*words, *common))])


def test_every_gate_has_a_row_and_a_run_resumes(networks, head, tmp_path, capsys):
    out, words = tmp_path / "out.json", (head, "--labels", head.parent / "labels")
    assert believe(networks, *words, "--out", out) == 0
    belief = read_belief(out)
    kinds = 2 if CARD.variant == "scse" else 1
    assert len(belief.rows) == kinds * len(CARD.block_table)
    assert {(row.scan, row.structure) for row in belief.rows} == {("head.nii", "shell")}
    said = capsys.readouterr().out
    assert f"{CARD.name}, shell, 1 scans" in said
    assert said.count("\n") == 2 + len(belief.rows)
    written = out.stat().st_mtime_ns
    assert believe(networks, *words, "--out", out) == 0
    assert out.stat().st_mtime_ns == written, "what was measured is not measured again"


def test_what_cannot_be_tested_is_refused(networks, head, tmp_path, capsys):
    assert believe(networks, head, "--labels", tmp_path / "nowhere") == 2
    assert "head.nii: no labels of this name" in refusal(capsys)
    assert cli.main(["believe", CARD.name, str(head), "--models", str(networks), "--structures", "liver"]) == 2
    assert "has no such structure; its structures are shell, core" in refusal(capsys)
    assert believe(networks, "--out", tmp_path / "none.json") == 2
    assert "nothing to test; give scans that show shell" in refusal(capsys)


def test_the_test_heads_of_the_challenge_are_tested(tmp_path, capsys):
    heads, folder = tmp_path / "malc", tmp_path / "networks"
    heads.mkdir()
    write_heads(heads)
    card = replace(CARD, name="malc-unet-sse", variant="sse", structures=BRAIN)
    zoo.save(card.network(seed=0), card, folder)
    words = ["--models", folder, "--malc", heads, "--structures", "thalamus", "--slices", 1, "--blocks"]
    assert cli.main(["believe", card.name, *map(str, words)]) == 0
    belief = read_belief(folder / "results" / "belief" / f"{card.name}.json")
    assert (belief.scans, belief.structures) == (("malc-6",), ("thalamus",))
    assert all(row.tests.inside > 0 for row in belief.rows)


def test_two_scans_of_one_subject_are_compared(networks, head, tmp_path, capsys):
    out = tmp_path / "repeat.json"
    words = ["repeat", CARD.name, str(head), str(head), "--models", str(networks), "--slices", "2"]
    assert cli.main([*words, "--out", str(out)]) == 0
    gates = json.loads(out.read_text(encoding="utf-8"))["gates"]
    assert min(gate["within"] for gate in gates if gate["within"] is not None) > 0.999
    assert "same subject" in capsys.readouterr().out
    assert cli.main([*words, "--others", str(tmp_path / "missing.nii")]) == 2
