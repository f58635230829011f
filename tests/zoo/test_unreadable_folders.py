"""Folders and weights that the app may not read are named, and the rest is offered."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AS_NOBODY = """
import os, sys
from scse_viz import zoo
zoo.load("brain-unet-sse")  # what it imports is read while it may be
if os.geteuid() == 0:
    os.setuid(65534)
listing = zoo.listing()
print(len(listing.cards), *listing.skipped, sep="\\n")
print(zoo.read_card("brain-unet-sse").name)
try:
    zoo.load("own")
except zoo.WeightsError as error:
    print(error)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is not for others, as pytest makes them, with one that nobody may list."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    return closed


def test_a_folder_that_may_not_be_read_is_named_and_the_shipped_networks_are_there(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY],
        cwd=ROOT,
        env={**os.environ, "SCSE_VIZ_MODELS": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, skipped, name, unknown = done.stdout.splitlines()
    assert int(count) >= 24
    assert skipped == f"{folder}: Permission denied; let the app read it, or take it out of SCSE_VIZ_MODELS"
    assert name == "brain-unet-sse"
    assert unknown.startswith("own: no such network in pretrained")
