"""The recipe of the shipped brain networks, and the facts on their cards."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from scse_viz.scans import PLANES, read_scan, slice_of
from scse_viz.training import shipped
from scse_viz.training.augmentation import centred
from scse_viz.training.brain.atlas import Atlas
from scse_viz.training.brain.synthesis import SynthesisRecipe, synthesise
from scse_viz.training.engine.schedule import Phase, Schedule
from scse_viz.zoo import Card, Window
from scse_viz.zoo.structures import BRAIN

CLASSES = len(BRAIN)
WIDTHS = {
    "unet": (16, 32, 64, 128, 128),
    "sdnet": (8, 16, 48, 80, 64),
    "densenet": (8, 14, 30, 66, 64),
    "smp-unet": (200, 80, 40, 16),
}
"""Widths by architecture, of smp-unet those of its decoder: each has about 1.3 million parameters and 2.9 billion
multiply-adds at 256 x 256, smp-unet 3.4."""
TRAINING_HEADS = range(1, 17)
VALIDATION_HEADS = range(17, 21)
PHASES = (
    Phase("crops", 8, tuple((side, side) for side in (80, 96, 96, 96, 144)), Schedule(steps=12_600)),
    Phase("slices", 4, ((192, 192),), Schedule(steps=1_200, rate=6e-4, warmup=50, snapshots=5)),
    Phase("even", 4, ((192, 192),), Schedule(steps=3_000, rate=1e-3, warmup=50, snapshots=6)),
    Phase("masks", 4, ((192, 192),), Schedule(steps=3_000, rate=1e-3, warmup=50, snapshots=6)),
    Phase(
        "margins",
        4,
        tuple((side, side) for side in (160, 192, 224, 256)),
        Schedule(steps=2_000, rate=1e-3, warmup=50, snapshots=5, settle=100),
    ),
)
"""First small crops, which are quick. Then whole slices, since a channel gate pools over its whole input, and a crop
near the middle of the brain differs from a slice with margins. Then equal class weights, then masked and averaged
heads, and finally margins as narrow and wide as in scans. Batch normalisation is settled at the end, because the last
few images of four sizes are not a representative sample."""
POWERS = {"crops": 0.5, "slices": 0.5, "even": 0.0, "masks": 0.0, "margins": 0.0}
"""By phase, the exponent of class weights. At first rare classes must weigh more, or small structures are missed; kept
to the end, the weights enlarge them (third and fourth ventricle to about twice their volume on the MNI152 head)."""
RECIPES = dict.fromkeys(("masks", "margins"), SynthesisRecipe(stripped=0.4, hollow=0.6, gamma=0.4))
"""The phases whose synthesis differs. Thresholded masks leave ventricles black, and in averages of many heads grey
matter is nearly as bright as white: FSL's MNI152 head shows both."""
REFERENCE_MM = {"coronal": -14.0, "axial": 4.0}
"""Reference slices, plane -> position in mm: coronal through hippocampus and putamen, axial through the thalamus."""
REFERENCE_SIZE = (192, 160)
FACTS = {
    "data": "images synthesised from 16 whole-head label maps (training_seg_01 to 16) of the SynthSeg repository",
    "method": "Billot et al., SynthSeg, Medical Image Analysis 2023",
    "licence": "Apache-2.0",
    "references": ", ".join(REFERENCE_MM),
}
"""What the cards state: data, their source, licence of the weights, and planes of the reference slices."""


def card_of(architecture: str, variant: str) -> Card:
    """The card of a brain network, before it has weights."""
    return shipped.card("brain", architecture, variant, WIDTHS)


def batch_of(atlas: Atlas, seed: int, phase: Phase, step: int) -> tuple[Tensor, Tensor]:
    """The crops of one step, the same for every network: images (B, 1, S, S), classes (B, S, S)."""
    generator = shipped.generator_of(PHASES, phase, seed, step)
    size = phase.sizes[step % len(phase.sizes)][0]
    return synthesise(atlas, phase.batch, size, generator, RECIPES.get(phase.name, SynthesisRecipe()))


def validation_batches(atlas: Atlas, count: int = 4) -> list[tuple[Tensor, Tensor]]:
    """Fixed T1-like crops of 128 x 128 of heads withheld from training."""
    generator = Generator().manual_seed(17)
    return [synthesise(atlas, 12, 128, generator, SynthesisRecipe(t1=1.0)) for _ in range(count)]


def class_weights(atlas: Atlas, seed: int, phase: Phase) -> Tensor:
    """Class weights (K,) of a phase, from the frequencies in the first hundred batches of the first."""
    return shipped.class_weights(partial(batch_of, atlas, seed, PHASES[0]), CLASSES, POWERS[phase.name])


def reference_slices(path: Path) -> Tensor:
    """Two slices of a real whole-head scan in mm space, windowed as at inference: (2, 1, 192, 160)."""
    scan, window = read_scan(path), Window()
    low, high = np.percentile(scan.voxels, [window.low, window.high])
    slices = []
    for plane, mm in REFERENCE_MM.items():
        axis = PLANES[plane]
        index = round(float(np.linalg.inv(scan.affine)[axis, 3]) + mm / scan.spacing[axis])
        picture = (slice_of(scan.voxels, plane, index) - low) / (high - low)
        slices.append(centred(torch.from_numpy(picture.clip(0, window.maximum)).float(), REFERENCE_SIZE))
    return torch.stack(slices)[:, None]
