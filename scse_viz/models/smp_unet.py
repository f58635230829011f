"""The Unet of segmentation_models_pytorch as one of our architectures; imported only where one is built."""

import warnings
from collections.abc import Sequence
from typing import Any

import segmentation_models_pytorch as smp
import timm
import torch
import torch.nn.functional as F
from segmentation_models_pytorch.encoders import encoders, is_equivalent_to_timm_universal
from torch import Tensor

ATTENTION = {"none": None, "scse": "scse"}
"""Variant -> the library's name of the blocks in its decoder."""
DEPTHS = (3, 4, 5)


class SMPUnet(smp.Unet):
    """`segmentation_models_pytorch.Unet`: x (B, in_channels, H, W) -> logits (B, classes, H, W) for any H and W.

    As in our networks the input is padded at the bottom and right by replication, here to a multiple of 2 to the depth
    of the encoder. Weights have the library's own names.
    """

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        multiple = 2 ** len(self.decoder.blocks)
        if height % multiple or width % multiple:
            x = F.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")
        logits: Tensor = super().forward(x)
        return logits[..., :height, :width]


def build_smp_unet(
    variant: str,
    *,
    encoder: str,
    classes: int,
    widths: Sequence[int],
    in_channels: int = 1,
    seed: int | None = None,
) -> SMPUnet:
    """A new network with random weights: `encoder` as SMP names it, `widths` the channels of its decoder's blocks.

    With a seed, its variants start from the same weights in every layer that they share, and torch's global random
    state is restored. Raises ValueError for an unknown variant or encoder, for another number of widths than DEPTHS
    allow, and where the library cannot build it.
    """
    _check(variant, encoder, widths)
    arguments: dict[str, Any] = {
        "encoder_name": encoder,
        "encoder_depth": len(widths),
        "encoder_weights": None,  # no hub is contacted
        "decoder_channels": tuple(widths),
        "in_channels": in_channels,
        "classes": classes,
    }
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old names of encoders
            if seed is not None:
                torch.manual_seed(seed)
            plain = SMPUnet(**arguments)
            if ATTENTION[variant] is None:
                return plain
            model = SMPUnet(**arguments, decoder_attention_type=ATTENTION[variant])
    except (KeyError, ValueError, TypeError, RuntimeError, NotImplementedError, AssertionError, IndexError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"smp-unet cannot be built with encoder {encoder}: {said[:200]}") from error
    if not next(model.parameters()).is_meta:
        # Blocks between layers change the order in which weights are drawn: both variants start from the plain one's.
        model.load_state_dict(plain.state_dict(), strict=False)
    return model


def _check(variant: str, encoder: str, widths: Sequence[int]) -> None:
    """Raises ValueError for what the library would not say in a sentence."""
    if variant not in ATTENTION:
        raise ValueError(f"variant {variant!r} is none of smp-unet; choose one of {', '.join(ATTENTION)}")
    if not is_encoder(encoder):
        some = ", ".join([*encoders][:4])
        raise ValueError(
            f"encoder {encoder[:60]!r} is unknown; choose one of segmentation_models_pytorch ({some}, …), or a model "
            "of timm as tu-NAME"
        )
    if len(widths) not in DEPTHS:
        raise ValueError(f"{len(widths)} widths; give 3 to 5, one a block of the decoder, from the coarsest")


def is_encoder(name: str) -> bool:
    """Whether SMP or timm, as `tu-NAME`, has this encoder on this machine."""
    universal = name.replace("timm-", "tu-", 1) if is_equivalent_to_timm_universal(name) else name
    if "mobilenetv3" in universal and universal != name:
        universal = universal.replace("tu-", "tu-tf_")
    # In timm's own list: `hf-hub:` and `local-dir:` are not.
    return universal in encoders or (universal.startswith("tu-") and bool(timm.is_model(universal[3:])))
