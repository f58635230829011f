"""Networks made by hand whose gate is known: the structure itself, the edges of the picture, or noise.

All segment the pixels of one intensity, MIDDLE, among darker and brighter ones, by three layers as small as can be.
"""

import numpy as np
import torch
from torch import Tensor, nn

from scse_viz.blocks import SpatialGate
from scse_viz.inference.belief import SliceCase

MIDDLE = 0.5
SIZE = 48


class Handmade(nn.Module):
    """x (B, 1, h, w) -> logits (B, 2, h, w) of background and the pixels of MIDDLE intensity."""

    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 3, kernel_size=1)
        self.block = Gated(gate)
        self.classifier = nn.Conv2d(3, 2, kernel_size=1)
        with torch.no_grad():
            self.features.weight.fill_(1.0)
            self.features.bias.copy_(torch.tensor([-0.3, -MIDDLE, -0.7]))
            self.classifier.weight.copy_(torch.tensor([[0.0] * 3, [100.0, -200.0, 100.0]])[..., None, None])
            self.classifier.bias.copy_(torch.tensor([0.0, -5.0]))
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.block(self.features(x).relu()))


class Gated(nn.Module):
    """u times its gate."""

    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.gate = gate

    def forward(self, u: Tensor) -> Tensor:
        return u * self.gate(u)


class Edges(nn.Module):
    """The gradient of the picture, 1/2 where it is flat: nothing in it is learned."""

    def forward(self, u: Tensor) -> Tensor:
        down, across = torch.gradient(u.sum(dim=1, keepdim=True), dim=(2, 3))
        magnitude = torch.hypot(down, across)
        return 0.5 + 0.5 * magnitude / magnitude.amax()


class Noise(nn.Module):
    """Other numbers in every pass."""

    def forward(self, u: Tensor) -> Tensor:
        return (0 * u[:, :1] + torch.randn_like(u[:, :1])).sigmoid()


def of_structure() -> Handmade:
    """Its gate is near 1 on the structure and near 0 elsewhere, and comes from its weights."""
    gate = SpatialGate(3)
    with torch.no_grad():
        gate.squeeze.weight.copy_(torch.tensor([[100.0, -200.0, 100.0]])[..., None, None])
        gate.squeeze.bias.fill_(-8.0)
    return Handmade(gate)


def of_edges() -> Handmade:
    return Handmade(Edges())


def of_noise() -> Handmade:
    return Handmade(Noise())


def picture(seed: int = 0, at: tuple[int, int] = (12, 26)) -> np.ndarray:
    """Bright and dark patches with some noise, and a square of MIDDLE intensity at a place: (SIZE, SIZE)."""
    generator = np.random.default_rng(seed)
    patches = generator.choice([0.2, 1.0], size=(SIZE // 8, SIZE // 8))
    image = np.kron(patches, np.ones((8, 8))) + generator.normal(0, 0.02, (SIZE, SIZE))
    image[at[0] : at[0] + 9, at[1] : at[1] + 9] = MIDDLE + generator.normal(0, 0.02, (9, 9))
    return image.astype(np.float32)


def case() -> SliceCase:
    """The picture as a case, with two pictures whose square lies elsewhere as other slices."""
    x = torch.from_numpy(picture())[None, None]
    others = torch.from_numpy(np.stack([picture(1, (30, 8)), picture(2, (4, 4))]))[:, None]
    structure = np.zeros((SIZE, SIZE), dtype=bool)
    structure[12:21, 26:35] = True
    return SliceCase(x, 1, structure, np.ones((SIZE, SIZE), dtype=bool), others)
