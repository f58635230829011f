"""The folder sample_data/, from public scans and our own synthesis: `python -m scse_viz.training.sample_scans`."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
import torch.nn.functional as F
from nibabel.affines import from_matvec
from torch import Generator, Tensor

from scse_viz.inference import segment_slices
from scse_viz.scans import read_labels, read_scan, volume_of
from scse_viz.training.brain.atlas import Atlas, load_atlas
from scse_viz.zoo import load, read_card
from scse_viz.zoo.structures import BRAIN

AAL = {37: 10, 38: 10, 41: 11, 42: 11, 71: 7, 72: 7, 73: 8, 74: 8, 75: 9, 76: 9, 77: 6, 78: 6}
"""AAL region -> our class, where both mean the same structure."""
HIPPOCAMPI = {"left": 37, "right": 38}
"""Side -> AAL region; each is cropped from Colin27 as a separate sample."""
AROUND = np.array([5, 7, 4])
"""Voxels kept around a hippocampus along each axis, about as many as in the Decathlon's crops."""
TISSUES = {1: (1, 4), 2: (2, 5, 7, 8, 10, 11, 12)}
"""Label of the ICBM tissue map (white, grey) -> our classes; thalamus, pallidum and brain stem mix both."""
SYNTHETIC_HEAD = 17
"""One of the label maps withheld from training."""
MASKED_BY = "brain-unet-none"
OPENING = 2
CLOSING = 3
"""Voxels; sulci narrower than twice this are part of the mask."""
AROUND_BRAIN = 6
"""Black voxels kept around a masked brain."""
BLUR_SIGMA = 0.6
NOISE = 3.0
BIAS = 0.12
MARGIN = 4
INFERIOR_MM = 165
"""Height of the synthetic head that is kept, without the neck."""


def colin27(folder: Path, out: Path) -> dict[str, Any]:
    """Colin27 and its AAL labels, from the folder of Debian's package mricron-data."""
    scan = nib.load(folder / "ch2.nii.gz")
    regions = np.asarray(nib.load(folder / "aal.nii.gz").dataobj)
    table = np.zeros(256, dtype=np.uint8)
    table[list(AAL)] = list(AAL.values())
    _write(out / "colin27.nii.gz", np.asarray(scan.dataobj, dtype=np.uint8), scan.affine)
    _write(out / "colin27-labels.nii.gz", table[regions], scan.affine)
    return {
        "name": "colin27",
        "anatomy": "brain",
        "title": "Colin27: one person's head, T1, 27 scans averaged",
        "groups": _structures(sorted(set(AAL.values()))),
        "source": "Debian package mricron-data (ch2.nii.gz); labels: AAL of the same brain, mapped to our classes",
        "licence": "BSD-3-Clause",
    }


def colin27_hippocampus(side: str, folder: Path, out: Path) -> dict[str, Any]:
    """A hippocampus of Colin27 with AAL's label, which does not subdivide it, from the folder of mricron-data."""
    name = f"colin27-hippocampus-{side}"
    scan = nib.load(folder / "ch2.nii.gz")
    hippocampus = np.asarray(nib.load(folder / "aal.nii.gz").dataobj) == HIPPOCAMPI[side]
    voxels = np.argwhere(hippocampus)
    low, high = voxels.min(axis=0) - AROUND, voxels.max(axis=0) + AROUND + 1
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    affine = scan.affine @ from_matvec(np.eye(3), low)
    _write(out / f"{name}.nii.gz", np.asarray(scan.dataobj, dtype=np.uint8)[box], affine)
    _write(out / f"{name}-labels.nii.gz", hippocampus[box].astype(np.uint8), affine)
    return {
        "name": name,
        "anatomy": "hippocampus",
        "title": f"Colin27, {side} hippocampus: cut out of the head, as the hippocampus networks need it",
        "groups": [{"label": 1, "name": "hippocampus", "structures": [1, 2]}],
        "source": "Debian package mricron-data (ch2.nii.gz); labels: AAL of the same brain, the hippocampus as a whole",
        "licence": "BSD-3-Clause",
    }


def colin27_brain(folder: Path, out: Path) -> dict[str, Any]:
    """Colin27 without its skull, cut to the brain, from the files of `colin27` that were made in `out` before.

    The mask is what a shipped network segments as brain in coronal slices, closed and with holes filled, as masks of
    research data are. It is the first scan of the MALC networks, which were trained on heads without skull.
    """
    scan = read_scan(out / "colin27.nii.gz")
    card = read_card(MASKED_BY)
    predicted = np.stack([made.labels for _, made in segment_slices(scan, load(MASKED_BY), card, "coronal")])
    mask = brain_mask(volume_of(predicted, "coronal"))
    inside = np.argwhere(mask)
    low = np.maximum(inside.min(axis=0) - AROUND_BRAIN, 0)
    high = np.minimum(inside.max(axis=0) + AROUND_BRAIN + 1, mask.shape)
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    affine = scan.affine @ from_matvec(np.eye(3), low)
    labels = read_labels(out / "colin27-labels.nii.gz", scan)
    _write(out / "colin27-brain.nii.gz", (scan.voxels * mask).astype(np.uint8)[box], affine)
    _write(out / "colin27-brain-labels.nii.gz", (labels * mask).astype(np.uint8)[box], affine)
    return {
        "name": "colin27-brain",
        "anatomy": "malc",
        "also": ["brain"],
        "title": "Colin27 without its skull: the same head, masked, as the MALC networks expect heads",
        "groups": _structures(sorted(set(AAL.values()))),
        "source": f"Debian package mricron-data (ch2.nii.gz), masked with what {MASKED_BY} finds; labels: AAL of the "
        "same brain, mapped to our classes",
        "licence": "BSD-3-Clause",
    }


def brain_mask(classes: np.ndarray) -> np.ndarray:
    """Class numbers (X, Y, Z) -> the largest part that is brain, closed by CLOSING voxels, without holes: bool.

    Bits of skull that touch it over less than twice OPENING voxels are cut off.
    """
    from scipy import ndimage  # of the extra `train`, like all that makes data

    brain = (classes > 0) & (classes < len(BRAIN) - 1)
    parts, count = ndimage.label(ndimage.binary_opening(brain, iterations=OPENING))
    core = parts == 1 + np.argmax(np.bincount(parts.ravel(), minlength=count + 1)[1:])
    largest = ndimage.binary_dilation(core, iterations=OPENING + 1) & brain
    closed = ndimage.binary_closing(np.pad(largest, CLOSING), iterations=CLOSING)
    inner = tuple(slice(CLOSING, -CLOSING) for _ in range(3))
    return ndimage.binary_fill_holes(closed)[inner]


def icbm2009a(folder: Path, out: Path) -> dict[str, Any]:
    """The ICBM 2009a average brain with labels from its tissue maps, from nilearn's folder datasets/data."""
    scan = nib.load(folder / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz")
    grey, white = (
        np.asarray(nib.load(folder / f"mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz").dataobj, dtype=float)
        / 255
        for tissue in ("gm", "wm")
    )
    labels = np.stack([1 - white - grey, white, grey]).argmax(axis=0).astype(np.uint8)
    _write(out / "icbm2009a.nii.gz", np.asarray(scan.dataobj, dtype=np.uint8), scan.affine)
    _write(out / "icbm2009a-labels.nii.gz", labels, scan.affine)
    names = {1: "white matter", 2: "grey matter"}
    return {
        "name": "icbm2009a",
        "anatomy": "brain",
        "title": "ICBM 2009a: the average of 152 young adults' brains, T1",
        "groups": [{"label": n, "name": names[n], "structures": list(structures)} for n, structures in TISSUES.items()],
        "source": "PyPI package nilearn; labels: the likeliest of its grey matter map, white matter map and neither",
        "licence": "Copyright 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological "
        "Institute; use, copy, modify and distribute without fee with this notice",
    }


def synthetic(folder: Path, out: Path) -> dict[str, Any]:
    """A synthetic head with labels of every class, from a folder of SynthSeg label maps."""
    voxels, labels, affine = synthetic_head(folder, SYNTHETIC_HEAD)
    _write(out / "synthetic.nii.gz", voxels, affine)
    _write(out / "synthetic-labels.nii.gz", labels, affine)
    return {
        "name": "synthetic",
        "anatomy": "brain",
        "title": "Synthetic head: a T1-like image made from a label map, every structure labelled",
        "groups": _structures(range(1, len(BRAIN))),
        "source": f"made by scse_viz.training.sample_scans from label map {SYNTHETIC_HEAD} of the SynthSeg repository",
        "licence": "Apache-2.0",
    }


def synthetic_head(folder: Path, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A T1-like image of a SynthSeg label map, with its number as seed: voxels, classes (X, Y, Z) uint8, affine."""
    atlas = load_atlas(folder, [number])
    labels = _cropped(atlas.heads[0].long())
    voxels = render_head(atlas, labels, Generator().manual_seed(number))
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = -np.array(labels.shape) / 2
    return (voxels / voxels.max() * 255).round().byte().numpy(), atlas.classes[labels].to(torch.uint8).numpy(), affine


def render_head(atlas: Atlas, labels: Tensor, generator: Generator) -> Tensor:
    """A T1-like image of labels (X, Y, Z), each tissue at the mean of its prior: (X, Y, Z) from 0, a.u."""
    mean, std = atlas.means[0][atlas.tissues], 0.35 * atlas.stds[0][atlas.tissues]
    mean = mean + 3 * torch.randn(mean.shape, generator=generator)
    image = (mean[labels] + std[labels] * torch.randn(labels.shape, generator=generator)).clamp_min_(0)
    ticks = torch.arange(-2, 3)
    kernel = (-0.5 * (ticks / BLUR_SIGMA) ** 2).exp()
    kernel = kernel / kernel.sum()
    for axis in range(3):
        moved = image.movedim(axis, -1)
        image = F.conv1d(moved.reshape(-1, 1, moved.shape[-1]), kernel[None, None], padding=2)
        image = image.view(moved.shape).movedim(-1, axis)
    field = torch.randn(1, 1, 4, 4, 4, generator=generator)
    field = F.interpolate(field, size=labels.shape, mode="trilinear", align_corners=True)[0, 0]
    image = image * (BIAS * field).exp()
    noise = NOISE * torch.randn(2, *labels.shape, generator=generator)
    return ((image + noise[0]) ** 2 + noise[1] ** 2).sqrt()  # Rician noise, as in magnitude images


SOURCES = {
    "colin27": "Debian's /usr/share/mricron/templates",
    "icbm2009a": "nilearn's datasets/data",
    "synthetic": "label maps of the SynthSeg repository",
}
MAKERS: tuple[tuple[str, Callable[[Path, Path], dict[str, Any]]], ...] = (
    ("colin27", colin27),
    ("icbm2009a", icbm2009a),
    ("synthetic", synthetic),
    ("colin27", colin27_brain),
    *(("colin27", partial(colin27_hippocampus, side)) for side in HIPPOCAMPI),
)
"""The source and the function of each sample, in the order of samples.json."""


def main(argv: list[str] | None = None) -> int:
    """Make all samples from their source folders, and samples.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    for source, place in SOURCES.items():
        parser.add_argument(f"--{source}", type=Path, required=True, metavar="FOLDER", help=place)
    parser.add_argument("--out", type=Path, default=Path("sample_data"))
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    made = [maker(getattr(options, source), options.out) for source, maker in MAKERS]
    for sample in made:
        sample |= {"scan": f"{sample['name']}.nii.gz", "labels": f"{sample['name']}-labels.nii.gz"}
    (options.out / "samples.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return 0


def _structures(numbers: Any) -> list[Mapping[str, Any]]:
    return [{"label": n, "name": BRAIN[n].name, "structures": [n]} for n in numbers]


def _cropped(head: Tensor) -> Tensor:
    """The head without surrounding background and neck."""
    voxels = head.nonzero()
    low = (voxels.amin(dim=0) - MARGIN).clamp_min(0)
    high = torch.minimum(voxels.amax(dim=0) + MARGIN + 1, torch.tensor(head.shape))
    low[2] = torch.maximum(low[2], high[2] - INFERIOR_MM)
    return head[tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))]


def _write(path: Path, voxels: np.ndarray, affine: np.ndarray) -> None:
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)


if __name__ == "__main__":
    sys.exit(main())
