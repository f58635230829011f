"""Tiny networks of segmentation_models_pytorch, and the files that people save them in."""

import io
import zipfile
from pathlib import Path
from typing import Any

import segmentation_models_pytorch as smp
import torch
from torch import nn

NARROW: dict[str, dict[str, Any]] = {
    **{key: {"decoder_channels": (32, 16, 16, 16, 16)} for key in ("Unet", "UnetPlusPlus", "MAnet")},
    "FPN": {"decoder_pyramid_channels": 32, "decoder_segmentation_channels": 32},
    "PSPNet": {"psp_out_channels": 16},
    **{key: {"decoder_channels": 16} for key in ("DeepLabV3", "DeepLabV3Plus", "PAN", "UPerNet")},
    "Segformer": {"decoder_segmentation_channels": 16},
    "DPT": {
        "encoder_name": "tu-vit_tiny_patch16_224",
        "decoder_intermediate_channels": (16, 16, 16, 16),
        "decoder_fusion_channels": 16,
    },
}
"""Arguments that make the decoder of an architecture small."""


def network(architecture: str = "Unet", *, seed: int = 0, **arguments: Any) -> nn.Module:
    """A network with random weights: resnet18, one channel, three classes, scSE where the decoder has it."""
    scse = {"decoder_attention_type": "scse"} if architecture in ("Unet", "UnetPlusPlus") else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = getattr(smp, architecture)(
            **{
                "encoder_name": "resnet18",
                "encoder_weights": None,
                "in_channels": 1,
                "classes": 3,
                **scse,
                **NARROW.get(architecture, {}),
                **arguments,
            }
        )
    return made.eval()


def saved(content: Any, path: Path, **options: Any) -> Path:
    """A file that torch.save wrote."""
    torch.save(content, path, **options)
    return path


def zipped(folder: Path) -> bytes:
    """The files of a folder as a .zip, under the folder's name as file managers do."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, f"{folder.name}/{path.name}")
    return data.getvalue()
