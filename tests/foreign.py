"""Networks of other libraries on the pages: with random weights, described as a pass over an input shows them."""

from collections.abc import Callable
from dataclasses import dataclass

import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.attention import find_sites
from scse_viz.blocks import BlockInfo
from scse_viz.sites import block_table
from scse_viz.zoo import Card
from scse_viz.zoo.structures import BRAIN, Structure

MULTIPLE = 32


@dataclass(frozen=True)
class ForeignCard(Card):
    """The card of a network that is not ours."""

    blocks: tuple[BlockInfo, ...] = ()

    @property
    def block_table(self) -> tuple[BlockInfo, ...]:
        return self.blocks


class Padded(smp.Unet):
    """An smp.Unet that takes an input of any size."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        return super().forward(F.pad(x, (0, -width % MULTIPLE, 0, -height % MULTIPLE)))[..., :height, :width]


def unet(encoder: str = "resnet18", attention: str | None = "scse", *, classes: int = len(BRAIN)) -> nn.Module:
    """An smp.Unet with random weights, small in its decoder."""
    torch.manual_seed(0)
    return Padded(
        encoder,
        encoder_weights=None,
        decoder_channels=(32, 32, 16, 16, 16),
        decoder_attention_type=attention,
        classes=classes,
    ).eval()


def card_of(
    model: nn.Module,
    name: str,
    *,
    variant: str = "scse",
    structures: tuple[Structure, ...] = BRAIN,
    anatomy: str = "opened",
    size: int = 64,
) -> ForeignCard:
    """The card of a network of three channels, with its blocks as a pass over size x size pixels shows them."""
    sites = find_sites(model, torch.rand(1, 3, size, size))
    return ForeignCard(
        name=name,
        anatomy=anatomy,
        architecture="unet",
        variant=variant,
        widths=(4, 4, 6, 6, 8),
        structures=structures,
        planes=("axial", "coronal", "sagittal"),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        sha256=f"sha256 of {name}",
        in_channels=3,
        blocks=block_table(sites, (size, size)),
    )


def loader(models: dict[str, nn.Module], otherwise: Callable[[str], nn.Module]) -> Callable[[str], nn.Module]:
    """What stands in for `zoo.load`: these networks by name, and all others as they are."""
    return lambda name: models[name] if name in models else otherwise(name)
