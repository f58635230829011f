"""The networks of the paper: one skeleton, and the stages of each architecture; and one of another library."""

from collections.abc import Sequence

import torch

from scse_viz.models.densenet import DenseNet
from scse_viz.models.sdnet import SDNet
from scse_viz.models.skeleton import BLOCK_NAMES, EncoderDecoder, block_infos
from scse_viz.models.unet import UNet

__all__ = [
    "ALL_ARCHITECTURES",
    "ARCHITECTURES",
    "BLOCK_NAMES",
    "SMP_UNET",
    "EncoderDecoder",
    "block_infos",
    "build",
]

ARCHITECTURES: dict[str, type[EncoderDecoder]] = {"unet": UNet, "sdnet": SDNet, "densenet": DenseNet}
SMP_UNET = "smp-unet"
ALL_ARCHITECTURES = (*ARCHITECTURES, SMP_UNET)
"""Ours, and the one that `smp_unet` builds with segmentation_models_pytorch."""


def build(  # noqa: PLR0913 - the parameters of the network itself, and the seed
    architecture: str,
    variant: str,
    *,
    classes: int,
    widths: Sequence[int] = (16, 32, 64, 128, 128),
    in_channels: int = 1,
    reduction: int = 2,
    seed: int | None = None,
) -> EncoderDecoder:
    """A new network by architecture and variant: x (B, in_channels, H, W) -> logits (B, classes, H, W).

    With a seed, the variants of an architecture start from the same weights in every layer that they share, and torch's
    global random state is restored. Raises ValueError for an unknown name.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture {architecture!r} is unknown; choose one of {', '.join(ARCHITECTURES)}")
    network = ARCHITECTURES[architecture]
    if seed is None:
        return network(variant, classes=classes, widths=widths, in_channels=in_channels, reduction=reduction)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network(variant, classes=classes, widths=widths, in_channels=in_channels, reduction=reduction)
