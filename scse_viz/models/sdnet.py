"""SD-Net: one convolution per stage, unpooling with the indices of the encoder, skip connections."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.models.skeleton import EncoderDecoder


class SDNet(EncoderDecoder):
    """SD-Net (SkipDeconv-Net) with a block after every stage. Roy et al., MICCAI 2017; Roy et al. 2018.

    A stage is one 7 x 7 convolution with batch normalisation and ReLU. The decoder unpools to the positions of the
    encoder's maxima, with nothing to learn or interpolate, and concatenates the encoder's features.
    """

    def encoder_stage(self, channels: int, width: int) -> nn.Module:
        return convolution(channels, width)

    def decoder_stage(self, below: int, skip: int, width: int) -> nn.Module:
        return Unpool(below, skip, width)


class Unpool(nn.Module):
    """Unpool to the positions of the maxima, concatenate the skip, convolve.

    (B, below, h / 2, w / 2), (B, skip, h, w) and where (B, skip, h / 2, w / 2) -> (B, width, h, w).
    """

    def __init__(self, below: int, skip: int, width: int) -> None:
        super().__init__()
        # There are positions for each channel of the skip, so that many channels can be unpooled.
        self.fit = nn.Identity() if below == skip else nn.Conv2d(below, skip, kernel_size=1)
        self.convolve = convolution(2 * skip, width)

    def forward(self, x: Tensor, skip: Tensor, where: Tensor) -> Tensor:
        unpooled = F.max_unpool2d(self.fit(x), where, kernel_size=(2, 2), output_size=skip.shape[-2:])
        return self.convolve(torch.cat([unpooled, skip], dim=1))


def convolution(channels: int, width: int) -> nn.Sequential:
    """7 x 7 convolution, batch normalisation, ReLU: (B, channels, h, w) -> (B, width, h, w)."""
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel_size=7, padding=3, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
