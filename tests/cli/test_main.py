"""What holds for all commands."""

import subprocess
import sys

import pytest

from scse_viz import cli
from scse_viz.cli import networks as command
from scse_viz.cli.common import PLANES as CHOICES
from scse_viz.scans import PLANES
from scse_viz.zoo.preprocessing import HEADS, SCALINGS
from tests.cli.words import refusal


@pytest.mark.parametrize("words", [["models"], ["segment", "x.nii", "--model", "y", "--out", "z"]])
def test_a_folder_of_networks_that_is_not_there_is_refused(words, tmp_path, capsys):
    assert cli.main([*words, "--models", str(tmp_path / "nowhere")]) == 2
    assert "nowhere: no such folder" in refusal(capsys)


def test_the_choices_of_the_commands_are_those_of_scans_and_networks():
    assert set(CHOICES) == set(PLANES)
    assert (command.HEADS, command.SCALINGS) == (HEADS, SCALINGS)


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
