"""Weights: safetensors in a folder, each vouched for by its card."""

import hashlib
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor, nn

from scse_viz.attention import find_sites
from scse_viz.blocks import BlockInfo
from scse_viz.recording.sites import block_table
from scse_viz.zoo.cards import Card, WeightsError, home, read_card, write_card

PROBE = 128
"""Side of the image whose pass shows the blocks of an smp-unet, in pixels."""


def load(name: str, folder: Path | None = None) -> nn.Module:
    """The network `name` with its weights as float32, in evaluation mode and without gradients.

    Raises WeightsError for a name that is not there, and for weights that are missing, damaged or of another card.
    """
    folder = folder or home(name)
    card = read_card(name, folder)
    weights = folder / f"{name}.safetensors"
    if not weights.is_file():
        raise WeightsError(f"{weights.name} is missing beside its card; fetch the folder {folder.name} again")
    try:
        data = weights.read_bytes()
    except OSError as error:
        raise WeightsError(f"{weights.name}: {error.strerror}; let the app read it") from error
    if hashlib.sha256(data).hexdigest() != card.sha256:
        raise WeightsError(f"{weights.name} is not the file its card describes (sha256 differs); fetch it again")
    try:
        state = tensors_of(data)
        if sum(map(math.prod, pairwise((card.in_channels, *card.widths)))) > sum(
            tensor.numel() for tensor in state.values()
        ):
            raise ValueError(f"the card's widths {card.widths} need more weights than it holds")  # nor so much memory
        model = card.network()
    except (safetensors.SafetensorError, ValueError) as error:
        raise WeightsError(f"{weights.name} cannot be opened: {error}") from error
    wanted = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    given = {key: tuple(tensor.shape) for key, tensor in state.items()}
    for key in {**wanted, **given}:
        if wanted.get(key) != given.get(key):
            raise WeightsError(
                f"{weights.name} does not fit the network of its card: {key} is {given.get(key, 'missing')} in the "
                f"file and {wanted.get(key, 'missing')} in the network; export both again"
            )
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)


def save(model: nn.Module, card: Card, folder: Path) -> Card:
    """Write weights and card of a network to a folder; the card returned has the weights' sha256 and parameters."""
    data = bytes_of(stored_state(model, card.dtype))
    if card.encoder:
        card = replace(card, blocks=probed_blocks(model, card.in_channels))
    card = replace(
        card,
        sha256=hashlib.sha256(data).hexdigest(),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{card.name}.safetensors").write_bytes(data)
    write_card(card, folder)
    return card


def probed_blocks(model: nn.Module, in_channels: int) -> tuple[BlockInfo, ...]:
    """The blocks of a network as one pass over noise shows them."""
    noise = torch.randn((1, in_channels, PROBE, PROBE), generator=torch.Generator().manual_seed(0))
    return block_table(find_sites(model, noise), (PROBE, PROBE))


def stored_state(model: nn.Module, dtype: str) -> dict[str, Tensor]:
    """The tensors of a network as they are stored: parameters as `dtype`, buffers as they are.

    Running variances of batch normalisation can exceed 65,504, the largest number of float16; they are few.
    """
    parameters = dict(model.named_parameters())
    return {
        key: (tensor.to(getattr(torch, dtype)) if key in parameters else tensor).contiguous()
        for key, tensor in model.state_dict().items()
    }
