"""What a block of a relative computes on one slice: what it squeezes, what it excites, and what that costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from scse_viz.attention import find_sites, record
from scse_viz.blocks import SkipAttention
from scse_viz.blocks.channel_relatives import covariance, matrix_root, thinned
from scse_viz.inference.cost import multiply_adds, parameters
from scse_viz.inference.inputs import slice_input
from scse_viz.scans import ScanSlice
from scse_viz.system.devices import beside
from scse_viz.zoo import Card


@dataclass(frozen=True, eq=False)
class RelativeSteps:
    """One block on one slice: its features `before` and `after`, (C, h, w), its steps by name, and its cost.

    Steps are (C,), (h, w), (C, h, w) or a single number.
    """

    before: np.ndarray
    after: np.ndarray
    steps: Mapping[str, np.ndarray]
    parameters: int
    multiply_adds: int

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name."""
        return {"before": self.before, "after": self.after, **self.steps}


def relative_steps(scan_slice: ScanSlice, model: nn.Module, card: Card, block: str) -> RelativeSteps:
    """Run one slice through a network of a relative and take one of its blocks apart.

    Raises KeyError for a block that the network lacks or that has no gate, and ScanError and IndexError as
    `inference.segment_slice`.
    """
    x = beside(slice_input(scan_slice, card), model)
    site = find_sites(model, x)[block]
    module = model.get_submodule(site.block)
    if not site.gates:
        raise KeyError(f"{block} of {card.name} has no gate")
    given: list[Tensor] = []
    recorded = record(model, x, features=True, sites={block: site}).blocks[block]
    u = cast(Tensor, recorded.before)
    if isinstance(module, SkipAttention):
        given = [u.new_zeros(1, module.spatial_gate.squeeze_below.in_channels, u.shape[2] // 2, u.shape[3] // 2)]
    with torch.no_grad():
        steps = {name: value.squeeze(0).cpu().numpy() for name, value in STEPS[card.variant](module, u).items()}
    if recorded.spatial_gate is not None:
        steps["gate"] = recorded.spatial_gate[0].cpu().numpy()
    return RelativeSteps(
        u[0].cpu().numpy(),
        cast(Tensor, recorded.after)[0].cpu().numpy(),
        steps,
        parameters(module),
        multiply_adds(module, u, *given),
    )


def _of_eca(module: nn.Module, u: Tensor) -> dict[str, Tensor]:
    gate = cast(nn.Module, module.channel_gate)
    kernel = cast(nn.Conv1d, gate.excite).weight.flatten()
    return {"mean": u.mean(dim=(2, 3)), "kernel": kernel[None], "weights": gate(u).flatten(1)}


def _of_soca(module: nn.Module, u: Tensor) -> dict[str, Tensor]:
    gate, of_channels = cast(nn.Module, module.channel_gate), covariance(thinned(u))
    return {
        "mean": u.mean(dim=(2, 3)),
        "covariance": of_channels,
        "root": matrix_root(of_channels).mean(dim=1),
        "weights": gate(u).flatten(1),
    }


def _of_cbam(module: nn.Module, u: Tensor) -> dict[str, Tensor]:
    weights = cast(nn.Module, module.channel_gate)(u)
    left = u * weights
    return {
        "mean": u.mean(dim=(2, 3)),
        "maximum": u.amax(dim=(2, 3)),
        "weights": weights.flatten(1),
        "mean over channels": left.mean(dim=1),
        "maximum over channels": left.amax(dim=1),
    }


def _of_pe(module: nn.Module, u: Tensor) -> dict[str, Tensor]:
    rows, columns = u.mean(dim=3, keepdim=True), u.mean(dim=2, keepdim=True)
    return {"projections": rows + columns, "full gate": cast(nn.Module, module.full_gate)(u)}


def _of_non_local(module: nn.Module, u: Tensor) -> dict[str, Tensor]:
    pairs = cast(nn.Module, module.attention)(u)
    row, column = u.shape[2] // 2, u.shape[3] // 2
    shares = pairs.row(row, column)
    return {
        "received": pairs.received(),
        "looks": shares * shares[0].numel(),
        "looks from": torch.tensor([[row, column]]),
        "scale": cast(Tensor, module.scale)[None],
        "added": module(u) - u,
    }


def _of_skip(module: nn.Module, u: Tensor) -> dict[str, Tensor]:
    return {"mean over channels": u.mean(dim=1)}


def _of_concurrent(module: nn.Module, u: Tensor) -> dict[str, Tensor]:
    gate = cast(nn.Module, module.channel_gate)
    mean = u.mean(dim=(2, 3))
    hidden = cast(nn.Module, gate.squeeze)(mean).relu()
    return {"mean": mean, "hidden": hidden, "weights": gate(u).flatten(1)}


STEPS: dict[str, Callable[[nn.Module, Tensor], dict[str, Tensor]]] = {
    "scse-r16": _of_concurrent,
    "eca": _of_eca,
    "soca": _of_soca,
    "cbam": _of_cbam,
    "pe": _of_pe,
    "nonlocal": _of_non_local,
    "ag": _of_skip,
}
"""Relative -> the steps of its block, each with an axis of one image."""
