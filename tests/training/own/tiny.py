"""Tiny scans of two structures: what the tests of `scse_viz.training.own` share."""

from pathlib import Path

import nibabel as nib
import numpy as np

from scse_viz.training.own.settings import Settings

SHAPE = (20, 24, 16)
SETTINGS = Settings(architecture="unet", widths=(4, 4, 4, 4, 4), steps=6, batch=2, size=16, seed=3)


def tiny(number: int, *, labels: tuple[int, int] = (1, 2)) -> tuple[np.ndarray, np.ndarray]:
    """A noisy volume with a bright box and a dark one, and their labels; another number, other places."""
    random = np.random.default_rng(number)
    image, reference = random.normal(100, 5, SHAPE).astype(np.float32), np.zeros(SHAPE, dtype=np.uint8)
    for label, start, level in zip(labels, (2, 11), (200, 20), strict=True):
        x, y, z = start + random.integers(0, 3), 4 + random.integers(0, 8), 3 + random.integers(0, 4)
        box = np.s_[x : x + 6, y : y + 8, z : z + 7]
        image[box] += level - 100
        reference[box] = label
    return image, reference


def write(path: Path, values: np.ndarray, spacing: tuple[float, ...] = (1, 1, 1)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(values, np.diag([*spacing, 1])), path)
    return path
