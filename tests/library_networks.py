"""Networks of other libraries, the gates that they have, and the table of both in docs/networks.md.

`python -m tests.library_networks` writes the table anew, after a change or with newer libraries.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import monai.networks.blocks as monai_blocks
import monai.networks.nets as monai_nets
import segmentation_models_pytorch as smp
import timm
import torch
import torchvision
from monai.networks.blocks.squeeze_and_excitation import SEBlock, SEResNetBottleneck
from torch import Tensor, nn

from tests import peers

TABLE = Path(__file__).parents[1] / "docs" / "networks.md"
LIBRARIES = ("segmentation_models_pytorch", "timm", "torchvision", "monai")


@dataclass(frozen=True)
class Network:
    """A network, the shape of its input, and what it has: the blocks that run, their kind and form, those that do not.

    `sums`: its blocks multiply features by the sum of their gates, else each by its one gate; None: by none of these.
    """

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    blocks: int
    kind: str = "channel"
    form: str = "sigmoid"
    idle: int = 0
    sums: bool | None = False

    def made(self) -> tuple[nn.Module, Tensor]:
        """The network with random weights, and an input."""
        torch.manual_seed(0)
        return self.make().eval(), torch.randn(1, *self.shape)


def _smp(name: str, encoder: str = "resnet18", **options: str) -> Callable[[], nn.Module]:
    return lambda: getattr(smp, name)(encoder, encoder_weights=None, classes=2, **options)


def _timm(name: str, attention: str | None = None) -> Callable[[], nn.Module]:
    options = {} if attention is None else {"block_args": {"attn_layer": attention}}
    return lambda: timm.create_model(name, num_classes=2, **options)


def _senet() -> nn.Module:
    return monai_nets.SENet(2, 3, SEResNetBottleneck, [1, 1, 1, 1], groups=1, reduction=16, num_classes=2)


RGB = (3, 64, 64)
NETWORKS = {
    "smp.Unet, scse": Network(
        _smp("Unet", decoder_attention_type="scse"), RGB, 9, "both", idle=1, sums=True
    ),  # no skip comes into the last stage
    "smp.Unet, se_resnet50": Network(_smp("Unet", "se_resnet50"), RGB, 16),
    "smp.Unet, efficientnet-b0": Network(_smp("Unet", "efficientnet-b0"), RGB, 16),
    "smp.Unet, mobileone_s4": Network(_smp("Unet", "mobileone_s4"), RGB, 12),
    "smp.Unet, tu-mobilenetv3_small_100": Network(
        _smp("Unet", "tu-mobilenetv3_small_100"), RGB, 9, form="hard sigmoid"
    ),
    "smp.Unet, no attention": Network(_smp("Unet"), RGB, 0),
    "smp.Unet, mit_b0": Network(_smp("Unet", "mit_b0"), RGB, 0),  # its softmax is a matrix, multiplied as such
    "smp.MAnet": Network(_smp("MAnet"), RGB, 8, sums=None),
    "smp.PAN": Network(_smp("PAN"), (3, 128, 128), 3),
    "timm seresnet18": Network(_timm("seresnet18"), RGB, 8),
    "timm ecaresnet26t": Network(_timm("ecaresnet26t"), RGB, 8),
    "timm skresnet18": Network(_timm("skresnet18"), RGB, 8, form="softmax over branches"),
    "timm resnest14d": Network(_timm("resnest14d"), RGB, 4, form="softmax over branches"),
    "timm efficientnet_b0": Network(_timm("efficientnet_b0"), RGB, 16),
    "timm regnety_002": Network(_timm("regnety_002"), RGB, 13),
    "timm resnet26t, global context": Network(_timm("resnet26t", "gc"), RGB, 8),
    "timm resnet18, CBAM": Network(_timm("resnet18", "cbam"), RGB, 16, "channel, spatial"),
    "timm convnext_atto": Network(_timm("convnext_atto"), RGB, 0),
    "torchvision mobilenet_v3_small": Network(torchvision.models.mobilenet_v3_small, RGB, 9, form="hard sigmoid"),
    "torchvision efficientnet_b0": Network(torchvision.models.efficientnet_b0, RGB, 16),
    "MONAI ChannelSELayer": Network(lambda: monai_blocks.ChannelSELayer(2, 8), (8, 9, 9), 1),
    "MONAI ChannelSELayer, 3-D": Network(lambda: monai_blocks.ChannelSELayer(3, 8), (8, 5, 6, 7), 1),
    "MONAI ResidualSELayer": Network(lambda: monai_blocks.ResidualSELayer(2, 8), (8, 9, 9), 0),
    "MONAI ResidualSELayer, sigmoid": Network(
        lambda: monai_blocks.ResidualSELayer(2, 8, acti_type_2="sigmoid"), (8, 9, 9), 1, sums=None
    ),
    "MONAI SEBlock": Network(lambda: SEBlock(2, 8, 8, 8, 8), (8, 9, 9), 1),
    "MONAI SEBlock, 3-D": Network(lambda: SEBlock(3, 8, 8, 8, 8), (8, 5, 6, 7), 1),
    "MONAI SENet, 4 blocks": Network(_senet, RGB, 4),
    "MONAI EfficientNetBN, b0": Network(lambda: monai_nets.EfficientNetBN("efficientnet-b0", False), RGB, 16),
    "MONAI SEResNet50": Network(lambda: monai_nets.SEResNet50(spatial_dims=2, in_channels=3, num_classes=2), RGB, 16),
    "MONAI FlexibleUNet, efficientnet-b0": Network(lambda: monai_nets.FlexibleUNet(3, 2, "efficientnet-b0"), RGB, 16),
    "MONAI AttentionUnet": Network(lambda: monai_nets.AttentionUnet(2, 3, 2, (4, 8, 16), (2, 2)), RGB, 2, "spatial"),
    "MONAI AttentionUnet, 3-D": Network(
        lambda: monai_nets.AttentionUnet(3, 1, 2, (4, 8, 16), (2, 2)), (1, 16, 16, 16), 2, "spatial"
    ),
    "authors' ChannelSELayer": Network(lambda: peers.ChannelSELayer(8), (8, 9, 9), 1),
    "authors' SpatialSELayer": Network(lambda: peers.SpatialSELayer(8), (8, 9, 9), 1, "spatial"),
    "authors' ChannelSpatialSELayer": Network(
        lambda: peers.ChannelSpatialSELayer(8), (8, 9, 9), 1, "both", sums=None
    ),
    "authors' ProjectExciteLayer, 3-D": Network(lambda: peers.ProjectExciteLayer(8), (8, 5, 6, 7), 1, "full"),
}  # fmt: skip


def table() -> str:
    """The table as Markdown, without the line of versions."""
    rows = [
        "| network | blocks with gates | kind | gates come out of | blocks that never run |",
        "|---|---|---|---|---|",
    ]
    for name, network in NETWORKS.items():
        kind, form = (network.kind, network.form) if network.blocks else ("", "")
        rows.append(f"| {name} | {network.blocks} | {kind} | {form} | {network.idle or ''} |")
    return "\n".join(rows) + "\n"


def text() -> str:
    """The page."""
    versions = ", ".join(f"{name} {'.'.join(version(name).split('.')[:2])}" for name in LIBRARIES)
    return f"""# Networks whose gates are found

`record` and `find_sites` run a pass and find every tensor in [0, 1] that is multiplied onto features. A test
builds each network below with random weights, counts its gates, and compares features times gates with the product.
MONAI's ResidualSELayer has no gate in this sense unless it is told to use a sigmoid: by default it multiplies by a
ReLU, which has no upper bound.

{table()}
Written by `python -m tests.library_networks` with {versions}.
"""


if __name__ == "__main__":
    TABLE.write_text(text())
