"""The gates and blocks of the paper: cSE, sSE, and scSE with the ways to join its halves.

Roy, Navab, Wachinger: "Concurrent Spatial and Channel Squeeze & Excitation in Fully Convolutional Networks",
MICCAI 2018 (arXiv 1803.02579), and IEEE TMI 2019 (arXiv 1808.08127).

A gate is a module, and a block multiplies by what its gates return: a hook that records a gate records what was
applied, and a hook that returns another gate changes the result.
"""

import torch
from torch import Tensor, nn

from scse_viz.fused import add_out, max_out, spatial_mean


class ChannelGate(nn.Module):
    """Squeeze the space, excite each channel: u (B, C, H, W) -> gate (B, C, 1, 1) in (0, 1).

    sigmoid(W2 relu(W1 mean(u))), W1 to C / r hidden units. Hu et al. 2018; Roy et al. 2018.
    """

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        hidden = hidden_units(channels, reduction)
        self.squeeze = nn.Linear(channels, hidden)
        self.excite = nn.Linear(hidden, channels)

    def forward(self, u: Tensor) -> Tensor:
        z = spatial_mean(u)  # (B, C)
        return self.excite(self.squeeze(z).relu()).sigmoid().view(*u.shape[:2], 1, 1)


class SpatialGate(nn.Module):
    """Squeeze the channels, excite each pixel: u (B, C, H, W) -> gate (B, 1, H, W) in (0, 1).

    sigmoid(w * u), w a 1 x 1 convolution to one channel. Roy et al. 2018.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, 1, kernel_size=1)

    def forward(self, u: Tensor) -> Tensor:
        return self.squeeze(u).sigmoid()


class ChannelSE(nn.Module):
    """cSE: every channel times its gate, u (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.channel_gate = ChannelGate(channels, reduction)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.channel_gate(u)


class SpatialSE(nn.Module):
    """sSE: every pixel times its gate, u (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.spatial_gate = SpatialGate(channels)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.spatial_gate(u)


class ConcurrentSE(nn.Module):
    """scSE: both gates at once, the recalibrated tensors added, u (B, C, H, W) -> (B, C, H, W). Roy et al. 2018."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.channel_gate = ChannelGate(channels, reduction)
        self.spatial_gate = SpatialGate(channels)

    def forward(self, u: Tensor) -> Tensor:
        return add_out(u, self.channel_gate(u), self.spatial_gate(u))


class ConcurrentSE16(ConcurrentSE):
    """scSE as segmentation_models_pytorch has it, with r = 16 whatever the reduction; at least one hidden unit."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__(channels, min(16, channels))


class ConcurrentSEMax(ConcurrentSE):
    """scSE by max-out: the larger of the two recalibrated values, u (B, C, H, W) -> (B, C, H, W). Roy et al. 2019."""

    def forward(self, u: Tensor) -> Tensor:
        return max_out(u, self.channel_gate(u), self.spatial_gate(u))


class ConcurrentSEMul(ConcurrentSE):
    """scSE by product: one recalibrated tensor times the other, u (B, C, H, W) -> (B, C, H, W). Roy et al. 2019."""

    def forward(self, u: Tensor) -> Tensor:
        return (u * self.channel_gate(u)) * (u * self.spatial_gate(u))


class ConcurrentSEConcat(ConcurrentSE):
    """scSE by concatenation: both recalibrated tensors, then a 1 x 1 convolution from 2 C to C channels.

    u (B, C, H, W) -> (B, C, H, W). Roy et al. 2019.
    """

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__(channels, reduction)
        self.join = nn.Conv2d(2 * channels, channels, kernel_size=1)

    def forward(self, u: Tensor) -> Tensor:
        return self.join(torch.cat([u * self.channel_gate(u), u * self.spatial_gate(u)], dim=1))


def hidden_units(channels: int, reduction: int) -> int:
    """C / r, rounded down. Raises ValueError where none is left."""
    hidden = channels // reduction if reduction > 0 else 0
    if hidden < 1:
        raise ValueError(f"reduction {reduction} leaves no hidden unit of {channels} channels; choose 1 to {channels}")
    return hidden
