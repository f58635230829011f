"""Change gates during one pass through a network, ours or anybody's, and record what comes of it.

As in `attention`, the pass runs on a twin that shares every tensor with the network: the network itself is only read,
and any number of threads may change the same one in different ways at one moment.

What a change means, for features u that enter a block, v that leave it, and a gate g:

    a gate off          1 in place of g: every channel, or every pixel, passes
    a gate of strength k    1 + k (g - 1): 0 is off, 1 as it is; above 1 it exaggerates, below 1 - 1 / k it is negative
    a block of strength k   u + k (v - u): 0 bypasses the block, as if it were not there, 1 is as it is

Where a block has one gate and multiplies by it, cSE or sSE, a block off is its gate off. scSE is u c + u s: with both
gates off it returns 2 u, with one off u + u c or u + u s; only the block off returns u.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.attention import Recording, Site, find_sites, record, record_twin, sites_of_twin
from scse_viz.twins import evaluated_twin


class GateChange(Protocol):
    """What a gate is replaced by: g, a channel gate (B, C) or a spatial gate (B, h, w) -> the same shape."""

    def applied(self, g: Tensor) -> Tensor:
        """The gate that stands in for g; g itself stays as it is."""


@dataclass(frozen=True)
class Off:
    """1 everywhere: all passes."""

    def applied(self, g: Tensor) -> Tensor:
        """Ones of the shape of g."""
        return torch.ones_like(g)


@dataclass(frozen=True)
class Mean:
    """Its own average, image by image: a spatial gate over its pixels, a channel gate over its channels.

    What remains is how much passes, without where or which. Pixels of padding count as pixels.
    """

    def applied(self, g: Tensor) -> Tensor:
        """The mean of every image of g, at each of its entries."""
        return g.mean(dim=tuple(range(1, g.ndim)), keepdim=True).expand_as(g).contiguous()


@dataclass(frozen=True)
class Invert:
    """1 - g: what was let through is held back."""

    def applied(self, g: Tensor) -> Tensor:
        """1 - g."""
        return 1 - g


@dataclass(frozen=True)
class Shuffle:
    """The same values at other places: one permutation of the pixels, or of the channels, for all images of a seed."""

    seed: int = 0

    def applied(self, g: Tensor) -> Tensor:
        """g with its entries permuted; torch's global random state is not used."""
        flat = g.flatten(1)
        order = torch.randperm(flat.shape[1], generator=torch.Generator().manual_seed(self.seed))
        return flat[:, order.to(g.device)].view_as(g)


@dataclass(frozen=True)
class Strength:
    """1 + k (g - 1) for k = `factor`. Raises ValueError for a factor that is not a finite number."""

    factor: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.factor):
            raise ValueError(f"factor {self.factor} is no number to multiply by; choose a finite one")

    def applied(self, g: Tensor) -> Tensor:
        """1 + k (g - 1); g itself for k = 1."""
        return g if self.factor == 1 else 1 + self.factor * (g - 1)


@dataclass(frozen=True)
class Shut:
    """A channel gate that is 0 for some channels. In scSE their features still pass by the spatial gate."""

    channels: tuple[int, ...]

    def applied(self, g: Tensor) -> Tensor:
        """g (B, C) with 0 for the channels. Raises ValueError for a channel that is not there."""
        return _zeroed(g, self.channels)


@dataclass(frozen=True, eq=False)
class Region:
    """A spatial gate that is `value` inside a region, and as it is elsewhere.

    `mask` (H, W), 0 to 1, lies over the same field of view as the gate: for a network that pads its input, that of the
    padded input. Of a pixel of the gate that the region covers in part, that part is replaced:
    g + a (value - g), a its area covered, 0 to 1.
    """

    mask: Tensor
    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"value {self.value} is no number to multiply by; choose a finite one")
        if self.mask.ndim != 2:
            raise ValueError(f"mask of shape {tuple(self.mask.shape)}; give one of (H, W)")

    def applied(self, g: Tensor) -> Tensor:
        """g (B, h, w) with `value` inside the region. Raises ValueError for a channel gate."""
        if g.ndim != 3:
            raise ValueError("a region lies in space, and a channel gate does not; change the spatial gate")
        covered = F.adaptive_avg_pool2d(self.mask.to(g)[None], (g.shape[1], g.shape[2]))  # (1, h, w)
        return torch.lerp(g, torch.full_like(g, self.value), covered.expand_as(g))


@dataclass(frozen=True)
class Change:
    """What is changed at one block: its gates, its strength as a whole, and the channels that leave it as zeros.

    They act in this order: the block runs with its gates replaced, `strength` k makes u + k (v - u) of what enters and
    leaves it (0: bypassed), and the features of the channels `without` are 0 last, so that no gate lets them by.
    """

    channel_gate: GateChange | None = None
    spatial_gate: GateChange | None = None
    strength: float = 1.0
    without: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.strength):
            raise ValueError(f"strength {self.strength} is no number to multiply by; choose a finite one")


OFF = Change(strength=0.0)
"""A block bypassed: what enters it leaves it."""


def intervene(
    model: nn.Module,
    x: Tensor,
    changes: Mapping[str, Change],
    *,
    features: bool = False,
    sites: Mapping[str, Site] | None = None,
) -> Recording:
    """Run `model` on x (B, C, H, W) once with its blocks changed; changes: block -> Change, as `find_sites` names them.

    Otherwise as `attention.record`. Gates are recorded as they were applied; a block that is bypassed has none, and
    instead the `activation` of what leaves it. Raises ValueError for a block, a gate or a channel that is not there.
    """
    if not changes:
        return record(model, x, features=features, sites=sites)
    runner = evaluated_twin(model)
    sites = dict(sites_of_twin(runner) if sites is None else sites)
    for name, change in changes.items():
        if name not in sites:
            raise ValueError(
                f"block {name!r} is unknown; choose one of {', '.join(sites) or 'none, there is no block'}"
            )
        _impose(runner, name, sites[name], change)
        if change.strength == 0:
            sites[name] = Site(sites[name].block)
    return record_twin(runner, x, features=features, sites=sites)


def sweep_blocks(
    model: nn.Module, x: Tensor, changes: Mapping[str, Change], *, sites: Mapping[str, Site] | None = None
) -> Iterator[tuple[str, Recording]]:
    """Each change alone, in turn: yields the block with the pass in which only this block was changed."""
    sites = find_sites(model) if sites is None else sites
    for name, change in changes.items():
        yield name, intervene(model, x, {name: change}, sites=sites)


def sweep_channels(
    model: nn.Module,
    x: Tensor,
    block: str,
    channels: Sequence[int],
    *,
    batch: int = 4,
    sites: Mapping[str, Site] | None = None,
) -> Iterator[tuple[tuple[int, ...], Recording]]:
    """Knock out channels of a block one by one: x (1, C, H, W) -> some channels, and a pass with an image for each.

    In image i of a pass, channel i of those yielded with it leaves the block as zeros; `batch` images go together.
    Raises ValueError for a batch of several images, and as `intervene`.
    """
    if len(x) != 1:
        raise ValueError(f"{len(x)} images; give one, of which every channel makes its own copy")
    sites = dict(find_sites(model) if sites is None else sites)
    if block not in sites:
        raise ValueError(f"block {block!r} is unknown; choose one of {', '.join(sites)}")
    for start in range(0, len(channels), batch):
        some = tuple(channels[start : start + batch])
        runner = evaluated_twin(model)
        runner.get_submodule(sites[block].block).register_forward_hook(partial(_knock_out_each, some))
        yield some, record_twin(runner, x.expand(len(some), *x.shape[1:]), sites=sites)


def _impose(runner: nn.Module, name: str, site: Site, change: Change) -> None:
    """Put hooks on a twin that change one of its blocks in every pass."""
    for kind, path, gate_change in (
        ("channel gate", site.channel_gate, change.channel_gate),
        ("spatial gate", site.spatial_gate, change.spatial_gate),
    ):
        if gate_change is None:
            continue
        if path is None:
            raise ValueError(f"block {name!r} has no {kind} to change")
        form = _as_channels if kind == "channel gate" else _as_pixels
        runner.get_submodule(path).register_forward_hook(partial(form, gate_change))
    block = runner.get_submodule(site.block)
    if change.strength != 1:
        entered: list[Tensor] = []
        # A copy: a thrifty block may write its result over what enters it.
        block.register_forward_pre_hook(partial(_keep, entered))
        block.register_forward_hook(partial(_strengthen, entered, change.strength))
    if change.without:
        block.register_forward_hook(partial(_knock_out, change.without))


def _as_channels(change: GateChange, module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    """A channel gate comes out as (B, C) or (B, C, 1, 1)."""
    return change.applied(output.flatten(1)).view_as(output)


def _as_pixels(change: GateChange, module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    """A spatial gate comes out as (B, 1, h, w)."""
    return change.applied(output.squeeze(1)).unsqueeze(1)


def _keep(entered: list[Tensor], module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    entered.append(inputs[0].clone())


def _strengthen(entered: list[Tensor], strength: float, module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    u = entered.pop()
    return u if strength == 0 else u + strength * (output - u)


def _knock_out(channels: Sequence[int], module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    return _zeroed(output, channels)


def _knock_out_each(channels: Sequence[int], module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    _check_channels(channels, output.shape[1])
    output = output.clone()
    output[torch.arange(len(channels)), torch.tensor(channels)] = 0
    return output


def _zeroed(values: Tensor, channels: Sequence[int]) -> Tensor:
    """A copy with 0 for some channels: (B, C, ...) -> (B, C, ...)."""
    _check_channels(channels, values.shape[1])
    values = values.clone()
    values[:, list(channels)] = 0
    return values


def _check_channels(channels: Sequence[int], count: int) -> None:
    for channel in channels:
        if not 0 <= channel < count:
            raise ValueError(f"channel {channel} of {count}; choose 0 to {count - 1}")
