"""Whole-head label maps as one array, with the class and the intensities of each label."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from torch import Tensor

CLASS_OF_LABEL = {
    # White matter, with lesions, the vessels inside it and the corpus callosum.
    **dict.fromkeys((2, 41, 25, 57, 30, 62, 77, *range(251, 256)), 1),
    **dict.fromkeys((3, 42, *range(1000, 1100), *range(2000, 2100)), 2),  # as a whole or by region
    **dict.fromkeys((4, 43, 5, 44, 72, 31, 63), 3),  # with the inferior horns, the fifth ventricle and the plexus
    **dict.fromkeys((7, 46), 4),
    **dict.fromkeys((8, 47), 5),
    **dict.fromkeys((10, 49), 6),
    **dict.fromkeys((11, 50), 7),
    **dict.fromkeys((12, 51), 8),
    **dict.fromkeys((13, 52), 9),
    **dict.fromkeys((17, 53), 10),
    **dict.fromkeys((18, 54), 11),
    **dict.fromkeys((26, 58), 12),
    **dict.fromkeys((28, 60), 13),
    14: 14,
    15: 15,
    16: 16,
    24: 17,
}
"""FreeSurfer's number -> our class, left and right merged; every other label is 0, background."""

EXTRA_CEREBRAL = frozenset((*range(502, 531), 136, 137, 163, 164))
CSF = 24
POINTS = 2000
"""Voxels stored for each class and head, as centres of crops."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Label maps (S, X, Y, Z) uint8 in RAS, 1 mm, whose voxels are rows of the tables below.

    `classes` (L,) label -> class; `tissues` (L,) label -> row of the priors; `outside` (L,) True for extra-cerebral
    labels; `csf` the row of extra-cerebral CSF. `means`, `stds` (2, T): mean and standard deviation over subjects of
    the T1-weighted intensity of each tissue, 0 to 255. `points` (S, K + 1, POINTS, 3) int16: voxels of each class and,
    last, of the whole head; for a class that a head lacks, voxels of the head.
    """

    heads: Tensor
    classes: Tensor
    tissues: Tensor
    outside: Tensor
    csf: int
    means: Tensor
    stds: Tensor
    points: Tensor


def load_atlas(folder: Path, numbers: Sequence[int], cache: Path | None = None) -> Atlas:
    """The label maps `training_seg_NN.nii.gz` with these numbers of a SynthSeg label folder.

    Parsing takes about a second a head; the result is stored in the folder `cache`, if given. Raises FileNotFoundError.
    """
    labels = np.load(folder / "generation_labels.npy").astype(int)
    stored = cache / f"atlas-{'-'.join(map(str, numbers))}.npz" if cache else None
    if stored is not None and stored.exists():
        arrays = dict(np.load(stored))
    else:
        heads = np.stack([_head(folder / f"training_seg_{number:02d}.nii.gz", labels) for number in numbers])
        arrays = {"heads": heads, "points": np.stack([_points(head, labels) for head in heads])}
        if stored is not None:
            stored.parent.mkdir(parents=True, exist_ok=True)
            np.savez(stored, **arrays)
    return Atlas(
        heads=torch.from_numpy(arrays["heads"]),
        classes=torch.from_numpy(classes_of(labels)),
        tissues=torch.from_numpy(np.load(folder / "generation_classes_contrast_specific.npy").astype(np.int64)),
        outside=torch.tensor([int(label) in EXTRA_CEREBRAL for label in labels]),
        csf=int(np.flatnonzero(labels == CSF)[0]),
        means=torch.from_numpy(np.load(folder / "prior_means_t1.npy")).float(),
        stds=torch.from_numpy(np.load(folder / "prior_stds_t1.npy")).float(),
        points=torch.from_numpy(arrays["points"]),
    )


def classes_of(labels: np.ndarray) -> np.ndarray:
    """Our class of each of FreeSurfer's numbers (L,), int64."""
    return np.array([CLASS_OF_LABEL.get(int(label), 0) for label in labels], dtype=np.int64)


def _head(path: Path, labels: np.ndarray) -> np.ndarray:
    """The label map in RAS, each voxel the row of its label: (X, Y, Z) uint8."""
    image = nib.as_closest_canonical(nib.load(path))
    numbers = np.asarray(image.dataobj).astype(int)
    row = np.zeros(int(max(labels.max(), numbers.max())) + 1, dtype=np.uint8)
    row[labels] = np.arange(len(labels))
    return np.ascontiguousarray(row[numbers])


def _points(head: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Random voxels of every class and of the whole head: (K + 1, POINTS, 3) int16."""
    choose = np.random.default_rng(0)
    flat = classes_of(labels)[head].ravel()
    masks = [np.flatnonzero(flat == number) for number in range(max(CLASS_OF_LABEL.values()) + 1)]
    whole = np.flatnonzero(head.ravel())
    chosen = [choose.choice(mask if len(mask) else whole, POINTS) for mask in [*masks, whole]]
    return np.stack([np.stack(np.unravel_index(points, head.shape), axis=-1) for points in chosen]).astype(np.int16)
