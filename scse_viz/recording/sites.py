"""Where the blocks of a network are: known by name in our own, found by a probe pass in all others."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from torch import nn

from scse_viz.blocks import GATES, VARIANTS, BlockInfo
from scse_viz.layouts import foreign_layout
from scse_viz.recording.calls import Call, Calls, Rescaling

GateSource = str | tuple[int, ...] | None
"""The path of the module that returns a gate, or the gate's numbers in `probing`, one a run of the block."""


@dataclass(frozen=True)
class Site:
    """Where a block sits in a network: the path of its module, and where its gates come from.

    A module returns a channel gate as (B, C) or (B, C, 1, 1), a spatial gate as (B, 1, h, w). A full gate tells apart
    channels and pixels at once, and attention weighs pairs of pixels (`blocks.Pairs`). `form` says what the gates come
    out of ("sigmoid", "2 × sigmoid", "softmax over branches", ...), `resolution` the rows and columns (and planes
    before them) of the features and `channels` their number; all three are known after a probe only.

    The block is its module, or, if `products` has numbers of gates, only the product of these gates with features,
    inside a module that does more. It is `divided` if these are several products, which no single bypass can replace.
    """

    block: str
    channel_gate: GateSource = None
    spatial_gate: GateSource = None
    full_gate: GateSource = None
    attention: str | None = None
    products: tuple[int, ...] = ()
    divided: bool = False
    form: str = ""
    resolution: tuple[int, ...] = ()
    channels: int = 0

    @property
    def gates(self) -> dict[str, GateSource]:
        """The gates that the block has, by the names of their fields."""
        return {name: place for name in GATES if (place := getattr(self, name)) is not None}

    @property
    def kind(self) -> str:
        """ "channel", "spatial", "both", "full", "attention", or "none"."""
        names = [name.removesuffix("_gate") for name in self.gates]
        return "both" if names == ["channel", "spatial"] else " and ".join(names) or "none"


def block_table(sites: Mapping[str, Site], size: tuple[int, int]) -> tuple[BlockInfo, ...]:
    """The blocks of a network as a pass over an input of `size` (rows, columns) has shown them, in order.

    A block that did not run has the scale of the one whose path has most in common with its own.
    """
    scales = {name: _scale(site, size) for name, site in sites.items() if site.resolution}

    def scale(name: str) -> int:
        nearest = max(scales, key=lambda other: _shared_parts(name, other), default="")
        return scales.get(name, scales.get(nearest, 1))

    return tuple(
        BlockInfo(name, site.channels, scale(name), site.kind, site.form, name in scales, site.divided)
        for name, site in sites.items()
    )


def _shared_parts(first: str, second: str) -> int:
    pairs = zip(first.split("."), second.split("."), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _scale(site: Site, size: tuple[int, int]) -> int:
    """The down-sampling factor of a site's features: the larger one of rows and columns, of which one may be single."""
    return max(1, *(round(whole / part) for whole, part in zip(size, site.resolution[-2:], strict=False)))


def our_sites(model: nn.Module) -> dict[str, Site] | None:
    """The sites of a network of ours, which keeps its blocks in a ModuleDict `blocks`; None for any other."""
    named = getattr(model, "blocks", None)
    kinds = tuple(VARIANTS.values())
    if isinstance(named, nn.ModuleDict) and all(isinstance(block, kinds) for block in named.values()):
        return {name: _known_site(f"blocks.{name}", block) or Site(f"blocks.{name}") for name, block in named.items()}
    return None


def known_sites(model: nn.Module) -> dict[str, Site]:
    """The sites that are known without a pass, from names and layouts: those with our gates or a known layout."""
    by_name: dict[str, Site] = {}
    for path, module in model.named_modules():
        site = _known_site(path, module)
        # Part of a block may look like a block itself: the authors' scSE contains their cSE.
        if site is not None and not any(_covers(outer.block, path) for outer in by_name.values()):
            by_name[path or "block"] = site
    return by_name


def probed_sites(model: nn.Module, calls: Calls) -> dict[str, Site]:
    """The sites that a pass over a network has shown, in the order of its modules.

    A module with a known layout that applied gates, in itself or in its parts, is one block; every other gate belongs
    to the module that multiplies it. A block with a known layout that did not run is listed too, by the modules of its
    gates; one that ran and multiplied nothing is none. A network without gates has its stages in place of blocks.
    """
    known = known_sites(model)
    drafts: dict[str, _Draft] = {}
    for call in calls.gated:
        for index, rescaling in enumerate(call.rescalings):
            owner = _owner(call, rescaling, known, calls)
            _add(drafts, owner, call, index, rescaling)
    sites = {name: draft.site() for name, draft in drafts.items()}
    for name, site in known.items():
        if name not in sites and not any(_covers(site.block, path) for path in calls.runs):
            sites[name] = site
    if not drafts:
        return sites or _stages(calls)
    order = {path: number for number, (path, _) in enumerate(model.named_modules())}
    return dict(sorted(sites.items(), key=lambda item: (order[item[1].block], item[1].products)))


@dataclass(eq=False)
class _Draft:
    """A site under construction; `origins` tells for every kind of gate which place in the code applies it."""

    block: str
    whole: bool
    origins: dict[str, tuple[str, int]] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    forms: list[str] = field(default_factory=list)
    resolution: tuple[int, ...] = ()
    channels: int = 0
    products: int = 0

    def site(self) -> Site:
        slots = {kind: tuple(numbers) for kind, numbers in self.numbers.items()}
        return Site(
            self.block,
            slots.get("channel"),
            slots.get("spatial"),
            slots.get("full"),
            products=() if self.whole else tuple(sorted(number for numbers in slots.values() for number in numbers)),
            divided=not self.whole and self.products > 1,
            form=", ".join(dict.fromkeys(self.forms)),
            resolution=self.resolution,
            channels=self.channels,
        )


def _add(drafts: dict[str, _Draft], owner: tuple[str, bool], call: Call, index: int, rescaling: Rescaling) -> None:
    """Add gates to the draft of their block, or to a new one if that has other gates."""
    block, whole = owner
    kinds = {"full" if gate.kind == "mixed" else gate.kind: gate for gate in rescaling.gates}
    origin, number = (call.path, index), 1
    while True:
        name = (block or "block") + (f" #{number}" if number > 1 else "")
        draft = drafts.setdefault(name, _Draft(block, whole))
        if all(draft.origins.get(kind, origin) == origin for kind in kinds) and (
            not draft.origins or whole or origin in draft.origins.values()
        ):
            break
        number += 1
    draft.products += 0 if origin in draft.origins.values() else rescaling.products
    for kind, gate in kinds.items():
        draft.origins[kind] = origin
        draft.numbers.setdefault(kind, []).append(gate.number)
        draft.forms.append(gate.form)
        branches = gate.form == "softmax over branches"
        draft.resolution = gate.features[-2:] if branches else gate.features[2:]
        draft.channels = math.prod(gate.features[1:-2]) if branches else gate.features[1]


def _owner(call: Call, rescaling: Rescaling, known: Mapping[str, Site], calls: Calls) -> tuple[str, bool]:
    """The path of the block that gates belong to, and whether that module is the block."""
    for site in known.values():
        if site.block == call.path:
            return site.block, rescaling.whole
        if _covers(site.block, call.path):
            return site.block, True
        # In a graph of torch.fx the modules of blocks never run, only their layers.
        if site.block not in calls.runs and all(_covers(site.block, gate.maker) for gate in rescaling.gates):
            return site.block, False
    return call.path, rescaling.whole


def _stages(calls: Calls) -> dict[str, Site]:
    """The last module at every resolution, in the order in which a pass reaches them."""
    shapes = {path: shape for path, shape in calls.shapes.items() if any(side > 1 for side in shape[2:])}
    paths = [path for path in shapes if path] or list(shapes)
    last = [
        path
        for path, after in zip(paths, [*paths[1:], ""], strict=False)
        if shapes[path][2:] != shapes.get(after, ())[2:] or not after
    ]
    return {
        path or "block": Site(path, resolution=calls.shapes[path][2:], channels=calls.shapes[path][1]) for path in last
    }


def _known_site(path: str, module: nn.Module) -> Site | None:
    """The site of a module that is a block by its names, else None."""
    prefix = f"{path}." if path else ""
    paths: dict[str, str] = {}
    for name, child in module.named_children():
        kind = next((kind for kind, classes in GATES.items() if isinstance(child, classes)), None)
        if kind is not None:
            paths.setdefault(kind, prefix + name)
    if paths:
        channel, spatial, full, pairs = (paths.get(kind) for kind in GATES)
        return Site(path, channel, spatial, full, pairs)
    layout = foreign_layout(module)
    if layout is None:
        return None
    channel, spatial = layout.channel_gate, layout.spatial_gate
    return Site(path, channel and prefix + channel, spatial and prefix + spatial)


def _covers(outer: str, path: str) -> bool:
    """Whether a path is that of a module or of a part of it."""
    return not outer or path == outer or path.startswith(f"{outer}.")
