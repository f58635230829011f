"""What a network or a block costs: its parameters, and its multiply-adds as torch counts them."""

from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from scse_viz.operations import ATTENTION_ON_CPU


def parameters(model: nn.Module) -> int:
    """Numbers that are learned."""
    return sum(parameter.numel() for parameter in model.parameters())


def multiply_adds(model: nn.Module, *inputs: Tensor) -> int:
    """Multiply-adds of convolutions, linear layers, products of matrices and attention in one pass."""
    with FlopCounterMode(display=False, custom_mapping=_UNCOUNTED) as counter, torch.inference_mode():
        model(*inputs)
    return int(counter.get_total_flops()) // 2


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Operations of softmax(q k^T) v from the shapes (B, heads, N, d) and (B, heads, M, d)."""
    return 2 * prod(query) * key[2] + 2 * prod(query[:3]) * key[2] * value[3]


_UNCOUNTED = {ATTENTION_ON_CPU: _attention}
"""Operations on the processor that torch counts as nothing."""
