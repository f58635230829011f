"""The decoder of a network of segmentation_models_pytorch, from the names and shapes of its weights."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
DEPTHS = (5, 4, 3)
"""Depths of the encoder to try, in this order, where names do not reveal it."""
MARKS = {
    "UnetPlusPlus": r"decoder\.blocks\.x_\d_\d\.",
    "MAnet": r"decoder\.center\.top_conv\.",
    "Linknet": r"decoder\.blocks\.\d\.block\.\d\.",
    "Unet": r"decoder\.blocks\.\d\.conv1\.",
    "FPN": r"decoder\.seg_blocks\.",
    "PSPNet": r"decoder\.psp\.blocks\.\d\.pool\.",
    "DeepLabV3Plus": r"decoder\.aspp\.0\.",
    "DeepLabV3": r"decoder\.(aspp|0)\.convs\.",
    "PAN": r"decoder\.fpa\.",
    "UPerNet": r"decoder\.fpn_lateral_blocks\.",
    "Segformer": r"decoder\.mlp_stage\.",
    "DPT": r"decoder\.reassemble_blocks\.",
}
"""What a name of each architecture's weights looks like, and of no architecture before it."""


def architecture_of(shapes: Shapes) -> str | None:
    """The architecture whose weights are named like these; None where there is none."""
    for architecture, mark in MARKS.items():
        if any(re.match(mark, name) for name in shapes):
            return architecture
    return None


def decoder_arguments(architecture: str, shapes: Shapes) -> list[dict[str, Any]]:
    """Arguments of the class that fit the decoder's shapes, the likeliest first; raises KeyError where none can."""
    return [{**arguments, "classes": classes_of(shapes)} for arguments in READERS[architecture](shapes)]


def classes_of(shapes: Shapes) -> int:
    """The number of outputs; raises KeyError for weights without a segmentation head."""
    return shapes["segmentation_head.head.4.weight" if "segmentation_head.head.4.weight" in shapes else HEAD][0]


HEAD = "segmentation_head.0.weight"


def _norm(shapes: Shapes, part: str) -> str:
    """The normalisation after the convolution of a Sequential (convolution, norm, activation)."""
    if f"{part}.1.running_mean" in shapes:
        return "batchnorm"
    if f"{part}.1.weight" in shapes:
        return "layernorm"
    return "identity" if f"{part}.0.bias" in shapes else "instancenorm"


def _count(shapes: Shapes, pattern: str) -> int:
    """The number of distinct matches of the single group of a pattern."""
    return len({match[1] for name in shapes if (match := re.match(pattern, name))})


def _attention(shapes: Shapes) -> str | None:
    return "scse" if any(".attention.cSE." in name for name in shapes) else None


def _unet(shapes: Shapes) -> list[dict[str, Any]]:
    return _with_blocks(shapes, "decoder.blocks.")


def _unet_plus_plus(shapes: Shapes) -> list[dict[str, Any]]:
    return _with_blocks(shapes, "decoder.blocks.x_0_")


def _with_blocks(shapes: Shapes, prefix: str) -> list[dict[str, Any]]:
    """Of a decoder whose blocks are numbered after `prefix`."""
    depth = _count(shapes, rf"{re.escape(prefix)}(\d)\.")
    return [
        {
            "encoder_depth": depth,
            "decoder_channels": tuple(shapes[f"{prefix}{n}.conv1.0.weight"][0] for n in range(depth)),
            "decoder_attention_type": _attention(shapes),
            "decoder_use_norm": _norm(shapes, f"{prefix}0.conv1"),
        }
    ]


def _manet(shapes: Shapes) -> list[dict[str, Any]]:
    depth = _count(shapes, r"decoder\.blocks\.(\d)\.")
    return [
        {
            "encoder_depth": depth,
            "decoder_channels": tuple(shapes[f"decoder.blocks.{n}.conv1.0.weight"][0] for n in range(depth)),
            "decoder_pab_channels": shapes["decoder.center.top_conv.weight"][0],
            "decoder_use_norm": _norm(shapes, "decoder.blocks.0.conv1"),
        }
    ]


def _linknet(shapes: Shapes) -> list[dict[str, Any]]:
    return [
        {
            "encoder_depth": _count(shapes, r"decoder\.blocks\.(\d)\."),
            "decoder_use_norm": _norm(shapes, "decoder.blocks.0.block.0"),
        }
    ]


def _fpn(shapes: Shapes) -> list[dict[str, Any]]:
    segmentation = shapes["decoder.seg_blocks.0.block.0.block.0.weight"][0]
    given = {
        "decoder_pyramid_channels": shapes["decoder.p5.weight"][0],
        "decoder_segmentation_channels": segmentation,
        "decoder_merge_policy": "add" if shapes[HEAD][1] == segmentation else "cat",
    }
    return [{"encoder_depth": depth, **given} for depth in DEPTHS]


def _pspnet(shapes: Shapes) -> list[dict[str, Any]]:
    given = {
        "psp_out_channels": shapes["decoder.conv.0.weight"][0],
        "decoder_use_norm": _norm(shapes, "decoder.conv"),
    }
    return [{"encoder_depth": depth, "upsampling": 2**depth, **given} for depth in reversed(DEPTHS)]


def _deeplab(shapes: Shapes) -> list[dict[str, Any]]:
    part = "decoder.aspp" if "decoder.aspp.project.0.weight" in shapes else "decoder.0"
    return [_aspp(shapes, part, depth) for depth in DEPTHS]


def _deeplab_plus(shapes: Shapes) -> list[dict[str, Any]]:
    return [_aspp(shapes, "decoder.aspp.0", depth) for depth in DEPTHS]


def _aspp(shapes: Shapes, part: str, depth: int) -> dict[str, Any]:
    return {
        "encoder_depth": depth,
        "decoder_channels": shapes[f"{part}.project.0.weight"][0],
        "decoder_aspp_separable": f"{part}.convs.1.0.0.weight" in shapes,
    }


def _pan(shapes: Shapes) -> list[dict[str, Any]]:
    channels = shapes["decoder.fpa.branch1.1.conv.weight"][0]
    return [{"encoder_depth": depth, "decoder_channels": channels} for depth in DEPTHS]


def _upernet(shapes: Shapes) -> list[dict[str, Any]]:
    return [
        {
            "encoder_depth": depth,
            "decoder_channels": shapes["decoder.fusion_block.0.weight"][0],
            "decoder_use_norm": _norm(shapes, "decoder.fusion_block"),
        }
        for depth in DEPTHS
    ]


def _segformer(shapes: Shapes) -> list[dict[str, Any]]:
    channels = shapes["decoder.fuse_stage.0.weight"][0]
    return [{"encoder_depth": depth, "decoder_segmentation_channels": channels} for depth in DEPTHS]


def _dpt(shapes: Shapes) -> list[dict[str, Any]]:
    depth = _count(shapes, r"decoder\.reassemble_blocks\.(\d)\.")
    name = "decoder.reassemble_blocks.{}.project_to_out_channel.weight"
    return [
        {
            "encoder_depth": depth,
            "decoder_intermediate_channels": tuple(shapes[name.format(n)][0] for n in range(depth)),
            "decoder_fusion_channels": shapes["decoder.fusion_blocks.0.project.weight"][0],
            "decoder_readout": "cat" if "decoder.projection_blocks.0.project.0.weight" in shapes else "ignore",
        }
    ]


READERS: Mapping[str, Callable[[Shapes], list[dict[str, Any]]]] = {
    "Unet": _unet,
    "UnetPlusPlus": _unet_plus_plus,
    "MAnet": _manet,
    "Linknet": _linknet,
    "FPN": _fpn,
    "PSPNet": _pspnet,
    "DeepLabV3": _deeplab,
    "DeepLabV3Plus": _deeplab_plus,
    "PAN": _pan,
    "UPerNet": _upernet,
    "Segformer": _segformer,
    "DPT": _dpt,
}
