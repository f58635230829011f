"""Weights of an scSE block from one code's layout to another's: ours, segmentation_models_pytorch's, the authors'."""

from collections.abc import Mapping

from torch import Tensor

Layout = Mapping[str, tuple[str, str]]
"""Role of a tensor -> its key in a state dict and its shape, one letter an axis: C channels, K hidden units, or 1."""

OURS: Layout = {
    "channel squeeze weight": ("channel_gate.squeeze.weight", "KC"),
    "channel squeeze bias": ("channel_gate.squeeze.bias", "K"),
    "channel excite weight": ("channel_gate.excite.weight", "CK"),
    "channel excite bias": ("channel_gate.excite.bias", "C"),
    "spatial squeeze weight": ("spatial_gate.squeeze.weight", "1C11"),
    "spatial squeeze bias": ("spatial_gate.squeeze.bias", "1"),
}
"""`ConcurrentSE` and what is joined from it without weights of its own: variants scse, scse-max, scse-mul."""
SMP: Layout = {
    "channel squeeze weight": ("cSE.1.weight", "KC11"),
    "channel squeeze bias": ("cSE.1.bias", "K"),
    "channel excite weight": ("cSE.3.weight", "CK11"),
    "channel excite bias": ("cSE.3.bias", "C"),
    "spatial squeeze weight": ("sSE.0.weight", "1C11"),
    "spatial squeeze bias": ("sSE.0.bias", "1"),
}
"""segmentation_models_pytorch: `SCSEModule`, whose halves are added."""
AUTHORS: Layout = {
    "channel squeeze weight": ("cSE.fc1.weight", "KC"),
    "channel squeeze bias": ("cSE.fc1.bias", "K"),
    "channel excite weight": ("cSE.fc2.weight", "CK"),
    "channel excite bias": ("cSE.fc2.bias", "C"),
    "spatial squeeze weight": ("sSE.conv.weight", "1C11"),
    "spatial squeeze bias": ("sSE.conv.bias", "1"),
}
"""The authors' own code: `ChannelSpatialSELayer`, whose halves are joined by maximum."""


def convert(state: Mapping[str, Tensor], source: Layout, target: Layout) -> dict[str, Tensor]:
    """The state dict of one scSE block in another layout; the tensors share their memory with the given ones.

    Raises ValueError for a key that is missing or unknown, and for a tensor of another shape than the layout's.
    """
    keys = [key for key, _ in source.values()]
    if missing := [key for key in keys if key not in state]:
        raise ValueError(
            f"the weights lack {', '.join(missing)}; give the state dict of one block in the source layout"
        )
    if unknown := [key for key in state if key not in keys]:
        raise ValueError(f"unknown weights {', '.join(unknown)}; give the state dict of one block: {', '.join(keys)}")
    hidden, channels = _first_two_axes(state, source)
    axes = {"K": hidden, "C": channels, "1": 1}
    converted = {}
    for role, (key, letters) in source.items():
        needed, found = tuple(axes[letter] for letter in letters), tuple(state[key].shape)
        if found != needed:
            raise ValueError(f"{key} has shape {found}; {channels} channels and {hidden} hidden units need {needed}")
        target_key, target_letters = target[role]
        converted[target_key] = state[key].reshape([axes[letter] for letter in target_letters])
    return converted


def _first_two_axes(state: Mapping[str, Tensor], source: Layout) -> tuple[int, int]:
    key, letters = source["channel squeeze weight"]
    shape = tuple(state[key].shape)
    if len(shape) != len(letters):
        raise ValueError(f"{key} has shape {shape}; {len(letters)} axes are needed, hidden units and channels first")
    return shape[0], shape[1]
