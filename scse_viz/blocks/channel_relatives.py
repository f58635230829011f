"""Relatives of cSE that squeeze the space into covariances (SOCA), or excite channels without hidden units (ECA)."""

import math

import torch
from torch import Tensor, nn

from scse_viz.blocks.paper import ChannelGate
from scse_viz.fused import check_axes, spatial_mean

ITERATIONS = 5
LARGEST_MAP = 128 * 128
"""Pixels from which a covariance is computed; of a larger map, every k-th row and column."""
TINY = 1e-12
"""Added to a trace, so that features that are constant, whose covariance is 0, divide by no 0."""


class CovarianceGate(ChannelGate):
    """Squeeze the space into covariances, excite each channel: u (B, C, H, W) -> gate (B, C, 1, 1) in (0, 1).

    sigmoid(W2 relu(W1 z)), z_c the mean of row c of the square root of the covariance of the channels. Dai et al.,
    "Second-order Attention Network for Single Image Super-Resolution", CVPR 2019; the root by Newton and Schulz's
    iteration, Li et al., CVPR 2018. The authors crop maps beyond 1000 x 1000; here the cost is bounded by `thinned`.
    """

    def forward(self, u: Tensor) -> Tensor:
        with torch.autocast(u.device.type, enabled=False):  # 8 bits of mantissa do not hold the iteration
            full = u.float() if u.dtype in (torch.float16, torch.bfloat16) else u
            z = matrix_root(covariance(thinned(full))).mean(dim=1)  # (B, C)
        return self.excite(self.squeeze(z.to(u.dtype)).relu()).sigmoid().view(*u.shape[:2], 1, 1)


class SecondOrderAttention(nn.Module):
    """SOCA: every channel times its gate, u (B, C, H, W) -> (B, C, H, W). Dai et al., CVPR 2019."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.channel_gate = CovarianceGate(channels, reduction)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.channel_gate(u)


class EfficientGate(nn.Module):
    """Squeeze the space, excite each channel by its neighbours: u (B, C, H, W) -> gate (B, C, 1, 1) in (0, 1).

    sigmoid(w * mean(u)), w a 1-D convolution along the channels of k weights, without hidden units; k is the odd
    number at or above the whole part of (log2(C) + 1) / 2. Wang et al., "ECA-Net", CVPR 2020, and the authors' code.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = int((math.log2(channels) + 1) / 2) // 2 * 2 + 1
        self.excite = nn.Conv1d(1, 1, kernel_size=width, padding=width // 2, bias=False)

    def forward(self, u: Tensor) -> Tensor:
        z = spatial_mean(u)[:, None]  # (B, 1, C)
        return self.excite(z).sigmoid().view(*u.shape[:2], 1, 1)


class EfficientChannelAttention(nn.Module):
    """ECA: every channel times its gate, u (B, C, H, W) -> (B, C, H, W). It has no reduction. Wang et al. 2020."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.channel_gate = EfficientGate(channels)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.channel_gate(u)


def thinned(u: Tensor) -> Tensor:
    """Every k-th row and column of u (B, C, H, W), k the least that leaves at most LARGEST_MAP pixels."""
    check_axes(u)
    height, width = u.shape[2:]
    step = max(1, math.isqrt(height * width // LARGEST_MAP))
    while -(-height // step) * -(-width // step) > LARGEST_MAP:
        step += 1
    return u[:, :, ::step, ::step]


def covariance(u: Tensor) -> Tensor:
    """u (B, C, H, W) -> the covariance of its channels over the pixels, (B, C, C), divided by H W."""
    x = u.flatten(2)
    x = x - x.mean(dim=2, keepdim=True)
    return x @ x.mT / x.shape[2]


def matrix_root(a: Tensor, iterations: int = ITERATIONS) -> Tensor:
    """The square root of symmetric, positive semi-definite matrices (B, C, C), by Newton and Schulz's iteration.

    Y = A / tr A and Z = I become Y (3 I - Z Y) / 2 and (3 I - Z Y) Z / 2; Y times the root of tr A is returned. Five
    iterations leave eigenvalues far below tr A / C too small, as in the authors' code.
    """
    trace = a.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None] + TINY
    identity = torch.eye(a.shape[1], dtype=a.dtype, device=a.device)
    y, z = a / trace, identity.expand_as(a)
    for _ in range(iterations):
        step = (3 * identity - z @ y) / 2
        y, z = y @ step, step @ z
    return y * trace.sqrt()
