"""Blocks with random weights, and the features that go into them."""

import torch
from torch import Tensor, nn

from scse_viz.blocks import VARIANTS, NonLocal

MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def features(
    shape: tuple[int, ...],
    memory_format: torch.memory_format = torch.contiguous_format,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Signed features u (B, C, H, W) of a fixed seed, which require a gradient."""
    u = torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=dtype)
    return u.contiguous(memory_format=memory_format).requires_grad_()


def block(variant: str, channels: int = 8, reduction: int = 2) -> nn.Module:
    """A block whose weights all count: the scale of a non-local block is moved away from its start at 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        made = VARIANTS[variant](channels, reduction)
    if isinstance(made, NonLocal):
        nn.init.constant_(made.scale, 0.7)
    return made


def inputs(variant: str, u: Tensor) -> tuple[Tensor, ...]:
    """What a block of a variant takes: u, and where it gates a skip, features of the stage below."""
    if variant != "ag":
        return (u,)
    batch, channels, height, width = u.shape
    return u, features((batch, channels, height // 2, width // 2), dtype=u.dtype)


def gradients(module: nn.Module, u: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """The result, and the gradients of u and of the parameters for one fixed gradient of the result."""
    module.zero_grad()
    u.grad = None
    result = module(u)
    result.backward(torch.randn(result.shape, generator=torch.Generator().manual_seed(4), dtype=result.dtype))
    return result.detach(), u.grad, {name: value.grad for name, value in module.named_parameters()}
