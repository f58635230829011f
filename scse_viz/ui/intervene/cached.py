"""Caches of Intervene: predictions of changed networks, and the effects of its sweeps, a few channels at a time."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scse_viz.analysis.ablation import changed_share, mean_label_dice, moved_probability
from scse_viz.inference import SliceResult, segment_slice
from scse_viz.inference.ablation import Prediction, channel_magnitudes, predict, predict_without
from scse_viz.intervention import Change, Region
from scse_viz.scans import ScanSlice
from scse_viz.scans.samples import Group, in_groups
from scse_viz.ui.shell import cached
from scse_viz.zoo import Card

TOGETHER = 4
"""Channels computed and cached together, between two steps of the progress bar."""


@dataclass(frozen=True, eq=False)
class NetworkSlice:
    """One slice and one network, with the slice's reference labels (H, W), if any, as numbers of the groups."""

    scan_slice: ScanSlice
    card: Card
    reference_labels: np.ndarray | None = None
    groups: tuple[Group, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What results depend on: the slice, the weights, and the labels for Dice."""
        labels = "" if self.reference_labels is None else hashlib.sha256(self.reference_labels.tobytes()).hexdigest()
        return (*self.scan_slice.key, self.card.name, self.card.sha256, labels, repr(self.groups))


@dataclass(frozen=True)
class Effect:
    """The effect of a change: shares 0 to 1 as in `analysis.ablation`, and the loss of mean Dice with the labels.

    `dice_lost` is nan without labels, and below 0 where the change improved the prediction.
    """

    changed: float
    moved: float
    dice_lost: float


def fingerprint(change: Change) -> str:
    """A change as text, equal for equal changes; a region counts by the content of its mask."""
    region = change.spatial_gate
    if not isinstance(region, Region):
        return repr(change)
    mask = hashlib.sha256(region.mask.numpy().tobytes()).hexdigest()
    return repr((mask, region.value, replace(change, spatial_gate=None)))


cached.content.register(NetworkSlice, lambda at: at.key)
cached.content.register(Change, fingerprint)


@cached.data
def result(at: NetworkSlice, changes: Mapping[str, Change]) -> SliceResult:
    """The result of a changed network on a slice. Raises ScanError, WeightsError."""
    return segment_slice(at.scan_slice, cached.network(at.card), at.card, changes=changes)


@cached.data
def magnitudes(at: NetworkSlice) -> dict[str, np.ndarray]:
    """Mean |v| of every channel of each block's output: block -> (C,). Raises ScanError, WeightsError."""
    return channel_magnitudes(at.scan_slice, cached.network(at.card), at.card)


@cached.data
def block_effect(at: NetworkSlice, block: str, change: Change) -> Effect:
    """The effect of a change of one block alone. Raises ScanError, WeightsError."""
    changed = predict(at.scan_slice, cached.network(at.card), at.card, {block: change})
    return _effect(at, changed)


@cached.data
def channel_effects(at: NetworkSlice, block: str, channels: Sequence[int]) -> list[Effect]:
    """The effect of knocking out each of some channels of a block alone. Raises ScanError, WeightsError."""
    without = predict_without(at.scan_slice, cached.network(at.card), at.card, block, channels)
    return [_effect(at, changed) for _, changed in without]


@cached.resource
def _before(scan_slice: ScanSlice, card: Card) -> Prediction:
    unchanged = predict(scan_slice, cached.network(card), card)
    for array in (unchanged.labels, unchanged.probabilities):
        array.setflags(write=False)  # one for all sessions
    return unchanged


def _effect(at: NetworkSlice, after: Prediction) -> Effect:
    before = _before(at.scan_slice, at.card)
    return Effect(
        changed_share(before.labels, after.labels),
        moved_probability(before.probabilities, after.probabilities),
        _dice(at, before) - _dice(at, after),
    )


def _dice(at: NetworkSlice, predicted: Prediction) -> float:
    if at.reference_labels is None or not at.groups:
        return float("nan")
    labels = [group.label for group in at.groups]
    return mean_label_dice(in_groups(predicted.labels, at.groups), at.reference_labels, labels)
