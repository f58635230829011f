"""The DenseNet-style F-CNN of the paper: every stage of encoder and decoder is a dense block."""

import torch
from torch import Tensor, nn

from scse_viz.models.skeleton import EncoderDecoder


class DenseNet(EncoderDecoder):
    """Fully convolutional DenseNet with a block after every stage. Jégou et al. 2017; Roy et al. 2018."""

    def encoder_stage(self, channels: int, width: int) -> nn.Module:
        return DenseBlock(channels, width)

    def decoder_stage(self, below: int, skip: int, width: int) -> nn.Module:
        return DenseUp(below, skip, width)


class DenseBlock(nn.Module):
    """Two 5 x 5 convolutions and a 1 x 1, each fed everything before it: (B, channels, h, w) -> (B, width, h, w)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.first = convolution(channels, width, kernel=5)
        self.second = convolution(channels + width, width, kernel=5)
        self.join = convolution(channels + 2 * width, width, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x, self.first(x)], dim=1)
        x = torch.cat([x, self.second(x)], dim=1)
        return self.join(x)


class DenseUp(nn.Module):
    """A transposed convolution, the skip concatenated, a dense block.

    (B, below, h / 2, w / 2) and (B, skip, h, w) -> (B, width, h, w).
    """

    def __init__(self, below: int, skip: int, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(below, width, kernel_size=2, stride=2)
        self.dense = DenseBlock(width + skip, width)

    def forward(self, x: Tensor, skip: Tensor, where: Tensor) -> Tensor:
        return self.dense(torch.cat([self.up(x), skip], dim=1))


def convolution(channels: int, width: int, kernel: int) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU: (B, channels, h, w) -> (B, width, h, w)."""
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel_size=kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
