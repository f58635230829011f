"""Six tiny heads in the layout of the MALC data: spheres of white matter, cortex and thalamus, and some exterior."""

from pathlib import Path

import nibabel as nib
import numpy as np

HEADS = ("1", "2", "3", "4", "5")
SHAPE = (30, 16, 26)
EXTERIOR = 42


def write_heads(folder: Path) -> None:
    """Five heads to train on and one to test, stored as L A S as the real ones are, black without a label."""
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
    x, y, z = np.indices(SHAPE) - np.reshape([14, 8, 12], (3, 1, 1, 1))
    radius = np.sqrt(x**2 + (1.4 * y) ** 2 + z**2)
    labels = np.select([radius < 3, radius < 6, radius < 8, radius < 9], [59, 45, 155, EXTERIOR], 0)
    affine = np.diag([-1.0, 1, 1, 1])
    for number, name in enumerate((*HEADS, "6")):
        image = np.select([labels == value for value in (59, 45, 155, EXTERIOR)], [500, 700, 300, 900], 0)
        image = image + (labels > 0) * np.random.default_rng(number).integers(0, 40, SHAPE)
        nib.save(nib.Nifti1Image(image.astype(np.int16), affine), folder / "images" / f"{name}.nii.gz")
        nib.save(nib.Nifti1Image(labels.astype(np.int16), affine), folder / "labels" / f"{name}.nii.gz")
    rows = [f"{name},{'train' if name in HEADS else 'test'},F,20" for name in ("6", *HEADS)]
    (folder / "subjects.csv").write_text("\n".join(["id,split,sex,age", *rows]) + "\n")
