"""Relatives that weigh pixels: one after the channels (CBAM), per channel (PE), and on the skip connections (AG)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.blocks.paper import ChannelGate, hidden_units
from scse_viz.fused import spatial_mean


class BothPoolsGate(ChannelGate):
    """Squeeze the space twice, excite each channel: u (B, C, H, W) -> gate (B, C, 1, 1) in (0, 1).

    sigmoid(f(mean(u)) + f(max(u))), f(z) = W2 relu(W1 z) the same for both. Woo et al., "CBAM", ECCV 2018.
    """

    def forward(self, u: Tensor) -> Tensor:
        by_mean, by_max = (self.excite(self.squeeze(z).relu()) for z in (spatial_mean(u), u.amax(dim=(2, 3))))
        return (by_mean + by_max).sigmoid().view(*u.shape[:2], 1, 1)


class WindowGate(nn.Module):
    """Squeeze the channels, excite each pixel by its neighbourhood: u (B, C, H, W) -> gate (B, 1, H, W) in (0, 1).

    sigmoid(w * [max(u), mean(u)]), both over the channels, w a 7 x 7 convolution of the two maps. Woo et al. 2018; the
    authors' code normalises its sum over the batch, the paper does not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.excite = nn.Conv2d(2, 1, kernel_size=7, padding=3)

    def forward(self, u: Tensor) -> Tensor:
        return self.excite(torch.cat([u.amax(dim=1, keepdim=True), u.mean(dim=1, keepdim=True)], dim=1)).sigmoid()


class ConvolutionalAttention(nn.Module):
    """CBAM: every channel times its gate, then every pixel of that times its own, u (B, C, H, W) -> (B, C, H, W).

    The spatial gate sees what the channel gate has left. Woo et al. 2018.
    """

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.channel_gate = BothPoolsGate(channels, reduction)
        self.spatial_gate = WindowGate()

    def forward(self, u: Tensor) -> Tensor:
        u = u * self.channel_gate(u)
        return u * self.spatial_gate(u)


class ProjectGate(nn.Module):
    """Squeeze rows and columns apart, excite each pixel of each channel: u -> gate, both (B, C, H, W), in (0, 1).

    sigmoid(W2 relu(W1 z)), z the mean of a pixel's row plus the mean of its column, channel by channel, W1 and W2
    1 x 1 convolutions over C / r hidden units. Rickmann et al., "Project & Excite", MICCAI 2019, in two dimensions.
    """

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        hidden = hidden_units(channels, reduction)
        self.squeeze = nn.Conv2d(channels, hidden, kernel_size=1)
        self.excite = nn.Conv2d(hidden, channels, kernel_size=1)

    def forward(self, u: Tensor) -> Tensor:
        z = u.mean(dim=3, keepdim=True) + u.mean(dim=2, keepdim=True)  # (B, C, H, 1) + (B, C, 1, W)
        return self.excite(self.squeeze(z).relu()).sigmoid()


class ProjectExcite(nn.Module):
    """PE: every pixel of every channel times its gate, u (B, C, H, W) -> (B, C, H, W). Rickmann et al. 2019."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.full_gate = ProjectGate(channels, reduction)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.full_gate(u)


class SkipGate(nn.Module):
    """Excite each pixel of a skip from itself and the stage below: u (B, C, H, W) -> gate (B, 1, H, W) in (0, 1).

    sigmoid(w relu(Wu * u + Wg * below)), below (B, C', H / 2, W / 2); Wu a 2 x 2 convolution of stride 2 and Wg one of
    1 x 1, both to C / r channels; the gate is enlarged to H x W bilinearly. Oktay et al., "Attention U-Net", MIDL 2018.
    """

    def __init__(self, channels: int, reduction: int, below: int) -> None:
        super().__init__()
        hidden = hidden_units(channels, reduction)
        self.squeeze = nn.Conv2d(channels, hidden, kernel_size=2, stride=2, bias=False)
        self.squeeze_below = nn.Conv2d(below, hidden, kernel_size=1)
        self.excite = nn.Conv2d(hidden, 1, kernel_size=1)

    def forward(self, u: Tensor, below: Tensor) -> Tensor:
        gate = self.excite((self.squeeze(u) + self.squeeze_below(below)).relu()).sigmoid()  # (B, 1, H / 2, W / 2)
        return F.interpolate(gate, size=u.shape[2:], mode="bilinear", align_corners=False)


class SkipAttention(nn.Module):
    """AG: every pixel of a skip times its gate, u (B, C, H, W) and below (B, C', H / 2, W / 2) -> (B, C, H, W).

    The block of an encoder stage: it changes what the skip takes to the decoder and not what the next stage gets.
    The authors' code adds a 1 x 1 convolution and a batch normalisation, the paper does not. Oktay et al. 2018.
    """

    def __init__(self, channels: int, reduction: int = 2, below: int | None = None) -> None:
        super().__init__()
        self.spatial_gate = SkipGate(channels, reduction, channels if below is None else below)

    def forward(self, u: Tensor, below: Tensor) -> Tensor:
        return u * self.spatial_gate(u, below)
