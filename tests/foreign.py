"""Networks of segmentation_models_pytorch with random weights, described as the app describes those that users open."""

from collections.abc import Callable, Mapping

import segmentation_models_pytorch as smp
import torch
from torch import nn

from scse_viz.zoo import Card, Preprocessing
from scse_viz.zoo.foreign import Draft, described
from scse_viz.zoo.structures import BRAIN, Structure


def unet(encoder: str = "resnet18", attention: str | None = "scse", *, classes: int = len(BRAIN)) -> nn.Module:
    """An smp.Unet with random weights and a narrow decoder."""
    torch.manual_seed(0)
    return smp.Unet(
        encoder,
        encoder_weights=None,
        decoder_channels=(32, 32, 16, 16, 16),
        decoder_attention_type=attention,
        classes=classes,
    )


def card_of(model: nn.Module, name: str, structures: tuple[Structure, ...] = BRAIN) -> Card:
    """The card of a network of three channels, which takes slices as they are, padded to a multiple of 32."""
    draft = Draft(name, "Unet", {}, Preprocessing(3, multiple=32), "softmax", structures)
    return described(model, draft, sha256=f"random weights of {name}").card


def loader(models: Mapping[str, nn.Module], otherwise: Callable[[str], nn.Module]) -> Callable[[str], nn.Module]:
    """What stands in for `zoo.load`: these networks by name, and all others as they are."""
    return lambda name: models[name] if name in models else otherwise(name)
