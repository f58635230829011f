"""Tiny scans of two structures, in both layouts that `scse-viz train` reads."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scse_viz.training.engine.machine import Machine, machine_for
from tests.training.own.tiny import tiny, write


@pytest.fixture
def plain(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of images/ and labels/."""

    def make(count: int = 4, *, labels: tuple[int, int] = (1, 2), spacing: tuple[float, ...] = (1, 1, 1)) -> Path:
        for number in range(count):
            image, reference = tiny(number, labels=labels)
            write(tmp_path / "plain" / "images" / f"case_{number}.nii.gz", image, spacing)
            write(tmp_path / "plain" / "labels" / f"case_{number}.nii.gz", reference, spacing)
        return tmp_path / "plain"

    return make


@pytest.fixture
def decathlon(tmp_path: Path) -> Path:
    """A folder as the Medical Segmentation Decathlon has them: two modalities in 4-D files, hidden files too."""
    folder = tmp_path / "Task99_Tiny"
    for number in range(3):
        image, reference = tiny(number)
        write(folder / "imagesTr" / f"tiny_{number}.nii.gz", np.stack([image, 500 - image], axis=-1))
        write(folder / "labelsTr" / f"tiny_{number}.nii.gz", reference)
        (folder / "imagesTr" / f"._tiny_{number}.nii.gz").write_bytes(b"what macOS leaves")
    facts = {
        "name": "Tiny Boxes",
        "licence": "CC-BY-SA 4.0",
        "modality": {"0": "T1", "1": "T2"},
        "labels": {"0": "background", "1": "bright box", "2": "dark box"},
    }
    (folder / "dataset.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture(scope="session")
def machine() -> Machine:
    return machine_for("cpu", precision="float32")
