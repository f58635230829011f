"""The recipe of the shipped MALC networks, and the facts on their cards.

Real skull-stripped T1-weighted heads with manual labels: the scans of the MICCAI 2012 multi-atlas labelling challenge,
on which Roy et al. 2018 evaluated. Landman and Warfield (eds.), "MICCAI 2012 Workshop on Multi-Atlas
Labeling", 2012; Marcus et al., "Open Access Series of Imaging Studies (OASIS)", Journal of Cognitive Neuroscience 2007.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scse_viz.inference import network_input, window
from scse_viz.scans import PLANES, Scan, read_labels, read_scan
from scse_viz.training import shipped
from scse_viz.training.augmentation import (
    SliceAugmentation,
    Slices,
    augmented,
    centred,
    chosen,
    plane_slices,
    slices_of,
)
from scse_viz.training.engine.losses import NO_CLASS
from scse_viz.training.engine.schedule import Phase, Schedule
from scse_viz.zoo import Card
from scse_viz.zoo.structures import BRAIN

CLASSES = len(BRAIN)
NUMBERS: dict[str, Sequence[int]] = {
    "cerebral white matter": (44, 45),
    "cerebral cortex": range(100, 208),
    "lateral ventricle": (49, 50, 51, 52),
    "cerebellar white matter": (40, 41),
    "cerebellar cortex": (38, 39, 71, 72, 73),
    "thalamus": (59, 60),
    "caudate": (36, 37),
    "putamen": (57, 58),
    "pallidum": (55, 56),
    "hippocampus": (47, 48),
    "amygdala": (31, 32),
    "accumbens": (23, 30),
    "ventral DC": (61, 62),
    "third ventricle": (4,),
    "fourth ventricle": (11,),
    "brain stem": (35,),
    "extra-cerebral CSF": (46,),
}
"""The labels of each structure. The others (fifth ventricle, exterior, vessel, optic chiasm, basal forebrain) belong to
no class and count in neither loss nor Dice."""
PLANE = "coronal"
SUBJECTS = "subjects.csv"
"""Columns id and split (train or test), among others."""
WIDTHS = {
    "unet": (16, 32, 64, 128, 128),
    "sdnet": (8, 16, 48, 80, 64),
    "densenet": (8, 14, 30, 66, 64),
}
"""Widths by architecture, those of the brain networks: about 1.3 million parameters each."""
HELD_OUT = slice(3, None, 5)
"""The training heads, in the order of subjects.csv, that are held out while the recipe is chosen."""
SIDE = 176
"""Pixels that hold every slice cropped to its head."""
ROOM = 2
"""Pixels of black kept around a head."""
SIZES = ((144, 160), (160, 160), (144, 160), (176, 176))
"""Mostly a tight crop, which is quick, and sometimes the margins of a whole slice, over which channel gates pool."""
PHASES = (
    Phase("rare", 4, SIZES, Schedule(steps=2_500, rate=4e-3, warmup=100, checkpoint_every=100)),
    Phase(
        "even", 4, SIZES, Schedule(steps=5_000, rate=3e-3, warmup=50, checkpoint_every=100, snapshots=10, settle=100)
    ),
)
POWERS = {"rare": 0.5, "even": 0.0}
"""By phase, the exponent of class weights in the cross-entropy. At first rare classes must weigh more, or small
structures are missed for thousands of slices; kept to the end, the weights would enlarge them."""
FOCUSED = 0.5
"""Share of the slices that are drawn for a structure, all structures being equally likely."""
AUGMENTATION = SliceAugmentation(turn=15.0, zoom=(0.9, 1.15), stretch=0.06, bend=4.0, gamma=0.2, offset=0.0)
REFERENCE_MM = (-14.0, 8.0)
"""The reference slices: coronal through hippocampus and thalamus, and through caudate and putamen."""
FACTS = {
    "data": "coronal slices of the 15 training heads of the MICCAI 2012 multi-atlas labelling challenge: real "
    "T1-weighted scans of the OASIS project, manual labels provided by Neuromorphometrics, Inc. "
    "(neuromorphometrics.com) under academic subscription; skull-stripped with a mask made from these labels",
    "method": "Roy et al., Concurrent Spatial and Channel Squeeze & Excitation, MICCAI 2018, from scratch; "
    "Marcus et al., OASIS, Journal of Cognitive Neuroscience 2007",
    "validation": "slices of three of the training heads: the curves show the course of training, not accuracy",
    "licence": "CC BY-NC 3.0, as the data",
    "references": ", ".join([PLANE] * len(REFERENCE_MM)),
}
"""What the cards state: data, their source, licence of the weights, and planes of the reference slices."""
REFERENCE_SIZE = (160, 160)
VALIDATION_EVERY = 12


def split(folder: Path, part: str) -> list[str]:
    """The heads of the "train" or "test" part, in the order of subjects.csv."""
    with (folder / SUBJECTS).open(encoding="utf-8", newline="") as lines:
        return [row["id"] for row in csv.DictReader(lines) if row["split"] == part]


def held_out(folder: Path) -> list[str]:
    """The training heads on which the recipe was chosen."""
    return split(folder, "train")[HELD_OUT]


def classes_of(labels: np.ndarray) -> np.ndarray:
    """Numbers of label_names.csv, any shape -> our classes, NO_CLASS for labels of no class: uint8."""
    table = np.full(max(256, int(labels.max()) + 1), NO_CLASS, dtype=np.uint8)
    table[0] = 0
    for structure in BRAIN[1:]:
        table[list(NUMBERS[structure.name])] = structure.number
    return table[labels]


def read_subject(folder: Path, name: str) -> tuple[Scan, np.ndarray]:
    """A head and its classes (X, Y, Z) uint8, read as the app reads them."""
    scan = read_scan(folder / "images" / f"{name}.nii.gz")
    return scan, classes_of(read_labels(folder / "labels" / f"{name}.nii.gz", scan))


def card_of(architecture: str, variant: str) -> Card:
    """The card of a MALC network, before it has weights."""
    return replace(shipped.card("malc", architecture, variant, WIDTHS), planes=(PLANE,))


def head_slices(scan: Scan, classes: np.ndarray) -> tuple[Tensor, Tensor]:
    """All slices as at inference, cropped to the head: images (N, 1, H, W) in 0 to 1.5, classes (N, H, W) int64."""
    image, target = plane_slices(scan, classes, card_of("unet", "none"), PLANE)
    box = []
    for side in (1, 2):
        seen = (target > 0).any(dim=0).any(dim=2 - side).nonzero()[:, 0]
        box.append(slice(max(0, int(seen[0]) - ROOM), int(seen[-1]) + 1 + ROOM))
    return image[..., box[0], box[1]], target[:, box[0], box[1]]


@dataclass(frozen=True, eq=False)
class Heads:
    """The slices of heads; `shown`, for each structure that occurs, the rows of the slices that show it."""

    slices: Slices
    shown: tuple[Tensor, ...]


def load_heads(folder: Path, names: Sequence[str]) -> Heads:
    """The slices of these heads."""
    slices = slices_of((head_slices(*read_subject(folder, name)) for name in names), 1, SIDE)
    shown = ((slices.classes == number).any(dim=2).any(dim=1).nonzero()[:, 0] for number in range(1, CLASSES))
    return Heads(slices, tuple(rows for rows in shown if len(rows)))


def batch_of(heads: Heads, seed: int, phase: Phase, step: int) -> tuple[Tensor, Tensor]:
    """The slices of one step, the same for every network: images (B, 1, H, W), classes (B, H, W)."""
    generator = shipped.generator_of(PHASES, phase, seed, step)
    rows = chosen(heads.slices, phase.batch, generator)
    structures = torch.randint(len(heads.shown), (phase.batch,), generator=generator).tolist()
    positions, focused = torch.rand(2, phase.batch, generator=generator)
    for row, structure in enumerate(structures):
        if focused[row] < FOCUSED:
            shown = heads.shown[structure]
            rows[row] = shown[int(positions[row] * len(shown))]
    return augmented(heads.slices, rows, phase.sizes[step % len(phase.sizes)], generator, AUGMENTATION)


def validation_batches(folder: Path, names: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
    """Every VALIDATION_EVERY-th slice of the heads, whole and unchanged: a batch for each head."""
    batches = []
    for name in names:
        image, target = plane_slices(*read_subject(folder, name), card_of("unet", "none"), PLANE)
        batches.append((image[::VALIDATION_EVERY], target[::VALIDATION_EVERY].contiguous()))
    return batches


def class_weights(heads: Heads, seed: int, phase: Phase) -> Tensor:
    """Class weights (K,) of a phase, from the frequencies in the first hundred batches of the first."""
    return shipped.class_weights(partial(batch_of, heads, seed, PHASES[0]), CLASSES, POWERS[phase.name])


def reference_slices(path: Path) -> Tensor:
    """Two coronal slices of a skull-stripped head in MNI space: (2, 1, 160, 160).

    The licence does not let us ship slices of the data set itself.
    """
    scan, card = read_scan(path), card_of("unet", "none")
    to_voxel = np.linalg.inv(scan.affine)
    axis = PLANES[PLANE]
    indices = [round(float((to_voxel @ [0, mm, 0, 1])[axis])) for mm in REFERENCE_MM]
    return centred(network_input(scan, card, PLANE, indices, window(scan, card)), REFERENCE_SIZE)
