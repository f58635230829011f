"""Record the gates of one pass through a network, ours or anybody's, without leaving anything on it.

The pass runs on a twin: the tree of modules copied, every tensor shared. Hooks are registered on the twin alone, so any
number of threads may record from one model at the same moment, and nothing is undone because nothing was done to it.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from scse_viz.blocks import ChannelGate, SpatialGate

LAYOUTS = (
    ("cSE.4", "sSE.1"),  # segmentation_models_pytorch: SCSEModule
    ("cSE.sigmoid", "sSE.sigmoid"),  # the authors' own: ChannelSpatialSELayer
    ("scale_activation", None),  # torchvision: SqueezeExcitation
    ("gate", None),  # timm: SqueezeExcite
)
"""Blocks that are not ours: where, inside a block, its channel and its spatial gate come out."""
SIGMOIDS = (nn.Sigmoid, nn.Hardsigmoid)


@dataclass(frozen=True)
class Site:
    """Where a block sits in a network: the path of its module, and of the modules whose outputs are its gates."""

    block: str
    channel_gate: str | None = None
    spatial_gate: str | None = None


@dataclass(frozen=True, eq=False)
class BlockRecord:
    """What one block did: `channel_gate` (B, C) and `spatial_gate` (B, h, w) are what the features were multiplied by.

    None where the block has no such gate. A block without any gate has `activation` (B, h, w), the mean over the
    channels of the absolute value of what leaves it. `before` and `after`, the features (B, C, h, w) that enter and
    leave the block, are kept on request.
    """

    channel_gate: Tensor | None = None
    spatial_gate: Tensor | None = None
    activation: Tensor | None = None
    before: Tensor | None = None
    after: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """One pass: the network's output, and each block by name in the order of `sites`."""

    output: Tensor
    blocks: dict[str, BlockRecord]


def record(
    model: nn.Module, x: Tensor, *, features: bool = False, sites: Mapping[str, Site] | None = None
) -> Recording:
    """Run `model` on x (B, C, H, W) once, in evaluation mode and without gradient, and keep the gates of every block.

    `sites` says where the blocks are, `find_sites(model)` when left out; `features` keeps what enters and leaves them.
    The model itself is only read: its mode, its hooks and its buffers stay as they are, also when the pass raises.
    A block that runs more than once in a pass is recorded at its last run.
    """
    sites = find_sites(model) if sites is None else sites
    runner = twin(model).eval()
    kept: dict[str, dict[str, Tensor]] = {name: {} for name in sites}
    for name, site in sites.items():
        if site.channel_gate is not None:
            gate = runner.get_submodule(site.channel_gate)
            gate.register_forward_hook(partial(_keep_channel_gate, kept[name]))
        if site.spatial_gate is not None:
            gate = runner.get_submodule(site.spatial_gate)
            gate.register_forward_hook(partial(_keep_spatial_gate, kept[name]))
        block = runner.get_submodule(site.block)
        if site.channel_gate is None and site.spatial_gate is None:
            block.register_forward_hook(partial(_keep_activation, kept[name]))
        if features:
            block.register_forward_hook(partial(_keep_features, kept[name]))
    with torch.no_grad():
        output = runner(x)
    return Recording(output, {name: BlockRecord(**found) for name, found in kept.items()})


def find_sites(model: nn.Module) -> dict[str, Site]:
    """The blocks of a network by name, in the order of its modules.

    A network that keeps its blocks in a ModuleDict called `blocks`, as ours do, names them itself (`encoder1`,
    `bottleneck`, ...), blocks without a gate included. In any other a block is a module that holds a gate of ours or
    one of the `LAYOUTS`, and its name is its path.
    """
    named = getattr(model, "blocks", None)
    if isinstance(named, nn.ModuleDict):
        return {name: _site(f"blocks.{name}", block) or Site(f"blocks.{name}") for name, block in named.items()}
    found = {path: _site(path, module) for path, module in model.named_modules()}
    return {path: site for path, site in found.items() if site is not None}


def twin(model: nn.Module) -> nn.Module:
    """The same network with modules of its own and every tensor shared: what is hooked here is not hooked there."""
    shared: dict[int, object] = {}
    for module in model.modules():
        for held in (module._parameters, module._buffers, vars(module)):
            shared.update((id(value), value) for value in held.values() if isinstance(value, Tensor))
    return copy.deepcopy(model, shared)


def _site(path: str, module: nn.Module) -> Site | None:
    """The site of a module that is a block, else None."""
    prefix = f"{path}." if path else ""
    ours: dict[str, str] = {}
    for name, child in module.named_children():
        if isinstance(child, ChannelGate):
            ours["channel_gate"] = prefix + name
        elif isinstance(child, SpatialGate):
            ours["spatial_gate"] = prefix + name
    if ours:
        return Site(path, **ours)
    for channel, spatial in LAYOUTS:
        if all(_is_sigmoid(module, relative) for relative in (channel, spatial) if relative is not None):
            return Site(path, prefix + channel, None if spatial is None else prefix + spatial)
    return None


def _is_sigmoid(module: nn.Module, path: str) -> bool:
    for name in path.split("."):
        child = module._modules.get(name)
        if child is None:
            return False
        module = child
    return isinstance(module, SIGMOIDS)


def _keep_channel_gate(kept: dict[str, Tensor], module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    kept["channel_gate"] = output.flatten(1)


def _keep_spatial_gate(kept: dict[str, Tensor], module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    kept["spatial_gate"] = output.squeeze(1)


def _keep_activation(kept: dict[str, Tensor], module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    kept["activation"] = torch.linalg.vector_norm(output, ord=1, dim=1) / output.shape[1]


def _keep_features(kept: dict[str, Tensor], module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    kept["before"], kept["after"] = inputs[0], output
