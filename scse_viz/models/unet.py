"""U-Net: two 3 x 3 convolutions per stage, the skip concatenated after a transposed convolution."""

import torch
from torch import Tensor, nn

from scse_viz.models.skeleton import EncoderDecoder


class UNet(EncoderDecoder):
    """U-Net with a block after every stage. Ronneberger et al., MICCAI 2015; Roy et al. 2018."""

    def encoder_stage(self, channels: int, width: int) -> nn.Module:
        return double_convolution(channels, width)

    def decoder_stage(self, below: int, skip: int, width: int) -> nn.Module:
        return Up(below, skip, width)


class Up(nn.Module):
    """A transposed convolution, the skip concatenated, two convolutions.

    (B, below, h / 2, w / 2) and (B, skip, h, w) -> (B, width, h, w).
    """

    def __init__(self, below: int, skip: int, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(below, width, kernel_size=2, stride=2)
        self.convolve = double_convolution(width + skip, width)

    def forward(self, x: Tensor, skip: Tensor, where: Tensor) -> Tensor:
        return self.convolve(torch.cat([self.up(x), skip], dim=1))


def double_convolution(channels: int, width: int) -> nn.Sequential:
    """Two times 3 x 3 convolution, batch normalisation and ReLU: (B, channels, h, w) -> (B, width, h, w)."""
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
