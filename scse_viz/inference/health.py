"""The health of every gate of a network: its slices observed, and what switching it off does to the prediction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from scse_viz.analysis.ablation import changed_share
from scse_viz.analysis.gates import GATE_KINDS, BlockGates
from scse_viz.analysis.health import AblationEffect, Diagnosis, Observation, diagnose, observe
from scse_viz.analysis.segmentation import dice
from scse_viz.attention import Inputs, Recording, find_sites
from scse_viz.inference.inputs import Prepared, accepted, prepared_slice, resampled
from scse_viz.inference.resumption import sweep_changes
from scse_viz.inference.slices import changed_pass, results_of
from scse_viz.intervention import Change, Off
from scse_viz.recording.sites import Site
from scse_viz.scans import Scan, ScanSlice, slice_grid
from scse_viz.scans.samples import Group, in_groups
from scse_viz.system.devices import beside
from scse_viz.zoo import Card

Gate = tuple[str, str]
"""A gate: its block, and its kind, one of GATE_KINDS."""
SWITCHED_OFF = {
    "channel_gate": Change(channel_gate=Off()),
    "spatial_gate": Change(spatial_gate=Off()),
    "full_gate": Change(full_gate=Off()),
}


@dataclass(frozen=True, eq=False)
class Examined:
    """A scan to examine a network on, with its labels (X, Y, Z) in the network's class numbers where there are any."""

    scan: Scan
    labels: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class SliceExam:
    """One slice: what was observed of every gate that ran, and what switching each off did."""

    observations: Mapping[Gate, Observation]
    effects: Mapping[Gate, AblationEffect]


def gates_of(model: nn.Module, x: Inputs | None = None) -> tuple[Gate, ...]:
    """The gates that a network has, block by block in their order, whether they run or not.

    Without an input x (1, C, h, w), only those of ours and of known layouts; see `find_sites`.
    """
    return tuple(
        (name, kind)
        for name, site in find_sites(model, x).items()
        for kind in GATE_KINDS
        if getattr(site, kind) is not None
    )


def evenly_spaced(scan: Scan, plane: str, count: int) -> list[int]:
    """Indices of at most `count` slices of a plane, spread evenly over it without its two ends."""
    total = slice_grid(scan, plane).count
    return (
        sorted({int((number + 0.5) * total / count) for number in range(count)})
        if count < total
        else list(range(total))
    )


def examine_slice(
    scan_slice: ScanSlice,
    model: nn.Module,
    card: Card,
    labels: np.ndarray | None = None,
    groups: Sequence[Group] = (),
) -> SliceExam:
    """Observe every gate on one slice, then switch each off alone.

    labels (H, W) are in the network's class numbers, or in those of the groups where there are some.
    Two passes for the slice and part of one for each gate; a gate that is 1 everywhere takes none. Raises as
    `inference.segment_slice`.
    """
    inputs = prepared_slice(scan_slice, card)
    recording = changed_pass(model, inputs, {})
    before = next(results_of(recording, scan_slice.grid, card))
    observations = observed(before.gates)
    dice_before = float("nan") if labels is None else _dice(before.labels, labels, groups)
    effects = {gate: AblationEffect(0.0, dice_before - dice_before) for gate in observations}
    closed = [gate for gate in observations if (getattr(before.gates[gate[0]], gate[1]) != 1).any()]
    for gate, logits in _without_each(model, inputs, closed, recording.sites):
        after = resampled(logits, before.labels.shape).argmax(dim=1)[0].numpy()
        dice_after = float("nan") if labels is None else _dice(after, labels, groups)
        effects[gate] = AblationEffect(changed_share(before.labels, after), dice_before - dice_after)
    return SliceExam(observations, effects)


def observed(gates: Mapping[str, BlockGates]) -> dict[Gate, Observation]:
    """The gates of one slice by block -> what is observed of each, without switching any off."""
    return {
        (block, kind): observe(getattr(of_block, kind)) for block, of_block in gates.items() for kind in of_block.kinds
    }


def examine(
    scans: Sequence[Examined], model: nn.Module, card: Card, plane: str, *, slices: int = 12
) -> Iterator[tuple[str, int, SliceExam]]:
    """Examine `slices` slices of a plane of every scan, evenly spaced: yields the scan's name, the slice, its exam."""
    for examined in scans:
        for index in evenly_spaced(examined.scan, plane, slices):
            scan_slice = examined.scan.slice(plane, index)
            labels = None if examined.labels is None else scan_slice.cut(examined.labels)
            yield examined.scan.name, index, examine_slice(scan_slice, model, card, labels)


def diagnoses(exams: Sequence[tuple[str, SliceExam]], gates: Sequence[Gate]) -> dict[Gate, Diagnosis]:
    """Exams by the name of their scan -> a diagnosis of every gate, the worst verdict first."""
    by_gate = {}
    for gate in gates:
        seen: dict[str, list[Observation]] = {}
        for scan, exam in exams:
            if gate in exam.observations:
                seen.setdefault(scan, []).append(exam.observations[gate])
        effects = [exam.effects[gate] for _, exam in exams if gate in exam.effects]
        by_gate[gate] = diagnose(seen, _mean_effect(effects))
    return dict(sorted(by_gate.items(), key=lambda entry: entry[1].verdict))


def _without_each(
    model: nn.Module, inputs: Prepared, gates: Sequence[Gate], sites: Mapping[str, Site]
) -> Iterator[tuple[Gate, Tensor]]:
    """Each of some gates, and the logits (1, classes, rows, columns) of the slice without it."""
    changes = [(block, SWITCHED_OFF[kind]) for block, kind in gates]
    with accepted(inputs):
        outputs = sweep_changes(model, beside(inputs.x, model), changes, sites=sites)
        for gate, output in zip(gates, outputs, strict=True):
            yield gate, inputs.joined(Recording(output, {})).output


def _mean_effect(effects: Sequence[AblationEffect]) -> AblationEffect | None:
    """The mean over slices; of Dice over those slices that have labels."""
    if not effects:
        return None
    lost = [effect.dice_lost for effect in effects if not np.isnan(effect.dice_lost)]
    changed = float(np.mean([effect.changed for effect in effects]))
    return AblationEffect(changed, float(np.mean(lost)) if lost else float("nan"))


def _dice(predicted: np.ndarray, labels: np.ndarray, groups: Sequence[Group]) -> float:
    """The mean over the structures that the labels of the slice hold; nan where they hold none."""
    predicted = in_groups(predicted, groups) if groups else predicted
    numbers = [int(number) for number in np.unique(labels) if number]
    scores = dice(predicted, labels, 1 + int(max(predicted.max(), labels.max())))[numbers]
    return float(scores.mean()) if numbers else float("nan")
