"""Change gates during one pass through any torch network, and record the result.

As in `attention`, the pass runs on a twin that shares the network's parameters: the network itself is only read, and
any number of threads may change the same network in different ways at once.

The changes, for features u that enter a block, v that leave it, and a gate g:

    gate off                1 in place of g: every channel, or every pixel, passes
    gate of strength k      1 + k (g - 1): 0 is off, 1 unchanged; above 1 exaggerates, and g below 1 - 1 / k is negated
    block of strength k     u + k (v - u): 0 bypasses the block, 1 leaves it unchanged
    attention's mean        every pixel attends equally to all pixels; attention has no other change

In a block with a single gate, block off equals gate off. scSE is u c + u s: with both gates off it returns 2 u, with
one off u + u c or u + u s; it returns u only with the block off. A non-local block is u + w: its strength scales w.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from scse_viz.attention import Inputs, Recording, Tap, find_sites, record, record_twin
from scse_viz.blocks import GATES
from scse_viz.recording.sites import Site
from scse_viz.recording.twins import evaluated_twin


class GateChange(Protocol):
    """A replacement for a gate: g, a channel gate (B, C) or a spatial gate (B, h, w) -> the same shape."""

    def applied(self, g: Tensor) -> Tensor:
        """The gate to use in place of g, which is not modified."""


@dataclass(frozen=True)
class Off:
    """1 everywhere: everything passes."""

    def applied(self, g: Tensor) -> Tensor:
        """Ones of the shape of g."""
        return torch.ones_like(g)


@dataclass(frozen=True)
class Mean:
    """The gate's mean in each image, over the pixels of a spatial gate or the channels of a channel gate.

    It keeps how much passes and removes where or which. Padded pixels are included.
    """

    def applied(self, g: Tensor) -> Tensor:
        """The mean of g in each image, repeated over its entries."""
        return g.mean(dim=tuple(range(1, g.ndim)), keepdim=True).expand_as(g).contiguous()


@dataclass(frozen=True)
class Invert:
    """1 - g: what passed is suppressed, and the reverse."""

    def applied(self, g: Tensor) -> Tensor:
        """1 - g."""
        return 1 - g


@dataclass(frozen=True)
class Shuffle:
    """The gate's values permuted over its pixels or channels; a seed gives one permutation for all images."""

    seed: int = 0

    def applied(self, g: Tensor) -> Tensor:
        """g with its entries permuted; torch's global random state is neither used nor changed."""
        flat = g.flatten(1)
        order = torch.randperm(flat.shape[1], generator=torch.Generator().manual_seed(self.seed))
        return flat[:, order.to(g.device)].view_as(g)


@dataclass(frozen=True)
class Strength:
    """1 + k (g - 1) for k = `factor`. Raises ValueError for a factor that is not finite."""

    factor: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.factor):
            raise ValueError(f"factor {self.factor} is not finite; choose a number, 1 for no change")

    def applied(self, g: Tensor) -> Tensor:
        """1 + k (g - 1); g itself for k = 1."""
        return g if self.factor == 1 else 1 + self.factor * (g - 1)


@dataclass(frozen=True)
class Shut:
    """0 for some channels of a channel gate. In scSE their features still pass through the spatial half."""

    channels: tuple[int, ...]

    def applied(self, g: Tensor) -> Tensor:
        """g (B, C) with 0 for the channels. Raises ValueError for a channel that does not exist."""
        return _zeroed(g, self.channels)


@dataclass(frozen=True, eq=False)
class Region:
    """A spatial gate set to `value` inside a region and left unchanged elsewhere.

    `mask` (H, W), 0 to 1, covers the same field of view as the gate: the padded input if the network pads. A pixel of
    the gate becomes g + a (value - g), a the fraction of its area that the region covers.
    """

    mask: Tensor
    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"value {self.value} is not finite; choose a number, 1 to let everything pass")
        if self.mask.ndim != 2:
            raise ValueError(f"mask has shape {tuple(self.mask.shape)}; (H, W) is needed")

    def applied(self, g: Tensor) -> Tensor:
        """g (B, h, w) with `value` inside the region. Raises ValueError for a gate of another shape."""
        if g.ndim != 3:
            raise ValueError(f"a gate of shape {tuple(g.shape)} is no map (B, h, w); change a spatial gate in 2-D")
        covered = F.adaptive_avg_pool2d(self.mask.to(g)[None], (g.shape[1], g.shape[2]))  # (1, h, w)
        return torch.lerp(g, torch.full_like(g, self.value), covered.expand_as(g))


@dataclass(frozen=True)
class Change:
    """Changes to one block: to its gates, to its strength as a whole, and channels to knock out.

    In this order: the block runs with its gates replaced, `strength` k turns its output into u + k (v - u) (0 bypasses
    the block), and the features of the channels `without` are set to 0 in what leaves it.
    """

    channel_gate: GateChange | None = None
    spatial_gate: GateChange | None = None
    strength: float = 1.0
    without: tuple[int, ...] = ()
    full_gate: GateChange | None = None
    attention: Mean | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.strength):
            raise ValueError(f"strength {self.strength} is not finite; choose a number, 1 for no change")


OFF = Change(strength=0.0)
"""The block bypassed: its input is its output."""


def intervene(
    model: nn.Module,
    x: Inputs,
    changes: Mapping[str, Change],
    *,
    features: bool = False,
    sites: Mapping[str, Site] | None = None,
) -> Recording:
    """Run `model` on x (B, C, H, W) once with changes to its blocks, by their names in `find_sites(model, x)`.

    Otherwise as `attention.record`. Gates are recorded as they were applied; a bypassed block has no gates but an
    `activation`. Raises ValueError for a block, a gate or a channel that the network lacks, and for a bypass of a block
    that is divided over several products.
    """
    if not changes:
        return record(model, x, features=features, sites=sites)
    sites = dict(find_sites(model, x) if sites is None else sites)
    runner, tap = evaluated_twin(model), Tap()
    for name, change in changes.items():
        check_block(name, sites)
        change_block(runner, tap, name, sites[name], change)
        if change.strength == 0:
            sites[name] = replace(sites[name], channel_gate=None, spatial_gate=None, full_gate=None, attention=None)
    return record_twin(runner, x, features=features, sites=sites, tap=tap)


def sweep_channels(
    model: nn.Module,
    x: Tensor,
    block: str,
    channels: Sequence[int],
    *,
    batch: int = 4,
    sites: Mapping[str, Site] | None = None,
) -> Iterator[tuple[tuple[int, ...], Recording]]:
    """Knock out channels of a block one at a time, several in a batch: x (1, C, H, W) -> channels and their pass.

    In image i of a pass, the i-th of the channels yielded with it is set to 0 in the block's output.
    Raises ValueError for more than one image, and as `intervene`.
    """
    if len(x) != 1:
        raise ValueError(f"{len(x)} images; give one, which is repeated for every channel")
    sites = dict(find_sites(model, x) if sites is None else sites)
    check_block(block, sites)
    for start in range(0, len(channels), batch):
        some = tuple(channels[start : start + batch])
        runner, tap = evaluated_twin(model), Tap()
        _change_output(runner, tap, sites[block], partial(_knocked_out_each, some))
        yield some, record_twin(runner, x.expand(len(some), *x.shape[1:]), sites=sites, tap=tap)


def check_block(name: str, sites: Mapping[str, Site]) -> None:
    """Raises ValueError for a block that the network lacks."""
    if not sites:
        raise ValueError(f"the network has no blocks, and so no {name!r}; say where they are with sites")
    if name not in sites:
        raise ValueError(f"block {name!r} is unknown; choose one of {', '.join(sites)}")


def change_block(runner: nn.Module, tap: Tap, name: str, site: Site, change: Change) -> list[RemovableHandle]:
    """Register on a twin, and with a tap, what changes one of its blocks; returns the hooks on the twin."""
    hooks: list[RemovableHandle] = []
    for kind in GATES:
        gate_change, place = getattr(change, kind), site.gates.get(kind)
        if gate_change is None:
            continue
        if kind == "attention" and not isinstance(gate_change, Mean):
            raise ValueError("attention can only be averaged; to switch it off, give the block strength 0")
        if place is None:
            raise ValueError(f"block {name!r} has no {kind.replace('_', ' ')} to change")
        applied = partial(_changed, kind, gate_change)
        if isinstance(place, str):
            gate = runner.get_submodule(place)
            hooks.append(gate.register_forward_hook(lambda *call, applied=applied: applied(call[-1])))
        else:
            tap.gates.update(dict.fromkeys(place, applied))
    if change.strength != 1:
        if site.divided:
            raise ValueError(f"block {name!r} is several products inside {site.block!r}; change its gates, one by one")
        hooks += _change_output(runner, tap, site, partial(_strengthened, name, change.strength))
    if change.without:
        hooks += _change_output(runner, tap, site, lambda u, v: _zeroed(v, change.without))
    return hooks


def _changed(kind: str, change: GateChange, gate: Any) -> Any:
    """Change a gate as it is applied: a channel gate (B, C) or (B, C, 1, 1), a spatial gate (B, 1, h, w), or Pairs."""
    if kind == "attention":
        return gate._replace(query=torch.zeros_like(gate.query))  # equal scores, so equal shares
    if kind == "channel_gate":
        return change.applied(gate.flatten(1)).view_as(gate)
    return change.applied(gate.squeeze(1)).unsqueeze(1) if kind == "spatial_gate" else change.applied(gate)


def _change_output(
    runner: nn.Module, tap: Tap, site: Site, change: Callable[[Any, Tensor], Tensor]
) -> list[RemovableHandle]:
    """Change what leaves a block: its features u and its output v -> v'."""
    for number in site.products:
        tap.products.setdefault(number, []).append(change)
    if site.products:
        return []
    entered: list[Tensor | None] = []
    block = runner.get_submodule(site.block)
    # A copy: a block that works in place overwrites its input.
    before = block.register_forward_pre_hook(partial(_keep_input, entered))
    return [before, block.register_forward_hook(lambda *call: change(entered.pop(), call[-1]))]


def _keep_input(entered: list[Tensor | None], module: nn.Module, inputs: tuple[Any, ...]) -> None:
    entered.append(inputs[0].clone() if inputs and isinstance(inputs[0], Tensor) else None)


def _strengthened(name: str, strength: float, u: Tensor | None, v: Tensor) -> Tensor:
    if u is None or u.shape != v.shape:
        raise ValueError(f"block {name!r} returns features of another shape than its input, so it cannot be bypassed")
    return u if strength == 0 else u + strength * (v - u)


def _knocked_out_each(channels: Sequence[int], u: Tensor | None, v: Tensor) -> Tensor:
    _check_channels(channels, v.shape[1])
    v = v.clone()
    v[torch.arange(len(channels)), torch.tensor(channels)] = 0
    return v


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
