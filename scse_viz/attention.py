"""Record the gates of one pass through a network, ours or anybody's, without leaving anything on it.

The pass runs on a twin: the tree of modules copied, every parameter shared. Hooks are registered on the twin alone, so
any number of threads may record from one model at one moment, and nothing is undone because nothing was done to it.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from scse_viz.blocks import VARIANTS, ChannelGate, SpatialGate

LAYOUTS: tuple[tuple[tuple[str, ...], str | None, str | None], ...] = (
    (("cSE", "sSE"), "cSE.4", "sSE.1"),  # segmentation_models_pytorch: SCSEModule
    (("cSE", "sSE"), "cSE.sigmoid", "sSE.sigmoid"),  # the authors: ChannelSpatialSELayer
    (("fc1", "fc2"), "sigmoid", None),  # the authors: ChannelSELayer
    (("fc1", "fc2"), "scale_activation", None),  # torchvision: SqueezeExcitation
    (("fc1", "fc2"), "gate", None),  # timm: SEModule
    (("conv_reduce", "conv_expand"), "gate", None),  # timm: SqueezeExcite of EfficientNet and its kin
    (("fc",), "gate", None),  # timm: EffectiveSEModule
)
"""Blocks that are not ours: children that mark one, then where its channel and its spatial gate come out."""


@dataclass(frozen=True)
class Site:
    """Where a block sits in a network: the path of its module, and of the modules whose outputs are its gates.

    A channel gate comes out as (B, C) or (B, C, 1, 1), a spatial gate as (B, 1, h, w).
    """

    block: str
    channel_gate: str | None = None
    spatial_gate: str | None = None


@dataclass(frozen=True, eq=False)
class BlockRecord:
    """What one block did: `channel_gate` (B, C) and `spatial_gate` (B, h, w) are what the features were multiplied by.

    None where the block has no such gate or was not run. A block without any gate has `activation` (B, h, w), the mean
    over the channels of the absolute value of what leaves it. `before` and `after`, the features (B, C, h, w) that
    enter and leave the block, are kept on request. Every tensor is a copy that nothing later in the pass overwrites.
    """

    channel_gate: Tensor | None = None
    spatial_gate: Tensor | None = None
    activation: Tensor | None = None
    before: Tensor | None = None
    after: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """One pass: what the network returned, of whatever structure, and each block by name in the order of the sites."""

    output: Any
    blocks: dict[str, BlockRecord]


def record(
    model: nn.Module, x: Tensor, *, features: bool = False, sites: Mapping[str, Site] | None = None
) -> Recording:
    """Run `model` on x (B, C, H, W) once, in evaluation mode and without gradient, and keep the gates of every block.

    `sites` says where the blocks are, `find_sites(model)` when left out; `features` keeps what enters and leaves them.
    The model itself is only read: its mode, its hooks and its buffers stay as they are, also when the pass raises.
    Hooks that its owner registered run too, before the recording ones and with the twin's module as their argument, so
    a gate that such a hook replaces is recorded as replaced. A block that runs more than once in a pass is recorded at
    its last run. A network compiled by torch.compile runs uncompiled here. Raises ValueError for a site at which there
    is no module.
    """
    runner = twin(model)
    if any(module.training for module in runner.modules()):  # asking takes a quarter of the time of eval()
        runner.eval()
    sites = _sites(runner) if sites is None else sites
    kept: dict[str, dict[str, Tensor]] = {name: {} for name in sites}
    for name, site in sites.items():
        _listen(runner, name, site, kept[name], features)
    with torch.no_grad():
        output = runner(x)
    return Recording(output, {name: BlockRecord(**found) for name, found in kept.items()})


def find_sites(model: nn.Module) -> dict[str, Site]:
    """The blocks of a network by name, in the order of its modules.

    A network that keeps its blocks in a ModuleDict called `blocks`, as ours do, names them itself (`encoder1`,
    `bottleneck`, ...), blocks without a gate included. In any other a block is a module that holds a gate of ours or
    matches one of the `LAYOUTS`, and its name is its path, or `block` where it is the network itself.
    """
    return _sites(twin(model))


def twin(model: nn.Module) -> nn.Module:
    """The same network with modules of its own, parameters shared and buffers copied: a hook here is no hook there.

    Copied are modules wherever a module keeps them, in its lists, tuples, dicts, bound methods and partials too, and
    whatever else it keeps is shared: what a function has captured, or an object that is no module holds, stays the
    original's. The twin of a module compiled by torch.compile is that of the module it was made from. Raises
    ValueError for a network that has no such copy: TorchScript, or lazy modules before their first pass.
    """
    return _copied(model, {})


def _sites(model: nn.Module) -> dict[str, Site]:
    named = getattr(model, "blocks", None)
    if isinstance(named, nn.ModuleDict) and all(
        isinstance(block, tuple(VARIANTS.values())) for block in named.values()
    ):
        return {name: _site(f"blocks.{name}", block) or Site(f"blocks.{name}") for name, block in named.items()}
    found: dict[str, Site] = {}
    for path, module in model.named_modules():
        site = _site(path, module)
        # A block may hold a part that would be a block by itself, as the authors' scSE holds their cSE.
        if site is not None and not any(f"{path}.".startswith(_prefix(outer.block)) for outer in found.values()):
            found[path or "block"] = site
    return found


def _site(path: str, module: nn.Module) -> Site | None:
    """The site of a module that is a block, else None."""
    prefix = _prefix(path)
    children = dict(module.named_children())
    channel = next((name for name, child in children.items() if isinstance(child, ChannelGate)), None)
    spatial = next((name for name, child in children.items() if isinstance(child, SpatialGate)), None)
    if channel is None and spatial is None:
        channel, spatial = next(
            (gates for marks, *gates in LAYOUTS if _matches(module, children, marks, gates)), (None, None)
        )
    if channel is None and spatial is None:
        return None
    return Site(path, channel and prefix + channel, spatial and prefix + spatial)


def _prefix(path: str) -> str:
    return f"{path}." if path else ""


def _matches(
    module: nn.Module, children: Mapping[str, nn.Module], marks: Sequence[str], gates: Sequence[str | None]
) -> bool:
    return all(mark in children for mark in marks) and all(_is_sigmoid(module, path) for path in gates if path)


def _is_sigmoid(module: nn.Module, path: str) -> bool:
    """Whether there is a sigmoid or a hard one, torch's or timm's, at a path inside a module."""
    return "sigmoid" in type(_below(module, path)).__name__.lower()


def _below(module: nn.Module, path: str) -> nn.Module | None:
    """The module at a path, "" for itself, in a fraction of the time of get_submodule; None where there is none."""
    found: nn.Module | None = module
    for name in path.split(".") if path else ():
        found = found._modules.get(name) if found is not None else None
    return found


def _listen(runner: nn.Module, name: str, site: Site, kept: dict[str, Tensor], features: bool) -> None:
    """Make the modules of a site leave what they return in `kept`."""
    block = _module_at(runner, name, site.block)
    if site.channel_gate is not None:
        gate = _module_at(runner, name, site.channel_gate)
        gate.register_forward_hook(partial(_keep, kept, "channel_gate", _channels))
    if site.spatial_gate is not None:
        gate = _module_at(runner, name, site.spatial_gate)
        gate.register_forward_hook(partial(_keep, kept, "spatial_gate", _pixels))
    if site.channel_gate is None and site.spatial_gate is None:
        block.register_forward_hook(partial(_keep, kept, "activation", _mean_magnitude))
    if features:
        block.register_forward_pre_hook(partial(_keep_input, kept))
        block.register_forward_hook(partial(_keep, kept, "after", torch.clone))


def _module_at(runner: nn.Module, name: str, path: str) -> nn.Module:
    found = _below(runner, path)
    if found is None:
        raise ValueError(f"site {name!r} is at {path!r}, where the network has no module; see find_sites")
    return found


def _keep(
    kept: dict[str, Tensor], key: str, form: Callable[[Tensor], Tensor], module: nn.Module, inputs: Any, output: Tensor
) -> None:
    kept[key] = form(output)


def _keep_input(kept: dict[str, Tensor], module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    kept["before"] = inputs[0].clone()


def _channels(gate: Tensor) -> Tensor:
    return gate.flatten(1).clone()


def _pixels(gate: Tensor) -> Tensor:
    return gate.squeeze(1).clone()


def _mean_magnitude(u: Tensor) -> Tensor:
    return u.abs().mean(dim=1)


_ATOMS = frozenset({bool, int, float, str, type(None), nn.Parameter})
_CONTAINERS = frozenset({list, dict, OrderedDict, defaultdict})
_OWN = frozenset(name for name, value in vars(nn.Module()).items() if isinstance(value, dict))
"""What every module has for itself and shares with none: its parameters, buffers, modules and hooks."""


def _copied(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """What the twin keeps for a value that the original keeps; `done` has both by the identity of the first."""
    kind = type(value)
    if kind in _ATOMS or (kind is tuple and _ATOMS.issuperset(map(type, value))):
        return value
    if id(value) in done:
        return done[id(value)][1]
    if kind in _CONTAINERS:
        copied = value.copy()  # in one step, since another thread may be changing it
        done[id(value)] = (value, copied)
        if copied:  # most are a module's hooks, and empty
            for key, item in enumerate(copied) if kind is list else copied.items():
                copied[key] = _copied(item, done)
        return copied
    if kind in (tuple, set, frozenset):
        return kind([_copied(item, done) for item in value])
    if isinstance(value, nn.Module):
        return _copied_module(value, done)
    if kind is MethodType:
        return MethodType(value.__func__, _copied(value.__self__, done))
    if kind is partial:
        return partial(_copied(value.func, done), *_copied(value.args, done), **_copied(value.keywords, done))
    return value


def _copied_module(module: nn.Module, done: dict[int, tuple[Any, Any]]) -> nn.Module:
    if isinstance(module, torch.jit.ScriptModule):
        raise ValueError("the network is TorchScript, whose parts take no hooks; give the module it was made from")
    if any(is_lazy(parameter) for parameter in module._parameters.values() if parameter is not None):
        raise ValueError(f"{type(module).__name__} has no weights before its first pass; run the network once")
    if "_orig_mod" in module._modules:  # made by torch.compile, and bound to the original
        return _copied(module._modules["_orig_mod"], done)
    copied = object.__new__(type(module))
    done[id(module)] = (module, copied)
    state = vars(module).copy()
    state.pop("_compiled_call_impl", None)  # set by Module.compile, and bound to the original
    # Buffers are what a pass may write to, such as running statistics.
    for buffer in state["_buffers"].copy().values():
        if buffer is not None and id(buffer) not in done:
            done[id(buffer)] = (buffer, buffer.detach().clone())
    for name, value in state.items():
        if type(value) in _ATOMS:
            continue
        if name in _OWN:
            own = value.copy()
            if not own or _ATOMS.issuperset(map(type, own.values())):  # nearly always: no hooks, parameters alone
                state[name] = own
                continue
        state[name] = _copied(value, done)
    vars(copied).update(state)
    return copied
