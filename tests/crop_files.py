"""Two tiny crops in the layout of the Decathlon's hippocampus task."""

from pathlib import Path

import nibabel as nib
import numpy as np

CROPS = ("hippocampus_003.nii.gz", "hippocampus_014.nii.gz")
CROP_SHAPE = (18, 24, 20)


def write_crops(folder: Path) -> None:
    """Two crops, one uint8 and one float32 of a large scale stored as L P S, in which intensity tells the class."""
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
    labels = np.zeros(CROP_SHAPE, dtype=np.uint8)
    labels[6:12, 6:12, 5:10], labels[6:12, 12:18, 5:10] = 2, 1
    image = np.array([60, 100, 200])[labels] + np.random.default_rng(0).integers(0, 20, CROP_SHAPE)
    image[0, 7] = 255  # beyond the window, and at one side only
    for name, stored in zip(CROPS, (image.astype(np.uint8), (image * 1234.5).astype(np.float32)), strict=True):
        for kind, voxels in (("images", stored), ("labels", labels)):
            ras = nib.Nifti1Image(voxels, np.eye(4))
            turned = ras.as_reoriented(np.array([[0, -1], [1, -1], [2, 1]])) if name == CROPS[1] else ras
            nib.save(turned, folder / kind / name)
