"""The crops of a step: slices rotated, scaled, mirrored and changed in intensity, or synthesised from labels alone.

The crops depend on seed and step alone: every variant sees the same ones, and so does a resumed training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from scse_viz.inference import input_size
from scse_viz.scans import PLANES, slice_grid
from scse_viz.training.brain.synthesis import SynthesisRecipe, paint
from scse_viz.training.own.arrays import Volume, slice_images, slice_labels
from scse_viz.training.own.classes import Paints
from scse_viz.zoo import Card

LARGEST_SIZE = 256
"""Pixels a side of a crop, unless more are chosen."""


@dataclass(frozen=True)
class Augmentation:
    """How crops differ from slices: probabilities, angles in degrees; gain, gamma and noise are normally distributed.

    `focused` is the share of crops placed on a structure, all equally likely; `scale` the range of the size of a pixel
    in pixels of the slice; `mirror` the probability that left and right are exchanged, in planes that show both.
    """

    focused: float = 0.5
    turn: float = 15.0
    scale: tuple[float, float] = (0.85, 1.2)
    mirror: float = 0.5
    gain: float = 0.1
    gamma: float = 0.2
    noise: float = 0.03


@dataclass(frozen=True, eq=False)
class Crops:
    """Crops of `volumes` in the planes of the card, `batch` a step, `size` pixels a side.

    `paints` describe how images are synthesised from label numbers; None for real images.
    """

    volumes: Sequence[Volume]
    card: Card
    batch: int
    size: int
    seed: int
    augmentation: Augmentation = Augmentation()
    paints: Paints | None = None

    def of_step(self, step: int, rank: int = 0, ranks: int = 1) -> tuple[Tensor, Tensor]:
        """Images (B, C, S, S) in 0 to the card's maximum and classes (B, S, S) int64: a process's share."""
        crops = [self._crop(np.random.default_rng((self.seed, step, row))) for row in range(rank, self.batch, ranks)]
        return torch.stack([image for image, _ in crops]), torch.stack([classes for _, classes in crops])

    def _crop(self, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """An image (C, S, S) and its classes (S, S)."""
        augmentation, card = self.augmentation, self.card
        volume = self.volumes[int(random.integers(len(self.volumes)))]
        plane = card.planes[int(random.integers(len(card.planes)))]
        index, point = self._target(volume, plane, random)
        height, width = input_size(volume.scan, card, plane)
        centre = [_centre(share, side, self.size, random) for share, side in zip(point, (height, width), strict=True)]
        angle = np.deg2rad(random.uniform(-augmentation.turn, augmentation.turn))
        mirrored = plane != "sagittal" and random.random() < augmentation.mirror
        ways = random.uniform(*augmentation.scale) * np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        if mirrored:
            ways[:, 1] *= -1
        grid = _grid(centre, ways, self.size, (height, width))
        classes = _sampled(slice_labels(volume.classes, volume, card, plane, index), grid)
        if self.paints is not None:
            numbers = _sampled(slice_labels(volume.scan.voxels, volume, card, plane, index), grid)
            return painted(numbers, self.paints, random), classes
        image = F.grid_sample(slice_images(volume, card, plane, [index]), grid, align_corners=False)[0]
        return self._changed(image, random), classes

    def _target(self, volume: Volume, plane: str, random: np.random.Generator) -> tuple[int, tuple[float, float]]:
        """The index of a slice, and a point in it as shares of its height and width."""
        if not volume.points or random.random() > self.augmentation.focused:
            return int(random.integers(slice_grid(volume.scan, plane).count)), (random.random(), random.random())
        voxels = volume.points[list(volume.points)[random.integers(len(volume.points))]]
        voxel = voxels[random.integers(len(voxels))]
        across, down = (axis for axis in range(3) if axis != PLANES[plane])
        height, width = volume.classes.shape[down], volume.classes.shape[across]
        return int(voxel[PLANES[plane]]), ((height - 0.5 - voxel[down]) / height, (voxel[across] + 0.5) / width)

    def _changed(self, image: Tensor, random: np.random.Generator) -> Tensor:
        """The image (C, S, S) with gamma and gain drawn for each channel, and noise."""
        augmentation = self.augmentation
        gamma, gain = torch.from_numpy(random.standard_normal((2, len(image), 1, 1), dtype=np.float32))
        noise = torch.from_numpy(random.standard_normal(tuple(image.shape), dtype=np.float32))
        image = image ** (augmentation.gamma * gamma).exp() * (1 + augmentation.gain * gain)
        return (image + augmentation.noise * random.random() * noise).clamp(0, self.card.window.maximum)


def painted(numbers: Tensor, paints: Paints, random: np.random.Generator) -> Tensor:
    """An image of label numbers (H, W) with a random intensity for each group: (1, H, W) in 0 to 1.5.

    In half of the images, number 0 is black. Billot et al. 2023, as in scse_viz.training.brain.synthesis.
    """
    generator = Generator().manual_seed(int(random.integers(2**62)))
    kinds = max(paints.groups) + 1
    mean, std = random.uniform(0, 255, kinds), random.uniform(0, 25, kinds)
    mean = mean[list(paints.groups)] + 5 * random.standard_normal(
        len(paints.groups)
    )  # left differs a little from right
    levels = torch.from_numpy(np.stack([mean, std[list(paints.groups)]])[:, None]).float()
    black = torch.tensor([random.random() < 0.5])
    rows = torch.searchsorted(torch.tensor(paints.numbers), numbers)
    return paint(rows[None], levels, black, generator, SynthesisRecipe())[0]


def whole_slices(
    volumes: Sequence[Volume], card: Card, count: int, paints: Paints | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Up to `count` whole slices, the same for the same volumes: images (1, C, h, w) and classes (1, h, w)."""
    random = np.random.default_rng(0)
    slices = [(v, plane, i) for v in volumes for plane in card.planes for i in range(slice_grid(v.scan, plane).count)]
    for row in sorted(random.permutation(len(slices))[:count]):
        volume, plane, index = slices[row]
        yield slice_pair(volume, card, plane, index, paints, random)


def slice_pair(
    volume: Volume,
    card: Card,
    plane: str,
    index: int,
    paints: Paints | None,
    random: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """One whole slice, synthesised if `paints` are given: image (1, C, h, w) and classes (1, h, w)."""
    classes = slice_labels(volume.classes, volume, card, plane, index)[None]
    if paints is None:
        return slice_images(volume, card, plane, [index]), classes
    return painted(slice_labels(volume.scan.voxels, volume, card, plane, index), paints, random)[None], classes


def default_size(volumes: Sequence[Volume], card: Card) -> int:
    """The side of crops that cover a slice: its longer side, rounded up to a multiple of 16, at most LARGEST_SIZE."""
    sides = [max(input_size(volume.scan, card, plane)) for volume in volumes for plane in card.planes]
    return int(min(LARGEST_SIZE, -(-float(np.median(sides)) // 16) * 16))


def _centre(share: float, side: int, size: int, random: np.random.Generator) -> float:
    """The centre of a crop along a side of a slice, in pixels: near the point, and inside the slice where possible."""
    if side <= size:
        return side / 2 + random.uniform(-0.1, 0.1) * side
    return float(np.clip(share * side + random.uniform(-0.25, 0.25) * size, size / 2, side - size / 2))


def _grid(centre: Sequence[float], ways: np.ndarray, size: int, shape: tuple[int, int]) -> Tensor:
    """The positions of a crop's pixels for grid_sample: (1, size, size, 2), column and row in -1 to 1.

    `ways` (2, 2) map rows and columns of the crop to those of the slice.
    """
    ticks = np.arange(size) - (size - 1) / 2
    rows, columns = np.einsum("ij,jrc->irc", ways, np.stack(np.meshgrid(ticks, ticks, indexing="ij")))
    rows = 2 * (rows + centre[0]) / shape[0] - 1
    columns = 2 * (columns + centre[1]) / shape[1] - 1
    return torch.from_numpy(np.stack([columns, rows], axis=-1)).float()[None]


def _sampled(labels: Tensor, grid: Tensor) -> Tensor:
    """Labels (H, W) at the grid's points, 0 beyond the slice: (S, S) int64."""
    return F.grid_sample(labels[None, None].double(), grid.double(), mode="nearest", align_corners=False)[0, 0].long()
