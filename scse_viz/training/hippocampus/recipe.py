"""The recipe of the shipped hippocampus networks, and the facts on their cards.

Real T1-weighted crops of one hippocampus each, with manual labels: Task04 of the Medical Segmentation Decathlon.
Antonelli et al., "The Medical Segmentation Decathlon", Nature Communications 2022.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scse_viz.inference import network_input, window
from scse_viz.scans import PLANES, Scan, read_labels, read_scan
from scse_viz.training import shipped
from scse_viz.training.augmentation import SliceAugmentation, Slices, augmented, chosen, plane_slices, slices_of
from scse_viz.training.engine.schedule import Phase, Schedule
from scse_viz.training.hippocampus.split import TEST, TRAINING, VALIDATION
from scse_viz.zoo import Card
from scse_viz.zoo.structures import HIPPOCAMPUS

CLASSES = len(HIPPOCAMPUS)
WIDTHS = {
    "unet": (16, 16, 32, 64, 64),
    "sdnet": (8, 12, 24, 32, 64),
    "densenet": (8, 8, 16, 24, 56),
}
"""Widths by architecture: each has about a third of a million parameters and 57 million multiply-adds at 48 x 64,
within 4 %."""
SIZES = ((48, 64), (48, 48), (64, 48), (48, 48), (48, 64), (48, 48), (64, 48), (64, 64))
"""The input sizes of sagittal, coronal and axial slices of a crop, and occasionally a larger one."""
PHASES = (
    Phase("slices", 8, SIZES, Schedule(steps=4_400, rate=3e-3, warmup=100)),
    Phase("calm", 12, SIZES, Schedule(steps=3_000, rate=1e-3, warmup=50, snapshots=6)),
)
AUGMENTATIONS = {
    "slices": SliceAugmentation(),
    "calm": SliceAugmentation(
        turn=8.0, zoom=(0.93, 1.07), stretch=0.04, bend=1.0, gamma=0.08, gain=(0.93, 1.07), noise=0.02
    ),
}
POWERS = {"slices": 0.2, "calm": 0.0}
"""By phase, the exponent of class weights: rare classes weigh a little more at first, but not to the end, where that
would enlarge them."""
REFERENCE_PLANES = ("sagittal", "coronal")
FACTS = {
    "data": "160 real T1-weighted crops of Task04_Hippocampus, Medical Segmentation Decathlon, slices of all planes; "
    "validation and test crops are of other subjects",
    "method": "Antonelli et al., The Medical Segmentation Decathlon, Nature Communications 2022",
    "licence": "CC-BY-SA-4.0, as the data",
    "references": ", ".join(REFERENCE_PLANES),
}
"""What the cards state: data, their source, licence of the weights, and planes of the reference slices."""
REFERENCE_MM = (-26.0, -20.0, -10.0)
"""The middle of Colin27's left hippocampus, and how many mm around it are seen."""
REFERENCE_SIZE = (56, 56, 48)
VALIDATION_EVERY = 8
SIDE = 64
"""Pixels that hold every slice of the data set."""


def split() -> dict[str, list[str]]:
    """Part ("train", "validation", "test") -> file names of its crops."""
    parts = {"train": TRAINING, "validation": VALIDATION, "test": TEST}
    return {part: [f"hippocampus_{number:03d}.nii.gz" for number in numbers] for part, numbers in parts.items()}


def read_subject(folder: Path, name: str) -> tuple[Scan, np.ndarray]:
    """A crop of the data set and its labels (X, Y, Z) int32, read as the app reads them."""
    scan = read_scan(folder / "images" / name)
    return scan, read_labels(folder / "labels" / name, scan)


def card_of(architecture: str, variant: str) -> Card:
    """The card of a hippocampus network, before it has weights."""
    return shipped.card("hippocampus", architecture, variant, WIDTHS)


def load_slices(folder: Path, names: Sequence[str]) -> Slices:
    """The slices of the crops of these names, in all planes."""
    card, crops = card_of("unet", "none"), (read_subject(folder, name) for name in names)
    stacks = (plane_slices(scan, labels, card, plane) for scan, labels in crops for plane in card.planes)
    return slices_of(stacks, len(card.planes), SIDE)


def batch_of(slices: Slices, seed: int, phase: Phase, step: int) -> tuple[Tensor, Tensor]:
    """The slices of one step, the same for every network: images (B, 1, H, W), classes (B, H, W)."""
    generator = shipped.generator_of(PHASES, phase, seed, step)
    rows = chosen(slices, phase.batch, generator)
    return augmented(slices, rows, phase.sizes[step % len(phase.sizes)], generator, AUGMENTATIONS[phase.name])


def validation_batches(folder: Path, names: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
    """Every VALIDATION_EVERY-th slice of the crops, whole and unchanged: a batch for each crop and plane."""
    batches, card = [], card_of("unet", "none")
    for name in names:
        for plane in PLANES:
            image, target = plane_slices(*read_subject(folder, name), card, plane)
            batches.append((image[::VALIDATION_EVERY], target[::VALIDATION_EVERY].contiguous()))
    return batches


def class_weights(slices: Slices, seed: int, phase: Phase) -> Tensor:
    """Class weights (K,) of a phase, from the frequencies in the first hundred batches of the first."""
    return shipped.class_weights(partial(batch_of, slices, seed, PHASES[0]), CLASSES, POWERS[phase.name])


def reference_slices(path: Path) -> Tensor:
    """Two slices through the left hippocampus of a whole head in MNI space, as of a crop: (2, 1, 48, 56).

    No crop of the data set itself is shipped.
    """
    scan, card = read_scan(path), card_of("unet", "none")
    centre = (np.linalg.inv(scan.affine) @ [*REFERENCE_MM, 1])[:3]
    low = np.round(centre - np.array(REFERENCE_SIZE) / 2).astype(int)
    box = tuple(slice(start, start + side) for start, side in zip(low, REFERENCE_SIZE, strict=True))
    crop = replace(scan, voxels=scan.voxels[box])
    levels = window(crop, card)
    return torch.cat(
        [network_input(crop, card, plane, [REFERENCE_SIZE[PLANES[plane]] // 2], levels) for plane in REFERENCE_PLANES]
    )
