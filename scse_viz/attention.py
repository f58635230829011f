"""Record the gates of one pass through any torch network, without leaving anything on it.

The pass runs on a twin of the network, and hooks are registered on the twin alone. So any number of threads may record
from one model at once, and nothing has to be undone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from scse_viz.blocks import VARIANTS, ChannelGate, SpatialGate
from scse_viz.layouts import foreign_layout
from scse_viz.twins import evaluated_twin


@dataclass(frozen=True)
class Site:
    """Where a block sits in a network: the path of its module, and those of the modules that return its gates.

    A channel gate is returned as (B, C) or (B, C, 1, 1), a spatial gate as (B, 1, h, w).
    """

    block: str
    channel_gate: str | None = None
    spatial_gate: str | None = None


@dataclass(frozen=True, eq=False)
class BlockRecord:
    """What one block did: its features were multiplied by `channel_gate` (B, C) and `spatial_gate` (B, h, w).

    A gate is None where the block lacks it or did not run. A block without gates has an `activation` (B, h, w) instead,
    the mean absolute value of its output over the channels. `before` and `after` are the features (B, C, h, w) that
    enter and leave the block, kept on request. All are copies, which nothing later in the pass overwrites.
    """

    channel_gate: Tensor | None = None
    spatial_gate: Tensor | None = None
    activation: Tensor | None = None
    before: Tensor | None = None
    after: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """One pass: the output of the network, of any structure, and a record of every block in the order of the sites."""

    output: Any
    blocks: dict[str, BlockRecord]


def record(
    model: nn.Module, x: Tensor, *, features: bool = False, sites: Mapping[str, Site] | None = None
) -> Recording:
    """Run `model` on x (B, C, H, W) once, in evaluation mode and without gradients, and keep the gates of every block.

    `sites` tells where the blocks are (default: `find_sites(model)`); `features` also keeps what enters and leaves
    them. The model itself is only read: its mode, hooks and buffers stay as they are, even when the pass raises.

    Forward hooks that the model already has run before the recording ones, with modules of the twin as arguments; a
    gate that such a hook replaces is recorded as replaced. Of a block that runs several times in a pass the last run is
    recorded. A network compiled by torch.compile runs uncompiled. Raises ValueError for a site without a module.
    """
    return record_twin(evaluated_twin(model), x, features=features, sites=sites)


def record_twin(
    runner: nn.Module, x: Tensor, *, features: bool = False, sites: Mapping[str, Site] | None = None
) -> Recording:
    """As `record`, on a twin that the caller made for this one pass: the hooks stay on it."""
    sites = sites_of_twin(runner) if sites is None else sites
    kept: dict[str, dict[str, Tensor]] = {name: {} for name in sites}
    for name, site in sites.items():
        _listen(runner, name, site, kept[name], features)
    with torch.no_grad():
        output = runner(x)
        return Recording(output, {name: _block_record(found) for name, found in kept.items()})


def find_sites(model: nn.Module) -> dict[str, Site]:
    """The blocks of a network by name, in the order of its modules.

    Our networks keep their blocks, with and without gates, in a ModuleDict `blocks`, whose keys are the names
    (`encoder1`, `bottleneck`, ...). In other networks a block is a module that holds one of our gates or has one of the
    layouts in `layouts.FOREIGN`; its name is its path, or `block` if it is the network itself.
    """
    return sites_of_twin(evaluated_twin(model))


def sites_of_twin(model: nn.Module) -> dict[str, Site]:
    """As `find_sites`, for a twin that the caller made."""
    named = getattr(model, "blocks", None)
    if isinstance(named, nn.ModuleDict) and all(
        isinstance(block, tuple(VARIANTS.values())) for block in named.values()
    ):
        return {name: _site(f"blocks.{name}", block) or Site(f"blocks.{name}") for name, block in named.items()}
    found: dict[str, Site] = {}
    for path, module in model.named_modules():
        site = _site(path, module)
        # Part of a block may look like a block itself: the authors' scSE contains their cSE.
        if site is not None and not any(f"{path}.".startswith(_prefix(outer.block)) for outer in found.values()):
            found[path or "block"] = site
    return found


def _site(path: str, module: nn.Module) -> Site | None:
    """The site of a module that is a block, else None."""
    channel = spatial = None
    for name, child in module.named_children():
        if channel is None and isinstance(child, ChannelGate):
            channel = name
        elif spatial is None and isinstance(child, SpatialGate):
            spatial = name
    if channel is None and spatial is None:
        layout = foreign_layout(module)
        if layout is None:
            return None
        channel, spatial = layout.channel_gate, layout.spatial_gate
    return Site(path, channel and _prefix(path) + channel, spatial and _prefix(path) + spatial)


def _prefix(path: str) -> str:
    return f"{path}." if path else ""


def _listen(runner: nn.Module, name: str, site: Site, kept: dict[str, Tensor], features: bool) -> None:
    """Register hooks that keep what the modules of a site return."""
    block = _module_at(runner, name, site.block)
    for key, path in (("channel_gate", site.channel_gate), ("spatial_gate", site.spatial_gate)):
        if path is not None:
            _module_at(runner, name, path).register_forward_hook(partial(_keep, kept, key))
    if site.channel_gate is None and site.spatial_gate is None:
        block.register_forward_hook(partial(_keep_magnitude, kept))
    if features:
        block.register_forward_pre_hook(partial(_keep_input, kept))
        block.register_forward_hook(partial(_keep, kept, "after"))


def _module_at(runner: nn.Module, name: str, path: str) -> nn.Module:
    try:
        return runner.get_submodule(path)
    except AttributeError:
        raise ValueError(f"site {name!r} is at {path!r}, where the network has no module; see find_sites") from None


def _keep(kept: dict[str, Tensor], key: str, module: nn.Module, inputs: Any, output: Tensor) -> None:
    kept[key] = output.clone()  # a block may write over its gates, and the next layer over what leaves the block


def _keep_input(kept: dict[str, Tensor], module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    kept["before"] = inputs[0].clone()


def _keep_magnitude(kept: dict[str, Tensor], module: nn.Module, inputs: Any, output: Tensor) -> None:
    kept["activation"] = output.abs().mean(dim=1)


def _block_record(kept: dict[str, Tensor]) -> BlockRecord:
    """The record of what was kept, gates in the shapes that modules return."""
    if "channel_gate" in kept:
        kept["channel_gate"] = kept["channel_gate"].flatten(1)
    if "spatial_gate" in kept:
        kept["spatial_gate"] = kept["spatial_gate"].squeeze(1)
    return BlockRecord(**kept)
