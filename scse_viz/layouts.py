"""Squeeze-and-excitation blocks of other libraries: how to know one, where its gates come out, what its weights are."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

Weights = Mapping[str, tuple[str, str]]
"""Role of a tensor -> its key in a state dict and its shape, one letter an axis: C channels, K hidden units, or 1."""


@dataclass(frozen=True)
class Layout:
    """How a library lays out its block.

    `children` are names among those of the block's children; `channel_gate` and `spatial_gate` are the paths of the
    sigmoids, or hard sigmoids, that return its gates; `weights`, for scSE blocks only, the tensors of its state dict.
    """

    children: tuple[str, ...]
    channel_gate: str | None = None
    spatial_gate: str | None = None
    weights: Weights | None = None


OURS = Layout(
    children=("channel_gate", "spatial_gate"),
    channel_gate="channel_gate",
    spatial_gate="spatial_gate",
    weights={
        "channel squeeze weight": ("channel_gate.squeeze.weight", "KC"),
        "channel squeeze bias": ("channel_gate.squeeze.bias", "K"),
        "channel excite weight": ("channel_gate.excite.weight", "CK"),
        "channel excite bias": ("channel_gate.excite.bias", "C"),
        "spatial squeeze weight": ("spatial_gate.squeeze.weight", "1C11"),
        "spatial squeeze bias": ("spatial_gate.squeeze.bias", "1"),
    },
)
"""`ConcurrentSE` and its heirs without weights of their own: variants scse, scse-max, scse-mul."""
SMP = Layout(
    children=("cSE", "sSE"),
    channel_gate="cSE.4",
    spatial_gate="sSE.1",
    weights={
        "channel squeeze weight": ("cSE.1.weight", "KC11"),
        "channel squeeze bias": ("cSE.1.bias", "K"),
        "channel excite weight": ("cSE.3.weight", "CK11"),
        "channel excite bias": ("cSE.3.bias", "C"),
        "spatial squeeze weight": ("sSE.0.weight", "1C11"),
        "spatial squeeze bias": ("sSE.0.bias", "1"),
    },
)
"""segmentation_models_pytorch: `SCSEModule`, which adds its halves."""
AUTHORS = Layout(
    children=("cSE", "sSE"),
    channel_gate="cSE.sigmoid",
    spatial_gate="sSE.sigmoid",
    weights={
        "channel squeeze weight": ("cSE.fc1.weight", "KC"),
        "channel squeeze bias": ("cSE.fc1.bias", "K"),
        "channel excite weight": ("cSE.fc2.weight", "CK"),
        "channel excite bias": ("cSE.fc2.bias", "C"),
        "spatial squeeze weight": ("sSE.conv.weight", "1C11"),
        "spatial squeeze bias": ("sSE.conv.bias", "1"),
    },
)
"""The authors' own code: `ChannelSpatialSELayer`, which takes the maximum of its halves."""

FOREIGN: dict[str, Layout] = {
    "segmentation_models_pytorch.SCSEModule": SMP,
    "authors' ChannelSpatialSELayer": AUTHORS,
    "authors' ChannelSELayer": Layout(("fc1", "fc2"), channel_gate="sigmoid"),
    "torchvision.ops.SqueezeExcitation": Layout(("fc1", "fc2"), channel_gate="scale_activation"),
    "timm.layers.SEModule": Layout(("fc1", "fc2"), channel_gate="gate"),
    "timm's SqueezeExcite of EfficientNet": Layout(("conv_reduce", "conv_expand"), channel_gate="gate"),
    "timm.layers.EffectiveSEModule": Layout(("fc",), channel_gate="gate"),
}
"""Block -> its layout; a module belongs to the first that fits it."""


def foreign_layout(module: nn.Module) -> Layout | None:
    """The layout of a module that is another library's block, else None."""
    children = {name for name, _ in module.named_children()}
    if not children:  # most modules of a network
        return None
    return next((layout for layout in FOREIGN.values() if _fits(layout, module, children)), None)


def convert(state: Mapping[str, Tensor], source: Layout, target: Layout) -> dict[str, Tensor]:
    """The state dict of one scSE block in another layout; the tensors share memory with the given ones.

    Raises ValueError for a missing or unknown key, for a tensor whose shape is not the layout's, and for a layout
    without weights.
    """
    if source.weights is None or target.weights is None:
        raise ValueError("a layout lists no weights; convert between OURS, SMP and AUTHORS")
    _check_keys(state, [key for key, _ in source.weights.values()])
    hidden, channels = _first_two_axes(state, source.weights)
    axes = {"K": hidden, "C": channels, "1": 1}
    converted = {}
    for role, (key, letters) in source.weights.items():
        needed, shape = tuple(axes[letter] for letter in letters), tuple(state[key].shape)
        if shape != needed:
            raise ValueError(f"{key} has shape {shape}; {channels} channels and {hidden} hidden units need {needed}")
        target_key, target_letters = target.weights[role]
        converted[target_key] = state[key].reshape([axes[letter] for letter in target_letters])
    return converted


def _fits(layout: Layout, module: nn.Module, children: set[str]) -> bool:
    gates = [path for path in (layout.channel_gate, layout.spatial_gate) if path is not None]
    return children.issuperset(layout.children) and all(_is_sigmoid(module, path) for path in gates)


def _is_sigmoid(module: nn.Module, path: str) -> bool:
    """Whether a module holds a sigmoid or a hard sigmoid, torch's or timm's, at a path."""
    try:
        return "sigmoid" in type(module.get_submodule(path)).__name__.lower()
    except AttributeError:
        return False


def _check_keys(state: Mapping[str, Tensor], keys: list[str]) -> None:
    if missing := [key for key in keys if key not in state]:
        raise ValueError(
            f"the weights lack {', '.join(missing)}; give the state dict of one block in the source layout"
        )
    if unknown := [key for key in state if key not in keys]:
        raise ValueError(f"unknown weights {', '.join(unknown)}; give the state dict of one block: {', '.join(keys)}")


def _first_two_axes(state: Mapping[str, Tensor], weights: Weights) -> tuple[int, int]:
    key, letters = weights["channel squeeze weight"]
    shape = tuple(state[key].shape)
    if len(shape) != len(letters):
        raise ValueError(f"{key} has shape {shape}; {len(letters)} axes are needed, hidden units and channels first")
    return shape[0], shape[1]
