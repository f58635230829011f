"""Images synthesised from label maps: an intensity for each tissue, then blur, bias field, noise and contrast.

Billot et al., "SynthSeg: Segmentation of brain MRI scans of any contrast and resolution without retraining", Medical
Image Analysis 2023, here on 2-D slices of any orientation.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from scse_viz.training.brain.atlas import Atlas

FOCUS = {6: 1, 7: 1.5, 8: 1, 9: 1.5, 10: 2, 11: 2.5, 12: 3, 13: 1, 14: 1, 15: 1, 16: 0.7, 3: 0.7, 5: 0.7}
"""Class -> relative frequency with which a focused crop is centred near it; small structures are favoured."""
DIRECTIONS = torch.tensor([[[0, -1, 0], [1, 0, 0]], [[0, 0, -1], [1, 0, 0]], [[0, 0, -1], [0, 1, 0]]]).float()
"""Plane (axial, coronal, sagittal) -> direction of rows and columns in RAS voxels."""
BLUR_RADIUS = 3
FLUID = torch.tensor([3, 14, 15, 17])
"""Classes of fluid, which thresholding excludes from a brain mask: ventricles and extra-cerebral CSF."""


@dataclass(frozen=True)
class SynthesisRecipe:
    """Parameters of the synthesis: probabilities, angles in degrees, lengths in mm, intensities in 0 to 255."""

    focused: float = 0.6
    t1: float = 0.7
    stripped: float = 0.3
    hollow: float = 0.0
    """Share of the stripped heads whose mask looks thresholded: dark fluid is black as well."""
    coarse: float = 0.15
    tilt: float = 9.0
    turn: float = 12.0
    bend: float = 4.0
    blur: tuple[float, float] = (0.3, 1.1)
    bias: float = 0.35
    noise: float = 7.0
    gamma: float = 0.25
    window: tuple[float, float] = (0.8, 1.12)


def synthesise(
    atlas: Atlas, count: int, size: int, generator: Generator, recipe: SynthesisRecipe = SynthesisRecipe()
) -> tuple[Tensor, Tensor]:
    """Random crops and their classes: images (count, 1, size, size) in 0 to 1.5, classes (count, size, size) int64.

    The same state of the generator gives the same crops.
    """
    labels = tilted_labels(atlas, count, size, generator, recipe)
    stripped = torch.rand(count, generator=generator) < recipe.stripped
    bare = torch.rand(count, generator=generator) < 0.5  # of the stripped: without CSF too
    gone = atlas.outside[None] & stripped[:, None]
    gone[:, atlas.csf] |= stripped & bare
    labels = torch.where(gone.gather(1, labels.view(count, -1)).view_as(labels), 0, labels)
    return render(atlas, labels, stripped, generator, recipe), atlas.classes[labels]


def tilted_labels(atlas: Atlas, count: int, size: int, generator: Generator, recipe: SynthesisRecipe) -> Tensor:
    """Labels on random tilted, bent planes of random heads: (count, size, size) int64 rows of the atlas's tables."""
    heads = torch.randint(len(atlas.heads), (count,), generator=generator)
    plane = torch.randint(3, (count,), generator=generator)
    weights = torch.zeros(atlas.points.shape[1])
    for number, weight in FOCUS.items():
        weights[number] = weight
    near = torch.multinomial(weights, count, replacement=True, generator=generator)
    focused = torch.rand(count, generator=generator) < recipe.focused
    near = torch.where(focused, near, atlas.points.shape[1] - 1)
    point = torch.randint(atlas.points.shape[2], (count,), generator=generator)
    centre = atlas.points[heads, near, point].float()  # (count, 3)

    ways = DIRECTIONS[plane] @ _rotations(count, generator, recipe.tilt).transpose(1, 2)  # (count, 2, 3)
    ways = _turned(ways, uniform((count,), -recipe.turn, recipe.turn, generator).deg2rad())
    zoom = uniform((count, 1, 1), 0.85, 1.2, generator) * uniform((count, 2, 1), 0.93, 1.07, generator)
    ways = ways * zoom
    ways[:, 1] *= torch.where(torch.rand(count, 1, generator=generator) < 0.5, -1.0, 1.0)  # left and right

    ticks = torch.arange(size) - (size - 1) / 2
    shift = uniform((count, 2), -0.22 * size, 0.22 * size, generator)
    rows = (ticks + shift[:, :1])[:, :, None, None] * ways[:, None, None, 0]  # (count, size, 1, 3)
    columns = (ticks + shift[:, 1:])[:, None, :, None] * ways[:, None, None, 1]
    amplitude = uniform((count, 1, 1, 1), 0, recipe.bend, generator)
    bend = F.interpolate(
        torch.randn(count, 3, 6, 6, generator=generator), size=(size, size), mode="bicubic", align_corners=True
    )
    voxels = centre[:, None, None] + rows + columns + (amplitude * bend).permute(0, 2, 3, 1)
    return _gather(atlas.heads, heads, voxels.round_().long())


def render(atlas: Atlas, labels: Tensor, stripped: Tensor, generator: Generator, recipe: SynthesisRecipe) -> Tensor:
    """Images of labels (B, H, W): (B, 1, H, W) in 0 to 1.5; background of the `stripped` (B,) is black."""
    levels = _intensities(atlas, len(labels), generator, recipe)
    return paint(labels, levels, stripped, generator, recipe, fluid=torch.isin(atlas.classes, FLUID))


def paint(
    labels: Tensor,
    levels: Tensor,
    stripped: Tensor,
    generator: Generator,
    recipe: SynthesisRecipe,
    fluid: Tensor | None = None,
) -> Tensor:
    """Images of labels (B, H, W), `levels` (2, B, L) their mean intensities and deviations: (B, 1, H, W) in 0 to 1.5.

    Label 0 is background, black in the `stripped` (B,). `fluid` (L,) marks the labels that can be hollow.
    """
    count, height, width = labels.shape
    mean, std = levels.clone()
    mean[:, 0] = torch.where(stripped, 0.0, mean[:, 0])
    std[:, 0] = torch.where(stripped, 0.0, std[:, 0])
    flat = labels.view(count, -1)
    grain = torch.randn(flat.shape, generator=generator)
    image = (mean.gather(1, flat) + std.gather(1, flat) * grain).clamp_min_(0).view(count, 1, height, width)
    image = _blurred(image, uniform((count,), *recipe.blur, generator))
    strength = uniform((count, 1, 1, 1), 0, recipe.bias, generator)
    field = torch.randn(count, 1, 4, 4, generator=generator)
    image = image * (strength * F.interpolate(field, size=(height, width), mode="bicubic", align_corners=True)).exp()
    half = F.interpolate(F.avg_pool2d(image, 2), size=(height, width), mode="bilinear", align_corners=False)
    coarse = torch.rand(count, 1, 1, 1, generator=generator) < recipe.coarse
    image = torch.where(coarse, half, image)
    level = uniform((count, 1, 1, 1), 0, recipe.noise, generator)
    noise = level * torch.randn(image.shape, generator=generator)
    clean = (stripped & (torch.rand(count, generator=generator) < 0.7))[:, None, None, None] & (labels == 0)[:, None]
    image = image + torch.where(clean, 0.0, noise)
    if recipe.hollow and fluid is not None:
        hollow = stripped & (torch.rand(count, generator=generator) < recipe.hollow)
        image = _hollowed(image, labels, fluid[labels] & hollow[:, None, None], generator)
    return _windowed(image, generator, recipe)


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Uniform random numbers in `low` to `high`."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def _intensities(atlas: Atlas, count: int, generator: Generator, recipe: SynthesisRecipe) -> Tensor:
    """Mean and standard deviation of every label's intensity: (2, count, L)."""
    tissues = atlas.means.shape[1]
    t1 = torch.rand(count, 1, generator=generator) < recipe.t1
    mean = atlas.means[0] + atlas.means[1] * torch.randn(count, tissues, generator=generator)
    std = (atlas.stds[0] + atlas.stds[1] * torch.randn(count, tissues, generator=generator)).abs()
    # The priors' deviations include partial volume and bias, which are simulated separately here.
    std = std * uniform((count, 1), 0.2, 0.9, generator)
    mean = torch.where(t1, mean, uniform((count, tissues), 0, 255, generator))
    std = torch.where(t1, std, uniform((count, tissues), 0, 25, generator))
    mean, std = mean[:, atlas.tissues], std[:, atlas.tissues]
    # Labels of one tissue differ a little: the caudate is not as bright as the cortex.
    return torch.stack([mean + 5 * torch.randn(mean.shape, generator=generator), std])


def _windowed(image: Tensor, generator: Generator, recipe: SynthesisRecipe) -> Tensor:
    """Percentiles 0.5 and 99.5 to 0 and about 1, then a random gamma."""
    count = len(image)
    some = image.view(count, -1)[:, ::3]
    low, high = torch.quantile(some, torch.tensor([0.005, 0.995]), dim=1)[..., None, None, None]
    image = ((image - low) / (high - low).clamp_min(1e-3)).clamp_(0, 1.5)
    image = image ** (recipe.gamma * torch.randn(count, 1, 1, 1, generator=generator)).exp()
    return (image * uniform((count, 1, 1, 1), *recipe.window, generator)).clamp_(0, 1.5)


def _hollowed(image: Tensor, labels: Tensor, fluid: Tensor, generator: Generator) -> Tensor:
    """Images (B, 1, H, W) that are black where `fluid` (B, H, W) is darker than a part of the head's mean."""
    head = (labels > 0)[:, None]
    mean = (image * head).sum(dim=(1, 2, 3), keepdim=True) / head.sum(dim=(1, 2, 3), keepdim=True).clamp_min(1)
    dark = image < mean * uniform((len(image), 1, 1, 1), 0.2, 0.6, generator)
    return torch.where(fluid[:, None] & dark, 0.0, image)


def _blurred(image: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur of each picture with its own sigma, in pixels: image (B, 1, H, W), sigma (B,)."""
    count = len(image)
    ticks = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1)
    kernel = (-0.5 * (ticks / sigma[:, None]) ** 2).exp()
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    image = F.pad(image.transpose(0, 1), (BLUR_RADIUS,) * 4, mode="replicate")
    image = F.conv2d(image, kernel[:, None, :, None], groups=count)
    return F.conv2d(image, kernel[:, None, None, :], groups=count).transpose(0, 1)


def _rotations(count: int, generator: Generator, degrees: float) -> Tensor:
    """Random rotations (count, 3, 3): the exponential of a skew matrix whose angles have this standard deviation."""
    x, y, z = (degrees * torch.randn(3, count, generator=generator)).clamp_(-3 * degrees, 3 * degrees).deg2rad()
    zero = torch.zeros(count)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(count, 3, 3)
    return torch.linalg.matrix_exp(skew)


def _turned(ways: Tensor, angle: Tensor) -> Tensor:
    """The two directions of a picture turned within its plane: ways (B, 2, 3), angle (B,)."""
    cosine, sine = angle.cos(), angle.sin()
    turn = torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2)
    return turn @ ways


def _gather(heads: Tensor, head: Tensor, voxels: Tensor) -> Tensor:
    """Labels at voxels (B, H, W, 3) of heads[head]; beyond the volume 0."""
    size = torch.tensor(heads.shape[1:])
    inside = ((voxels >= 0) & (voxels < size)).all(dim=-1)
    x, y, z = torch.minimum(voxels.clamp_min(0), size - 1).unbind(-1)
    flat = ((head[:, None, None] * size[0] + x) * size[1] + y) * size[2] + z
    return torch.where(inside, heads.view(-1)[flat].long(), 0)
