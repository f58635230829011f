"""Tiny networks of ours with random weights, and random images for them."""

import torch
from torch import Tensor

from scse_viz.models import EncoderDecoder, build

WIDTHS = (4, 4, 6, 6, 8)


def network(variant: str = "scse", architecture: str = "unet") -> EncoderDecoder:
    """A network of three classes, in training mode as it is made."""
    return build(architecture, variant, classes=3, widths=WIDTHS, seed=0)


def images(count: int = 1, seed: int = 0) -> Tensor:
    """Noise, (count, 1, 32, 32)."""
    return torch.randn(count, 1, 32, 32, generator=torch.Generator().manual_seed(seed))
