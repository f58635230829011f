"""Labelled slices, moved, bent and shaded at random: the training data of the networks for real scans."""

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
"""Share of the training slices that show a structure."""


@dataclass(frozen=True, eq=False)
class Slices:
    """All slices of some scans as the networks get them at inference, each at the top left of S x S pixels.

    `images` (N, S, S) float16 and `classes` (N, S, S) uint8; `sizes` (N, 2) rows and columns of each. `first`, `count`
    (scans, planes): the first slice of a plane of a scan, and how many there are; `inside` the same for the slices that
    show a structure, which are contiguous.
    """

    images: Tensor
    classes: Tensor
    sizes: Tensor
    first: Tensor
    count: Tensor
    inside: tuple[Tensor, Tensor]


def slices_of(stacks: Iterable[tuple[Tensor, Tensor]], planes: int, side: int) -> Slices:
    """Stacks of slices, images (N, 1, H, W) and classes (N, H, W), `planes` of each scan, on `side` x `side` pixels."""
    images: list[Tensor] = []
    classes: list[Tensor] = []
    sizes: list[Tensor] = []
    rows: list[tuple[int, int, int, int]] = []
    begin = 0
    for image, target in stacks:
        count, height, width = target.shape
        fill = (0, side - width, 0, side - height)
        images.append(F.pad(image[:, 0], fill).half())
        classes.append(F.pad(target, fill).byte())
        sizes.append(torch.tensor([height, width]).expand(count, 2))
        shown = (target > 0).any(dim=(1, 2)).nonzero()[:, 0].tolist()
        rows.append((begin, count, begin + shown[0], shown[-1] - shown[0] + 1))
        begin += count
    first, count_all, first_inside, count_inside = torch.tensor(rows).view(-1, planes, 4).unbind(-1)
    return Slices(
        torch.cat(images), torch.cat(classes), torch.cat(sizes), first, count_all, (first_inside, count_inside)
    )


def plane_slices(scan: Scan, labels: np.ndarray, card: Card, plane: str) -> tuple[Tensor, Tensor]:
    """All slices of a plane as at inference and their classes: (N, 1, H, W) float32 and (N, H, W) int64."""
    indices = range(scan.voxels.shape[PLANES[plane]])
    image = network_input(scan, card, plane, indices, window(scan, card))
    target = np.stack([slice_of(labels, plane, index) for index in indices])
    return image, torch.from_numpy(target.astype(np.int64))


@dataclass(frozen=True)
class SliceAugmentation:
    """Random changes of a slice: angles in degrees, lengths in pixels of 1 mm, intensities in units of the window."""

    mirrored: float = 0.5
    turn: float = 12.0
    zoom: tuple[float, float] = (0.87, 1.13)
    stretch: float = 0.06
    bend: float = 1.5
    beyond: float = 2.0
    """By how much slice and picture may overlap less than their sizes allow."""
    gamma: float = 0.15
    gain: tuple[float, float] = (0.88, 1.12)
    offset: float = 0.05
    bias: float = 0.1
    blurred: float = 0.25
    noise: float = 0.03


def centred(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Crop or pad with 0 about the middle: (..., H, W) -> (..., *size)."""
    down, across = (wanted - has for wanted, has in zip(size, image.shape[-2:], strict=True))
    top, left = down // 2, across // 2
    return F.pad(image, (left, across - left, top, down - top))  # negative padding crops


def chosen(slices: Slices, count: int, generator: Generator) -> Tensor:
    """Random rows (count,): a scan, a plane, and with probability INSIDE a slice that shows a structure."""
    scan = torch.randint(len(slices.first), (count,), generator=generator)
    plane = torch.randint(slices.first.shape[1], (count,), generator=generator)
    within = torch.rand(count, generator=generator) < INSIDE
    first = torch.where(within, slices.inside[0][scan, plane], slices.first[scan, plane])
    many = torch.where(within, slices.inside[1][scan, plane], slices.count[scan, plane])
    return first + (torch.rand(count, generator=generator) * many).long()


def augmented(
    slices: Slices,
    rows: Tensor,
    size: tuple[int, int],
    generator: Generator,
    augmentation: SliceAugmentation = SliceAugmentation(),
) -> tuple[Tensor, Tensor]:
    """Slices moved, bent and shaded at random: images (B, 1, *size) in 0 to 1.5, classes (B, *size) int64.

    Beyond its edges a slice is continued with its border, as inference pads its input.
    """
    at = _places(slices.sizes[rows].float(), size, generator, augmentation)
    image = _sampled(slices.images[rows].float(), at, "bilinear")
    classes = _sampled(slices.classes[rows].float(), at, "nearest")
    return _shaded(image, generator, augmentation)[:, None], classes.long()


def _places(sizes: Tensor, size: tuple[int, int], generator: Generator, augmentation: SliceAugmentation) -> Tensor:
    """The row and column of the slice that each pixel of the picture shows: (B, *size, 2), within the slice."""
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
    """pictures (B, S, S) at rows and columns (B, H, W, 2) -> (B, H, W)."""
    grid = at.flip(-1) * (2 / (pictures.shape[-1] - 1)) - 1  # columns first, corners at -1 and 1
    return F.grid_sample(pictures[:, None], grid, mode=mode, padding_mode="border", align_corners=True)[:, 0]


def _shaded(image: Tensor, generator: Generator, augmentation: SliceAugmentation) -> Tensor:
    """Blur, bias field, gamma, gain, offset and noise, drawn for each picture: (B, H, W) in 0 to 1.5."""
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
