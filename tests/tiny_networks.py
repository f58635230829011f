"""Tiny networks of ours with random weights, and random images for them."""

import torch
from torch import Tensor, nn

from scse_viz.models import EncoderDecoder, build

WIDTHS = (4, 4, 6, 6, 8)


def network(variant: str = "scse", architecture: str = "unet") -> EncoderDecoder:
    """A network of three classes, in training mode as it is made."""
    return build(architecture, variant, classes=3, widths=WIDTHS, seed=0)


def images(count: int = 1, seed: int = 0) -> Tensor:
    """Noise, (count, 1, 32, 32)."""
    return torch.randn(count, 1, 32, 32, generator=torch.Generator().manual_seed(seed))


def state_of(model: nn.Module) -> list:
    """All that a recording could leave behind, module by module."""
    return [
        (
            name,
            module.training,
            *(len(held) for key, held in vars(module).items() if "hooks" in key),
            sorted(vars(module)),
        )
        for name, module in model.named_modules()
    ]
