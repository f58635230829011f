"""The steps of a gate as in its paper: squeeze, excitation, and the factors by which the block multiplies."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from scse_viz.attention import find_sites, record
from scse_viz.blocks import ChannelGate, SpatialGate
from scse_viz.inference.inputs import slice_input
from scse_viz.scans import ScanSlice
from scse_viz.system.devices import beside
from scse_viz.zoo import Card


@dataclass(frozen=True, eq=False)
class ChannelSteps:
    """cSE: the channel means `mean` (C,), the `hidden` units (C / r,) after the ReLU, and the `weights` (C,)."""

    mean: np.ndarray
    hidden: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class SpatialSteps:
    """sSE: the 1 x 1 convolution's `kernel` (C,) and `bias`, its output `logits` (h, w), and the `gate` (h, w)."""

    kernel: np.ndarray
    bias: float
    logits: np.ndarray
    gate: np.ndarray


@dataclass(frozen=True, eq=False)
class BlockSteps:
    """One block on one slice: the features `before` and `after` it, (C, h, w), and the steps of its gates."""

    before: np.ndarray
    after: np.ndarray
    channel: ChannelSteps | None
    spatial: SpatialSteps | None

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name: `before`, `after`, `channel mean`, `spatial logits`, ..."""
        by_name = {"before": self.before, "after": self.after}
        if self.channel is not None:
            steps = self.channel
            by_name |= {"channel mean": steps.mean, "channel hidden": steps.hidden, "channel weights": steps.weights}
        if self.spatial is not None:
            of_space = self.spatial
            by_name |= {"spatial kernel": of_space.kernel, "spatial bias": np.array(of_space.bias)}
            by_name |= {"spatial logits": of_space.logits, "spatial gate": of_space.gate}
        return by_name

    def by_channel(self, number: int) -> np.ndarray:
        """A channel (h, w) times its weight; raises ValueError without a channel gate."""
        if self.channel is None:
            raise ValueError("this block has no channel gate")
        return self.before[number] * self.channel.weights[number]

    def by_space(self, number: int) -> np.ndarray:
        """A channel (h, w) times the spatial gate; raises ValueError without one."""
        if self.spatial is None:
            raise ValueError("this block has no spatial gate")
        return self.before[number] * self.spatial.gate


def block_steps(scan_slice: ScanSlice, model: nn.Module, card: Card, block: str) -> BlockSteps:
    """Run one slice through a network and record the steps of one of its blocks.

    Raises KeyError for a block the network lacks, ScanError and IndexError as `inference.segment_slice`.
    """
    x = beside(slice_input(scan_slice, card), model)
    site = find_sites(model, x)[block]
    recorded = record(model, x, features=True, sites={block: site}).blocks[block]
    before, after = cast(Tensor, recorded.before), cast(Tensor, recorded.after)
    parts = dict(model.get_submodule(site.block).named_children())
    channel, spatial = parts.get("channel_gate"), parts.get("spatial_gate")
    return BlockSteps(
        before=before[0].cpu().numpy(),
        after=after[0].cpu().numpy(),
        channel=channel_steps(channel, before) if type(channel) is ChannelGate else None,
        spatial=spatial_steps(spatial, before) if type(spatial) is SpatialGate else None,
    )


def channel_steps(gate: ChannelGate, u: Tensor) -> ChannelSteps:
    """z = mean(u), relu(W1 z + b1), sigmoid(W2 relu(W1 z + b1) + b2) of u (1, C, h, w)."""
    with torch.no_grad():
        z = u.mean(dim=(2, 3))  # (1, C)
        hidden = gate.squeeze(z).relu()
        weights = gate.excite(hidden).sigmoid()
    return ChannelSteps(*(step[0].cpu().numpy() for step in (z, hidden, weights)))


def spatial_steps(gate: SpatialGate, u: Tensor) -> SpatialSteps:
    """q = sum over channels of w u, plus b, and sigmoid(q) of u (1, C, h, w)."""
    with torch.no_grad():
        logits = gate.squeeze(u)[0, 0]
    kernel = gate.squeeze.weight.detach().flatten().cpu().numpy().copy()  # a copy: the network's own must stay as it is
    bias = float(cast(Tensor, gate.squeeze.bias).detach())
    return SpatialSteps(kernel, bias, logits.cpu().numpy(), logits.sigmoid().cpu().numpy())


def channel_gates_of_crop(scan_slice: ScanSlice, model: nn.Module, card: Card, side: int) -> dict[str, np.ndarray]:
    """The channel gates when the network sees only a central square of the slice: block -> (C,).

    side: of the square, in pixels of the network's input; a smaller slice is seen whole.
    """
    x = beside(slice_input(scan_slice, card), model)
    top, left = (max(0, (length - side) // 2) for length in x.shape[2:])
    blocks = record(model, x[..., top : top + side, left : left + side]).blocks
    gates = {name: gates.channel_gate for name, gates in blocks.items() if gates.channel_gate is not None}
    return {name: gate[0].cpu().numpy() for name, gate in gates.items()}
