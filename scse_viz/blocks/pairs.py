"""The relative that weighs pairs of pixels: the non-local block, which is self-attention over a map."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.fused import attended, check_axes

LARGEST_KEYS = 32 * 32
"""Pixels that can be looked at; a larger map is averaged over squares of k x k pixels first."""
SHARE = 8
CHUNK = 1024
"""Queries whose rows are computed at once to sum them."""


class Pairs(NamedTuple):
    """What tells where pixels look: pixel i looks at j with the share softmax over j of query_i . key_j.

    query (B, d, H, W) of the pixels that look; key (B, d, h, w) of those looked at, each the mean of `step` x `step`.
    """

    query: Tensor
    key: Tensor
    step: int = 1

    def row(self, row: int, column: int) -> Tensor:
        """Where one pixel looks, (B, h, w): shares that sum to 1."""
        scores = torch.einsum("bd,bdhw->bhw", self.query[:, :, row, column], self.key)
        return scores.flatten(1).softmax(dim=1).view_as(scores)

    def received(self) -> Tensor:
        """How much each pixel is looked at, (B, h, w): the sum of all shares, with a mean of 1."""
        query, key = self.query.flatten(2).mT, self.key.flatten(2)
        shares = [(some @ key).softmax(dim=2).sum(dim=1) for some in query.split(CHUNK, dim=1)]
        total = torch.stack(shares).sum(dim=0) * (key.shape[2] / query.shape[1])
        return total.view(len(key), *self.key.shape[2:])


class PixelAttention(nn.Module):
    """Queries and keys: u (B, C, H, W) -> Pairs; 1 x 1 convolutions to C / 8 channels, keys of `averaged` u."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, hidden, kernel_size=1, bias=False)
        self.key = nn.Conv2d(channels, hidden, kernel_size=1, bias=False)

    def forward(self, u: Tensor) -> Pairs:
        return Pairs(self.query(u), self.key(averaged(u)), key_step(*u.shape[2:]))


class NonLocal(nn.Module):
    """Every pixel plus a weighted mean of all: u (B, C, H, W) -> (B, C, H, W).

    u + s W (softmax(q k^T) v): query q, key k and value v are 1 x 1 convolutions to C / 8 channels, W one back to C,
    and s a learned scale that starts at 0. The embedded Gaussian of Wang et al., "Non-local Neural Networks", CVPR
    2018, in the form of Zhang et al., "Self-Attention GAN", ICML 2019. It has no reduction. Of a map of more than 32 x
    32 pixels, keys and values are means of k x k pixels, as Wang et al. subsample them.
    """

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        hidden = max(1, channels // SHARE)
        self.attention = PixelAttention(channels, hidden)
        self.value = nn.Conv2d(channels, hidden, kernel_size=1, bias=False)
        self.join = nn.Conv2d(hidden, channels, kernel_size=1, bias=False)
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, u: Tensor) -> Tensor:
        query, key, _ = self.attention(u)
        value = self.value(averaged(u))
        looked = attended(query.flatten(2).mT, key.flatten(2).mT, value.flatten(2).mT)  # (B, H W, C / 8)
        return u + self.scale * self.join(looked.mT.unflatten(2, u.shape[2:]))


def key_step(height: int, width: int) -> int:
    """The least k for which squares of k x k pixels cover a map with at most LARGEST_KEYS of them."""
    step = max(1, math.isqrt(height * width // LARGEST_KEYS))
    while -(-height // step) * -(-width // step) > LARGEST_KEYS:
        step += 1
    return step


def averaged(u: Tensor) -> Tensor:
    """The means of u (B, C, H, W) over squares of `key_step` pixels; those at the far edges may be smaller."""
    check_axes(u)
    step = key_step(*u.shape[2:])
    return u if step == 1 else F.avg_pool2d(u, step, ceil_mode=True, count_include_pad=False)
