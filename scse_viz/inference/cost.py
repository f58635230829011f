"""What a network or a block costs: its parameters, and its multiply-adds as torch counts them."""

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from scse_viz.recording.operations import ATTENTION_ON_CPU
from scse_viz.zoo import Card
from scse_viz.zoo.scores import NetworkResults

SIZE = (256, 256)
"""Rows and columns of a slice of an anatomy of which no network was measured."""


def parameters(model: nn.Module) -> int:
    """Numbers that are learned."""
    return sum(parameter.numel() for parameter in model.parameters())


def multiply_adds(model: nn.Module, *inputs: Tensor) -> int:
    """Multiply-adds of convolutions, linear layers, products of matrices and attention in one pass."""
    with FlopCounterMode(display=False, custom_mapping=_UNCOUNTED) as counter, torch.no_grad():
        model(*inputs)
    return int(counter.get_total_flops()) // 2


def of_slice(card: Card, measured: Mapping[str, NetworkResults]) -> tuple[int, tuple[int, int]]:
    """The multiply-adds of one slice through one of our networks, and the slice's rows and columns.

    `measured` tells both for networks by name. Any other is counted, without its weights, on a slice as large as those
    of its anatomy, which takes a pass.
    """
    if card.name in measured:
        return measured[card.name].multiply_adds, measured[card.name].input_size
    size = next((other.input_size for other in measured.values() if other.anatomy == card.anatomy), SIZE)
    return multiply_adds(card.network().eval(), torch.zeros(1, card.in_channels, *size)), size


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Operations of softmax(q k^T) v from the shapes (B, heads, N, d) and (B, heads, M, d)."""
    return 2 * prod(query) * key[2] + 2 * prod(query[:3]) * key[2] * value[3]


_UNCOUNTED = {ATTENTION_ON_CPU: _attention}
"""Operations on the processor that torch counts as nothing."""
