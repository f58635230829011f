"""The encoder of a network of segmentation_models_pytorch, from the names and shapes of its weights."""

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import nn

from scse_viz.zoo.foreign.decoders import Shapes
from scse_viz.zoo.foreign.fit import Shape, shapes_of
from scse_viz.zoo.foreign.smp import NumbersOnCpu

RGB = 3
OF_TIMM = (
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet18d", "resnet26d", "resnet50d", "resnetrs50"),
    *("seresnet18", "seresnet34", "seresnet50", "seresnext50_32x4d", "ecaresnet50d", "resnest14d", "resnest26d"),
    *("resnest50d", "res2net50_26w_4s", "resnext50_32x4d", "wide_resnet50_2", "skresnet18", "skresnet34"),
    *("efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3", "efficientnet_b4"),
    *("tf_efficientnetv2_b0", "tf_efficientnetv2_s", "efficientnetv2_rw_s", "efficientnet_lite0"),
    *("mobilenetv2_100", "mobilenetv3_small_050", "mobilenetv3_small_075", "mobilenetv3_small_100"),
    *("mobilenetv3_large_075", "mobilenetv3_large_100", "tf_mobilenetv3_small_100", "tf_mobilenetv3_large_100"),
    *("mobilenetv3_rw", "mobilenetv4_conv_small", "mobilenetv4_conv_medium", "regnetx_002", "regnetx_004"),
    *("regnetx_008", "regnetx_016", "regnety_002", "regnety_004", "regnety_008", "regnety_016", "regnety_032"),
    *("convnext_pico", "convnext_nano", "convnext_tiny", "convnext_small", "convnext_base", "convnextv2_nano"),
    *("convnextv2_tiny", "densenet121", "hrnet_w18_small", "hrnet_w18", "dla34", "gernet_s", "gernet_m", "repvgg_a0"),
    *("swin_tiny_patch4_window7_224", "swin_small_patch4_window7_224", "swinv2_tiny_window8_256", "pvt_v2_b0"),
    *("pvt_v2_b1", "pvt_v2_b2", "maxvit_tiny_tf_224", "vgg11", "vgg16", "vgg16_bn", "xception41", "inception_v4"),
)
OF_VISION_TRANSFORMERS = (
    *("vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224", "vit_large_patch16_224"),
    *("vit_small_patch14_dinov2", "vit_base_patch14_dinov2", "deit_tiny_patch16_224", "deit3_small_patch16_224"),
)


def encoders_like(shapes: Shapes, architecture: str, depth: int) -> Iterator[tuple[str, int]]:
    """The encoders whose weights have these names and shapes, and the channels of the image that they take."""
    given = {name.removeprefix("encoder."): shape for name, shape in shapes.items() if name.startswith("encoder.")}
    if not given:
        return
    if any(name.startswith("model.") for name in given):
        names = OF_VISION_TRANSFORMERS if architecture == "DPT" else OF_TIMM
        candidates = [f"tu-{name}" for name in names]
    else:
        candidates = _of_one_kind({name.partition(".")[0] for name in given})
    for name in candidates:
        channels = _channels(given, _encoder_shapes(name, depth, architecture == "DPT"))
        if channels is not None:
            yield name, channels


def _of_one_kind(tops: set[str]) -> list[str]:
    """SMP's own encoders whose smallest relative has the same parts."""
    from segmentation_models_pytorch.encoders import encoders

    kinds: dict[Any, list[str]] = {}
    for name, facts in encoders.items():
        kinds.setdefault(facts["encoder"], []).append(name)
    fitting = []
    for names in kinds.values():
        first = _encoder_shapes(names[0], 5, False) or {}
        if tops <= {name.partition(".")[0] for name in first}:
            fitting += names
    return fitting


@cache
def _encoder_shapes(name: str, depth: int, vision_transformer: bool) -> dict[str, Shape] | None:
    """Shapes of the weights of an encoder for colour images, built without memory; None where there is no such
    encoder."""
    from segmentation_models_pytorch.encoders import TimmViTEncoder, get_encoder

    try:
        with warnings.catch_warnings(), torch.device("meta"), NumbersOnCpu():
            warnings.simplefilter("ignore")
            made: nn.Module = (
                TimmViTEncoder(name[3:], pretrained=False, depth=depth)
                if vision_transformer
                else get_encoder(name, depth=depth, weights=None)
            )
    except (ValueError, KeyError, RuntimeError, TypeError, AssertionError, IndexError):
        return None
    return shapes_of(made.state_dict())


def _channels(given: Shapes, wanted: dict[str, Shape] | None) -> int | None:
    """The channels of the image where the shapes are those of an encoder, whatever its first layer takes."""
    if wanted is None or given.keys() != wanted.keys():
        return None
    channels = RGB
    for name, shape in wanted.items():
        if shape == given[name]:
            continue
        mine = given[name]
        if len(shape) != 4 or shape[1] != RGB or (shape[0], *shape[2:]) != (mine[0], *mine[2:]):
            return None
        channels = mine[1]
    return channels
