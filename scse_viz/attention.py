"""Record the gates of one pass through any torch network, without leaving anything on it.

The pass runs on a twin of the network, and hooks are registered on the twin alone. So any number of threads may record
from one model at once, and nothing has to be undone.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from scse_viz.blocks import Pairs
from scse_viz.recording.probing import Watch
from scse_viz.recording.remembered import Shortcut, recalled, remember, shortcut_of, signature
from scse_viz.recording.sites import GateSource, Site, known_sites, our_sites, probed_sites
from scse_viz.recording.twins import evaluated_twin, evaluated_twin_and_structure

Inputs = Tensor | tuple[Any, ...]
"""What a network takes: x (B, C, H, W) or (B, C, D, H, W), or the tuple of all its arguments."""


@dataclass(frozen=True, eq=False)
class BlockRecord:
    """What one block did: its features were multiplied by `channel_gate` (B, C) and `spatial_gate` (B, h, w).

    A `full_gate` (B, C, h, w) tells apart channels and pixels at once, or lacks an axis along which it is constant. A
    softmax over branches gives a channel gate (B, branches × C). `attention` tells where each pixel looks. A gate is
    None where the block lacks it. A block without gates has an `activation` (B, h, w) instead, the mean absolute value
    of its output over the channels.
    `before` and `after` are the features (B, C, h, w) that enter and leave the block, kept on request; `after` is None
    for a block that is divided over several products, `before` for a stage that takes a list of features. All are
    copies, which nothing later in the pass overwrites. In networks of 3-D images h, w are d, h, w. A block that did not
    run, `ran` false, is empty.
    """

    channel_gate: Tensor | None = None
    spatial_gate: Tensor | None = None
    full_gate: Tensor | None = None
    attention: Pairs | None = None
    activation: Tensor | None = None
    before: Tensor | None = None
    after: Tensor | None = None
    ran: bool = True


@dataclass(frozen=True, eq=False)
class Recording:
    """One pass: the output of the network, of any structure, and a record of every block in the order of the sites.

    `gated` is false for a network without gates, whose blocks are its stages, with activations alone.
    """

    output: Any
    blocks: dict[str, BlockRecord]
    sites: Mapping[str, Site] = field(default_factory=dict)

    @property
    def gated(self) -> bool:
        """Whether the network has any gate."""
        return any(site.gates for site in self.sites.values())


@dataclass(eq=False)
class Tap:
    """What a pass does at gates that are known by their numbers: changes them and their products, and keeps both.

    `gates` holds changes to gates, `products` changes (u, v) -> v' to the product v of a gate with features u.
    `listened` are the numbers of gates whose features and product are kept, in `before` and `after`.
    """

    gates: dict[int, Callable[[Tensor], Tensor]] = field(default_factory=dict)
    products: dict[int, list[Callable[[Tensor, Tensor], Tensor]]] = field(default_factory=dict)
    listened: set[int] = field(default_factory=set)
    kept: dict[int, Tensor] = field(default_factory=dict)
    before: dict[int, Tensor] = field(default_factory=dict)
    after: dict[int, Tensor] = field(default_factory=dict)

    def gate(self, number: int, gate: Tensor) -> Tensor:
        """The gate to use."""
        if number in self.gates:
            gate = self.gates[number](gate)
        self.kept[number] = gate.clone()
        return gate

    def product(self, numbers: Sequence[int], features: Tensor, run: Callable[[], Tensor]) -> Tensor:
        """The product to use."""
        if self.listened.isdisjoint(numbers) and self.products.keys().isdisjoint(numbers):
            return run()
        u = features.clone()  # the product may overwrite it
        v = run()
        # Two gates of one product share their change, which happens once.
        for change in dict.fromkeys(change for number in numbers for change in self.products.get(number, ())):
            v = change(u, v)
        for number in self.listened.intersection(numbers):
            self.before[number], self.after[number] = u, v.clone()
        return v


def record(
    model: nn.Module, x: Inputs, *, features: bool = False, sites: Mapping[str, Site] | None = None
) -> Recording:
    """Run `model` on x (B, C, H, W) once, in evaluation mode and without gradients, and keep the gates of every block.

    `x` may also be the tuple of all arguments of the network. `sites` tells where the blocks are (default: our own by
    their names, all others as the pass itself shows them); `features` also keeps what enters and leaves them. The model
    itself is only read: its mode, hooks and buffers stay as they are, even when the pass raises.

    Forward hooks that the model already has run before the recording ones, with modules of the twin as arguments; a
    gate that such a hook replaces is recorded as replaced. Of a block that runs several times in a pass the last run is
    recorded. A network compiled by torch.compile runs uncompiled, one wrapped in DataParallel on one device.

    A network that is not ours is probed. Where each gate is what some module returns, later passes over inputs of the
    same shapes use hooks alone (`remembered`). With `features` the network runs twice: a first pass finds its blocks.
    Raises ValueError for a site without a module.
    """
    runner, structure = evaluated_twin_and_structure(model)
    if sites is None:
        sites = our_sites(runner)
    if sites is not None or features:
        return record_twin(runner, x, features=features, sites=find_sites(model, x) if sites is None else sites)
    key = structure, signature(x)
    shortcut = recalled(model, key)
    if shortcut is not None:
        recording = _recorded_by_hooks(runner, x, shortcut)
        if recording is not None:
            return recording
        runner = evaluated_twin(model)
    recording, shortcut = _recorded_probe(runner, x)
    if shortcut is not None:
        remember(model, key, shortcut)
    return recording


def find_sites(model: nn.Module, x: Inputs | None = None) -> dict[str, Site]:
    """The blocks of a network by name, in the order of its modules.

    Our networks keep their blocks, with and without gates, in a ModuleDict `blocks`, whose keys are the names
    (`encoder1`, `bottleneck`, ...). In other networks one pass over `x` shows which tensors in [0, 1] are multiplied
    onto features; a block is the module that does so. Its name is its path, or `block` if it is the network itself,
    with a number, `path #2`, from the second block of a module on. Without `x`, only blocks with our gates or one of
    the layouts in `layouts.FOREIGN` are found. A network without gates has its stages in place of blocks.
    """
    runner = evaluated_twin(model)
    sites = our_sites(runner)
    if sites is not None:
        return sites
    return known_sites(runner) if x is None else dict(_recorded_probe(runner, x)[0].sites)


def record_twin(
    runner: nn.Module, x: Inputs, *, sites: Mapping[str, Site], features: bool = False, tap: Tap | None = None
) -> Recording:
    """As `record`, on a twin that the caller made for this one pass: the hooks stay on it."""
    tap = tap or Tap()
    kept: dict[str, dict[str, Any]] = {name: {} for name in sites}
    for name, site in sites.items():
        _listen(runner, name, site, kept[name], features)
        if site.products and (features or not site.gates):
            tap.listened.update(site.products)
    by_number = any(
        site.products or isinstance(place, tuple) for site in sites.values() for place in site.gates.values()
    )
    by_number = by_number or any(site.products for site in sites.values())
    with torch.no_grad(), Watch(tap.gate, tap.product) if by_number else nullcontext():
        output = runner(*_arguments(x))
    with torch.no_grad():
        for name, site in sites.items():
            _collect(site, kept[name], tap, features)
        return Recording(output, {name: _block_record(tensors) for name, tensors in kept.items()}, sites)


def _recorded_probe(runner: nn.Module, x: Inputs) -> tuple[Recording, Shortcut | None]:
    """Find the sites of a twin, and keep their gates, in one pass; with the shortcut of later passes, if any."""
    tap = Tap()
    watch = Watch(tap.gate)
    watch.follow_modules(runner)
    with torch.no_grad(), watch:
        output = runner(*_arguments(x))
    sites, records = probed_sites(runner, watch.calls), {}
    for name, site in sites.items():
        kept: dict[str, Any] = {}
        _collect(site, kept, tap, features=False)
        if not site.gates and site.block in watch.calls.activations:
            kept["activation"] = watch.calls.activations[site.block]
        records[name] = _block_record(kept)
    return Recording(output, records, sites), shortcut_of(sites, watch, tap.kept)


def _recorded_by_hooks(runner: nn.Module, x: Inputs, shortcut: Shortcut) -> Recording | None:
    """Keep the gates of a twin by hooks, or None where its modules ran otherwise than the shortcut says."""
    runs: Counter[str] = Counter()
    outputs: dict[str, Tensor] = {}
    magnitudes: dict[str, dict[str, Any]] = {name: {} for name, site in shortcut.sites.items() if not site.gates}
    leaving = {place.path for exits in shortcut.exits.values() for place in exits.values()}
    for path in shortcut.runs:
        keep = partial(_keep, outputs, path) if path in leaving else None
        runner.get_submodule(path).register_forward_hook(partial(_count, runs, path, keep))
    for name, kept in magnitudes.items():
        runner.get_submodule(shortcut.sites[name].block).register_forward_hook(partial(_keep_magnitude, kept))
    with torch.no_grad():
        output = runner(*_arguments(x))
    if any(runs[path] != count for path, count in shortcut.runs.items()):
        return None
    records = {
        name: _block_record({kind: outputs[place.path].reshape(place.shape) for kind, place in exits.items()})
        for name, exits in shortcut.exits.items()
    }
    records |= {name: _block_record(kept) for name, kept in magnitudes.items()}
    return Recording(output, records, dict(shortcut.sites))


def _arguments(x: Inputs) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def _listen(runner: nn.Module, name: str, site: Site, kept: dict[str, Any], features: bool) -> None:
    """Register hooks that keep what the modules of a site return."""
    block = _module_at(runner, name, site.block)
    for key, place in site.gates.items():
        if isinstance(place, str):
            _module_at(runner, name, place).register_forward_hook(partial(_keep, kept, key))
    if site.products:
        return
    if not site.gates:
        block.register_forward_hook(partial(_keep_magnitude, kept))
    if features:
        block.register_forward_pre_hook(partial(_keep_input, kept))
        block.register_forward_hook(partial(_keep, kept, "after"))


def _collect(site: Site, kept: dict[str, Any], tap: Tap, features: bool) -> None:
    """Add to what hooks have kept of a block what was kept by number."""
    for key, place in site.gates.items():
        if value := _last(place, tap.kept):
            kept[key] = value[0]
    before, after = _last(site.products, tap.before), _last(site.products, tap.after)
    if before and features:
        kept["before"] = before[0]
    if after and features and not site.divided:
        kept["after"] = after[0]
    if after and not site.gates:
        kept["activation"] = after[0].abs().mean(dim=1)


def _last(place: GateSource, kept: Mapping[int, Tensor]) -> list[Tensor]:
    """The last of some numbers for which there is a tensor, or nothing."""
    tensors = [kept[number] for number in place if number in kept] if isinstance(place, tuple) else []
    return tensors[-1:]


def _module_at(runner: nn.Module, name: str, path: str) -> nn.Module:
    try:
        return runner.get_submodule(path)
    except AttributeError:
        raise ValueError(f"site {name!r} is at {path!r}, where the network has no module; see find_sites") from None


def _keep(kept: dict[str, Any], key: str, module: nn.Module, inputs: Any, output: Tensor | Pairs) -> None:
    # Copies: a block may write over its gates, and the next layer over what leaves the block.
    if isinstance(output, Pairs):
        output = output._replace(query=output.query.clone(), key=output.key.clone())
    kept[key] = output.clone() if isinstance(output, Tensor) else output


def _count(runs: Counter[str], path: str, keep: Any, module: nn.Module, inputs: Any, output: Any) -> None:
    runs[path] += 1
    if keep is not None:
        keep(module, inputs, output)


def _keep_input(kept: dict[str, Tensor], module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    if inputs and isinstance(inputs[0], Tensor):  # a decoder may take a list of all stages
        kept["before"] = inputs[0].clone()


def _keep_magnitude(kept: dict[str, Tensor], module: nn.Module, inputs: Any, output: Tensor) -> None:
    kept["activation"] = output.abs().mean(dim=1)


def _block_record(kept: dict[str, Any]) -> BlockRecord:
    """The record of what was kept, gates in the shapes that modules return."""
    if "channel_gate" in kept:
        kept["channel_gate"] = kept["channel_gate"].flatten(1)
    if "spatial_gate" in kept:
        kept["spatial_gate"] = kept["spatial_gate"].squeeze(1)
    return BlockRecord(**kept, ran=bool(kept))
