"""Memory-lean forms of a block's formulas: the same values and gradients with fewer tensors as large as the features.

The blocks are memory-bound: written out, u c + u s makes three tensors as large as u, and its gradient seven more.
Here the sum makes one and its gradient one more, in the memory layout of u: the sum of two gates alone is
contiguous, and multiplying channels-last features by it takes several times as long. `tests/benchmarks/test_blocks.py`
holds every function of this file against its plain formula.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

WRITTEN_OUT = 512 * 512
"""Pairs up to which writing out the matrix of attention is as quick."""


def check_axes(u: Tensor) -> None:
    """Raises ValueError for features of other axes than (B, C, H, W)."""
    if u.ndim != 4:
        raise ValueError(f"features have shape {tuple(u.shape)}; the blocks take (B, C, H, W)")


def spatial_mean(u: Tensor) -> Tensor:
    """u (B, C, H, W) -> its mean over the pixels (B, C).

    As a sum, whose gradient is a view; that of torch's mean is a tensor as large as u. Raises ValueError for u of other
    axes: blocks of 3-D networks have other weights.
    """
    check_axes(u)
    total = u.sum(dim=(2, 3), dtype=torch.float32 if u.dtype == torch.float16 else None)  # float16 would overflow
    return (total / u.shape[2:].numel()).to(u.dtype)


def add_out(u: Tensor, c: Tensor, s: Tensor) -> Tensor:
    """u c + u s, computed as u (c + s): u (B, C, H, W), c (B, C, 1, 1), s (B, 1, H, W) -> (B, C, H, W).

    The plain formula is used for gates of another shape, which a hook may return, and under torch.compile and
    torch.export, which fuse by themselves. The transforms of torch.func are not supported.
    """
    return _AddOut.apply(u, c, s) if _applies(u, c, s) else u * (c + s)


def max_out(u: Tensor, c: Tensor, s: Tensor) -> Tensor:
    """max(u c, u s), the larger value also where u is negative; otherwise as `add_out`."""
    return _MaxOut.apply(u, c, s) if _applies(u, c, s) else torch.maximum(u * c, u * s)


def attended(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(query key^T) value: query (B, N, d), key and value (B, M, d) -> (B, N, d).

    From WRITTEN_OUT pairs on without the matrix (B, N, M); those can be differentiated once.
    """
    if query.shape[1] * key.shape[1] <= WRITTEN_OUT:
        return (query @ key.mT).softmax(dim=2) @ value
    # Contiguous: the kernel without the matrix takes nothing else, and torch would write the matrix out in silence.
    q, k, v = (operand.contiguous()[:, None] for operand in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v, scale=1.0)[:, 0]


def _applies(u: Tensor, c: Tensor, s: Tensor) -> bool:
    if torch.compiler.is_compiling():
        return False
    batch, channels, height, width = u.shape
    return c.shape == (batch, channels, 1, 1) and s.shape == (batch, 1, height, width)


class _AddOut(Function):
    """u (c + s). For a gradient g: g (c + s) to u, sum over h, w of g u to c, sum over channels of g u to s."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, c: Tensor, s: Tensor) -> Tensor:
        ctx.save_for_backward(u, c, s)
        return torch.add(c, s, out=torch.empty_like(u)).mul_(u)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        u, c, s = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient will itself be differentiated
            return g * (c + s), (g * u).sum(dim=(2, 3), keepdim=True), (g * u).sum(dim=1, keepdim=True)
        space = torch.mul(g, u, out=torch.empty_like(u))
        to_c, to_s = space.sum(dim=(2, 3), keepdim=True), space.sum(dim=1, keepdim=True)
        return torch.add(c, s, out=space).mul_(g), to_c, to_s


class _MaxOut(Function):
    """max(u c, u s). For a gradient g and the share a of c in the maximum (1, 0, or 1/2 at a tie, as in torch.maximum):

    g (s + a (c - s)) to u, sum over h, w of a g u to c, sum over channels of (1 - a) g u to s.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, c: Tensor, s: Tensor) -> Tensor:
        ctx.save_for_backward(u, c, s)
        by_channel = u * c
        return torch.maximum(by_channel, u * s, out=by_channel)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        u, c, s = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient will itself be differentiated
            a = (u * (c - s)).sign().add(1).div(2)
            to_c, to_s = (a * g * u).sum(dim=(2, 3), keepdim=True), ((1 - a) * g * u).sum(dim=1, keepdim=True)
            return g * (s + a * (c - s)), to_c, to_s
        a = torch.sub(c, s, out=torch.empty_like(u)).mul_(u).sign_().add_(1).div_(2)
        space = torch.mul(g, u, out=torch.empty_like(u))
        to_both = space.sum(dim=1, keepdim=True)
        space.mul_(a)
        to_c, to_s = space.sum(dim=(2, 3), keepdim=True), to_both - space.sum(dim=1, keepdim=True)
        return torch.sub(c, s, out=space).mul_(a).add_(s).mul_(g), to_c, to_s
