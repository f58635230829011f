"""The shipped brain networks: `python -m scse_viz.training.brain`, and the facts of their cards."""

import argparse
import logging
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from torch import Generator, Tensor

from scse_viz.blocks import VARIANTS
from scse_viz.models import ARCHITECTURES, build
from scse_viz.training.atlas import Atlas, load_atlas
from scse_viz.training.loop import Plan, train
from scse_viz.training.losses import median_frequency_weights
from scse_viz.training.synthesis import Recipe, synthesise

CLASSES = 18
WIDTHS = (16, 32, 64, 128, 128)
TRAINING_HEADS = range(1, 17)
VALIDATION_HEADS = range(17, 21)
BATCH = 8
STEPS = 12_600
SIZES = (80, 96, 96, 96, 144)
"""Side of the crops in pixels of 1 mm, step by step: the small ones are quick, the large ones show a whole slice."""
REFERENCE_MM = ((1, -14.0), (2, 4.0))
"""Reference slices by axis and place in mm: coronal through hippocampus and putamen, axial through the thalamus."""
REFERENCE_SIZE = (192, 160)


def batch_of(atlas: Atlas, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """The crops of one step, the same for every network: images (BATCH, 1, S, S), classes (BATCH, S, S)."""
    generator = Generator().manual_seed(seed * 1_000_003 + step)
    return synthesise(atlas, BATCH, SIZES[step % len(SIZES)], generator)


def validation_batches(atlas: Atlas, count: int = 4) -> list[tuple[Tensor, Tensor]]:
    """Fixed crops of 128 x 128 of heads that no training saw, half of them near small structures, T1 only."""
    generator = Generator().manual_seed(17)
    return [synthesise(atlas, 12, 128, generator, Recipe(t1=1.0)) for _ in range(count)]


def class_weights(atlas: Atlas, seed: int) -> Tensor:
    """Median-frequency weights (K,) of the first hundred batches."""
    counts = torch.zeros(CLASSES)
    for step in range(100):
        counts += torch.bincount(batch_of(atlas, seed, step)[1].view(-1), minlength=CLASSES)
    return median_frequency_weights(counts)


def reference_slices(path: Path) -> Tensor:
    """Two slices of a real whole-head scan in mm space, windowed as at inference: (2, 1, 192, 160)."""
    image = nib.as_closest_canonical(nib.load(path))
    voxels = np.asarray(image.dataobj, dtype=np.float32)
    low, high = np.percentile(voxels, [0.5, 99.5])
    voxels = ((voxels - low) / (high - low)).clip(0, 1.5)
    slices = []
    for axis, place in REFERENCE_MM:
        origin = np.linalg.inv(image.affine) @ [0, 0, 0, 1]
        index = round(float(origin[axis]) + place / float(image.header.get_zooms()[axis]))
        plane = torch.from_numpy(voxels.take(index, axis=axis).T[::-1].astype(np.float32))
        slices.append(_centred(plane, REFERENCE_SIZE))
    return torch.stack(slices)[:, None]


def _centred(plane: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut or fill with black to a size, about the middle: (H, W) -> size."""
    for axis, wanted in enumerate(size):
        spare = plane.shape[axis] - wanted
        if spare >= 0:
            plane = plane.narrow(axis, spare // 2, wanted)
        else:
            side = [0, 0, 0, 0]
            side[2 * (1 - axis)] = -spare // 2
            side[2 * (1 - axis) + 1] = -spare - (-spare // 2)
            plane = torch.nn.functional.pad(plane, side)
    return plane


def main(argv: list[str] | None = None) -> int:
    """Train some variants of one architecture side by side and leave their checkpoint in the run folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of SynthSeg label maps")
    parser.add_argument("--reference", type=Path, required=True, help="a real whole-head T1 scan, for the growth files")
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint and the log")
    parser.add_argument("--architecture", choices=list(ARCHITECTURES), default="unet")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=["none", "cse", "sse", "scse"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS, help=f"batches of {BATCH} crops (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(argv)

    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    name = "-".join(["brain", options.architecture, *options.variants])
    logging.basicConfig(filename=options.run / f"{name}.log", level=logging.INFO, format="%(asctime)s %(message)s")
    atlas = load_atlas(options.data, TRAINING_HEADS, options.run)
    models = {
        f"brain-{options.architecture}-{variant}": build(
            options.architecture, variant, classes=CLASSES, widths=WIDTHS, seed=options.seed
        )
        for variant in options.variants
    }
    train(
        models,
        lambda step: batch_of(atlas, options.seed, step),
        Plan(steps=options.steps, seed=options.seed),
        weights=class_weights(atlas, options.seed),
        validation=validation_batches(load_atlas(options.data, VALIDATION_HEADS, options.run)),
        references=reference_slices(options.reference),
        checkpoint=options.run / f"{name}.pt",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
