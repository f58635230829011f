"""Slices of small crops with labels, moved, bent and shaded at random: what the hippocampus networks train on."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from scse_viz.inference import network_input, window
from scse_viz.scans import PLANES, Scan, slice_of
from scse_viz.training.brain.synthesis import uniform
from scse_viz.zoo import Card

INSIDE = 0.85
"""Share of the training slices that cut a structure."""
SIDE = 64
"""Pixels that hold every slice of the data set."""


@dataclass(frozen=True, eq=False)
class Slices:
    """All slices of some crops, each at the top left of SIDE x SIDE pixels: as the networks get them at inference.

    `images` (N, SIDE, SIDE) float16 and `classes` (N, SIDE, SIDE) uint8; `sizes` (N, 2) the rows and columns of each.
    `first`, `count` (crops, planes): where the slices of a plane of a crop lie; `inside` says the same of those that
    cut a structure, which follow one another.
    """

    images: Tensor
    classes: Tensor
    sizes: Tensor
    first: Tensor
    count: Tensor
    inside: tuple[Tensor, Tensor]


def slices_of(crops: Iterable[tuple[Scan, np.ndarray]], card: Card) -> Slices:
    """The slices in all planes of crops with their labels (X, Y, Z), as the network of a card gets them."""
    images: list[Tensor] = []
    classes: list[Tensor] = []
    sizes: list[Tensor] = []
    rows: list[tuple[int, int, int, int]] = []
    begin = 0
    for scan, labels in crops:
        for plane in PLANES:
            image, target = plane_slices(scan, labels, card, plane)
            count, height, width = target.shape
            fill = (0, SIDE - width, 0, SIDE - height)
            images.append(F.pad(image[:, 0], fill).half())
            classes.append(F.pad(target, fill).byte())
            sizes.append(torch.tensor([height, width]).expand(count, 2))
            cut = (target > 0).any(dim=(1, 2)).nonzero()[:, 0].tolist()
            rows.append((begin, count, begin + cut[0], cut[-1] - cut[0] + 1))
            begin += count
    first, count_all, first_inside, count_inside = torch.tensor(rows).view(-1, len(PLANES), 4).unbind(-1)
    return Slices(
        torch.cat(images), torch.cat(classes), torch.cat(sizes), first, count_all, (first_inside, count_inside)
    )


def plane_slices(scan: Scan, labels: np.ndarray, card: Card, plane: str) -> tuple[Tensor, Tensor]:
    """All slices of a plane as at inference, and their classes: (N, 1, H, W) float32 and (N, H, W) int64."""
    indices = range(scan.voxels.shape[PLANES[plane]])
    image = network_input(scan, card, plane, indices, window(scan, card))
    target = np.stack([slice_of(labels, plane, index) for index in indices])
    return image, torch.from_numpy(target.astype(np.int64))


@dataclass(frozen=True)
class SliceAugmentation:
    """How a slice is changed; angles in degrees, lengths in pixels of 1 mm, intensities where the window is 0 to 1."""

    mirrored: float = 0.5
    turn: float = 12.0
    zoom: tuple[float, float] = (0.87, 1.13)
    stretch: float = 0.06
    bend: float = 1.5
    beyond: float = 2.0
    """How far the slice may reach beyond the picture, or the picture beyond the slice more than it must."""
    gamma: float = 0.15
    gain: tuple[float, float] = (0.88, 1.12)
    offset: float = 0.05
    bias: float = 0.1
    blurred: float = 0.25
    noise: float = 0.03


def chosen(slices: Slices, count: int, generator: Generator) -> Tensor:
    """Random slices: a crop, a plane, and in INSIDE of all cases a slice through a structure: rows (count,)."""
    crop = torch.randint(len(slices.first), (count,), generator=generator)
    plane = torch.randint(slices.first.shape[1], (count,), generator=generator)
    within = torch.rand(count, generator=generator) < INSIDE
    first = torch.where(within, slices.inside[0][crop, plane], slices.first[crop, plane])
    many = torch.where(within, slices.inside[1][crop, plane], slices.count[crop, plane])
    return first + (torch.rand(count, generator=generator) * many).long()


def augmented(
    slices: Slices,
    rows: Tensor,
    size: tuple[int, int],
    generator: Generator,
    augmentation: SliceAugmentation = SliceAugmentation(),
) -> tuple[Tensor, Tensor]:
    """Slices moved, bent and shaded at random: images (B, 1, *size) in 0 to 1.5, classes (B, *size) int64.

    Beyond its edge a slice goes on as it ends, as the networks fill what they get.
    """
    at = _places(slices.sizes[rows].float(), size, generator, augmentation)
    image = _sampled(slices.images[rows].float(), at, "bilinear")
    classes = _sampled(slices.classes[rows].float(), at, "nearest")
    return _shaded(image, generator, augmentation)[:, None], classes.long()


def _places(sizes: Tensor, size: tuple[int, int], generator: Generator, augmentation: SliceAugmentation) -> Tensor:
    """For each pixel of the picture, the row and column of its slice that it shows: (B, *size, 2), within the slice."""
    count, shape = len(sizes), torch.tensor(size).float()
    zoom = uniform((count, 1), *augmentation.zoom, generator)
    zoom = zoom * uniform(
        (count, 2), 1 - augmentation.stretch, 1 + augmentation.stretch, generator
    )  # slice pixels a pixel
    angle = uniform((count,), -augmentation.turn, augmentation.turn, generator).deg2rad()
    mirror = torch.where(torch.rand(count, generator=generator) < augmentation.mirrored, -1.0, 1.0)
    # The picture's centre is drawn about the slice's, no further than lets one reach `beyond` the other.
    reach = (sizes - shape).abs() / 2 + augmentation.beyond
    centre = (sizes - 1) / 2 + reach * uniform((count, 2), -1, 1, generator)
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    ticks = torch.stack([rows, columns], dim=-1) - (shape - 1) / 2  # (*size, 2)
    cosine, sine = angle.cos(), angle.sin()
    turn = torch.stack([cosine, -sine, sine, cosine], dim=1).view(count, 2, 2)
    turn[:, :, 1] *= mirror[:, None]
    at = torch.einsum("bij,hwj->bhwi", turn * zoom[:, None], ticks) + centre[:, None, None]
    bend = torch.randn(count, 2, 5, 5, generator=generator)
    bend = F.interpolate(bend, size=size, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    at = at + uniform((count, 1, 1, 1), 0, augmentation.bend, generator) * bend
    return torch.minimum(at.clamp_min(0), sizes[:, None, None] - 1)


def _sampled(pictures: Tensor, at: Tensor, mode: str) -> Tensor:
    """pictures (B, SIDE, SIDE) at rows and columns (B, H, W, 2) -> (B, H, W)."""
    grid = at.flip(-1) * (2 / (SIDE - 1)) - 1  # columns first, corners at -1 and 1
    return F.grid_sample(pictures[:, None], grid, mode=mode, padding_mode="border", align_corners=True)[:, 0]


def _shaded(image: Tensor, generator: Generator, augmentation: SliceAugmentation) -> Tensor:
    """Blur, bias field, gamma, gain, offset and noise of each picture's own: (B, H, W) in 0 to 1.5."""
    count, *size = image.shape
    smooth = F.avg_pool2d(F.pad(image[:, None], (1, 1, 1, 1), mode="replicate"), 3, stride=1)[:, 0]
    share = uniform((count, 1, 1), 0, 1, generator)
    share = share * (torch.rand(count, 1, 1, generator=generator) < augmentation.blurred)
    image = image + share * (smooth - image)
    field = torch.randn(count, 1, 3, 3, generator=generator)
    field = F.interpolate(field, size=size, mode="bicubic", align_corners=True)[:, 0]
    image = image * (uniform((count, 1, 1), 0, augmentation.bias, generator) * field).exp()
    image = image.clamp_min(0) ** (augmentation.gamma * torch.randn(count, 1, 1, generator=generator)).exp()
    image = image * uniform((count, 1, 1), *augmentation.gain, generator)
    image = image + uniform((count, 1, 1), -augmentation.offset, augmentation.offset, generator)
    level = uniform((count, 1, 1), 0, augmentation.noise, generator)
    return (image + level * torch.randn(image.shape, generator=generator)).clamp_(0, 1.5)
