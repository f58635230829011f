"""What Intervene keeps: answers of changed networks, and the numbers of its sweeps, a few channels at a time."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from scse_viz.analysis.ablation import changed_share, mean_label_dice, moved_probability
from scse_viz.inference import SliceResult, segment_slice
from scse_viz.inference.ablation import Answer, answer, answers_without, channel_magnitudes
from scse_viz.intervention import Change, Region
from scse_viz.scans import Scan
from scse_viz.scans.samples import Group, in_groups
from scse_viz.ui.shell import cached
from scse_viz.zoo import Card

TOGETHER = 4
"""Channels whose effect is computed between two steps of the progress, and kept together."""


@dataclass(frozen=True, eq=False)
class Place:
    """One slice through one network, and the labels of the slice (H, W) in numbers of their groups, if any."""

    scan: Scan
    plane: str
    index: int
    card: Card
    truth: np.ndarray | None = None
    groups: tuple[Group, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """What the answers depend on."""
        return (self.scan.digest, self.plane, str(self.index), self.card.name, self.card.sha256)

    @property
    def truth_key(self) -> str:
        """What Dice depends on beside the answers."""
        if self.truth is None:
            return ""
        return hashlib.sha256(self.truth.tobytes() + repr(self.groups).encode()).hexdigest()


@dataclass(frozen=True)
class Effect:
    """How much a change did: shares 0 to 1 as in `analysis.effects`, and the mean Dice with the labels that was lost.

    `dice_lost` is nan where there are no labels, and below 0 where the change brought the answer closer to them.
    """

    changed: float
    moved: float
    dice_lost: float


@st.cache_data(max_entries=400, show_spinner=False)
def _result(_place: Place, key: tuple[str, ...], _changes: Mapping[str, Change], changes_key: str) -> SliceResult:
    network = cached.network(_place.card.name, _place.card.sha256)
    return segment_slice(_place.scan, network, _place.card, _place.plane, _place.index, changes=_changes)


def result(place: Place, changes: Mapping[str, Change]) -> SliceResult:
    """What a changed network makes of a slice. Raises ScanError, WeightsError."""
    return _result(place, place.key, changes, fingerprint(changes))


@st.cache_data(max_entries=100, show_spinner=False)
def _magnitudes(_place: Place, key: tuple[str, ...]) -> dict[str, np.ndarray]:
    network = cached.network(_place.card.name, _place.card.sha256)
    return channel_magnitudes(_place.scan, network, _place.card, _place.plane, _place.index)


def magnitudes(place: Place) -> dict[str, np.ndarray]:
    """The mean |v| of every channel that leaves each block: block -> (C,). Raises ScanError, WeightsError."""
    return _magnitudes(place, place.key)


@st.cache_data(max_entries=2000, show_spinner=False)
def _block_effect(
    _place: Place, key: tuple[str, ...], truth_key: str, block: str, _change: Change, change_key: str
) -> Effect:
    network = cached.network(_place.card.name, _place.card.sha256)
    changed = answer(_place.scan, network, _place.card, _place.plane, _place.index, {block: _change})
    return _effect(_place, _before(_place), changed)


def block_effect(place: Place, block: str, change: Change) -> Effect:
    """What a change of one block alone does to a slice. Raises ScanError, WeightsError."""
    return _block_effect(place, place.key, place.truth_key, block, change, fingerprint({block: change}))


@st.cache_data(max_entries=4000, show_spinner=False)
def _channel_effects(
    _place: Place, key: tuple[str, ...], truth_key: str, block: str, channels: tuple[int, ...]
) -> list[Effect]:
    network = cached.network(_place.card.name, _place.card.sha256)
    each = answers_without(_place.scan, network, _place.card, _place.plane, _place.index, block, channels)
    before = _before(_place)
    return [_effect(_place, before, changed) for _, changed in each]


def channel_effects(place: Place, block: str, channels: Sequence[int]) -> list[Effect]:
    """What knocking out each of some channels of a block alone does to a slice. Raises ScanError, WeightsError."""
    return _channel_effects(place, place.key, place.truth_key, block, tuple(channels))


@st.cache_resource(max_entries=4, show_spinner=False)
def _answer(_place: Place, key: tuple[str, ...]) -> Answer:
    network = cached.network(_place.card.name, _place.card.sha256)
    found = answer(_place.scan, network, _place.card, _place.plane, _place.index)
    for array in (found.labels, found.probabilities):
        array.setflags(write=False)  # one for all sessions
    return found


def fingerprint(changes: Mapping[str, Change]) -> str:
    """Changes as a text that is the same for the same changes, those of a region by the content of its mask."""
    parts: list[tuple[object, ...]] = []
    for block, change in changes.items():
        region = change.spatial_gate
        if isinstance(region, Region):
            mask = hashlib.sha256(region.mask.numpy().tobytes()).hexdigest()
            parts.append((block, mask, region.value, replace(change, spatial_gate=None)))
        else:
            parts.append((block, change))
    return repr(parts)


def _before(place: Place) -> Answer:
    return _answer(place, place.key)


def _effect(place: Place, before: Answer, after: Answer) -> Effect:
    return Effect(
        changed_share(before.labels, after.labels),
        moved_probability(before.probabilities, after.probabilities),
        _dice(place, before) - _dice(place, after),
    )


def _dice(place: Place, found: Answer) -> float:
    if place.truth is None or not place.groups:
        return float("nan")
    return mean_label_dice(in_groups(found.labels, place.groups), place.truth, [group.label for group in place.groups])
