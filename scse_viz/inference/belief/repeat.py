"""Are gates the same on two scans of one subject, and with another seed? Against other subjects, or other slices."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from scse_viz.analysis.belief.repeatability import likeness
from scse_viz.attention import record
from scse_viz.inference.belief.believe import MAP, Readout, arrays_of
from scse_viz.inference.belief.case import DARK
from scse_viz.inference.inputs import one_image, prepared_slice
from scse_viz.scans import Scan, ScanError, ScanSlice, slice_grid
from scse_viz.system.devices import on_device
from scse_viz.zoo import Card

LEAST_OVERLAP = 0.5
"""The share of a scan's voxels that a registered one must cover."""


@dataclass(frozen=True, eq=False)
class Retest:
    """Two scans of one subject, and scans of other subjects, all on the grid of the first."""

    first: Scan
    second: Scan
    others: Sequence[Scan] = ()


@dataclass(frozen=True)
class Repeated:
    """How alike one gate is, -1 to 1 and nan where nothing was compared, as means over slices.

    `within` the two scans of one subject, `between` this subject and others (or, without others, other slices of the
    second scan), `seeds` the maps of networks trained with other seeds on the first scan.
    """

    within: float
    between: float
    seeds: float = float("nan")


def registered(scan: Scan, onto: Scan) -> Scan:
    """A scan brought to the grid of another by their affines alone, trilinear, 0 where it has no voxels.

    Raises ScanError for scans whose files do not say where they are, and where less than half of the grid is covered.
    """
    for given in (scan, onto):
        if not given.oriented:
            raise ScanError(
                f"{given.name}: does not say where it lies in space, so it cannot be registered; give NIfTI"
            )
    back = np.linalg.inv(scan.affine) @ onto.affine
    sides = np.array(scan.voxels.shape, dtype=np.float64)
    x, y, z = (np.arange(side, dtype=np.float64) for side in onto.voxels.shape)
    coordinates = [
        back[axis, 0] * x[:, None, None] + back[axis, 1] * y[:, None] + back[axis, 2] * z + back[axis, 3]
        for axis in range(3)
    ]
    covered = np.all(
        [(along >= 0) & (along <= side - 1) for along, side in zip(coordinates, sides, strict=True)], axis=0
    )
    if covered.mean() < LEAST_OVERLAP:
        raise ScanError(
            f"{scan.name}: by its affine it covers {covered.mean():.0%} of {onto.name}; register the two scans first"
        )
    unit = [2 * along / max(1, side - 1) - 1 for along, side in zip(coordinates, sides, strict=True)]
    grid = torch.from_numpy(np.stack(unit[::-1], axis=-1).astype(np.float32))[None]
    values = torch.from_numpy(np.ascontiguousarray(scan.voxels))[None, None]
    voxels = F.grid_sample(values, grid, mode="bilinear", align_corners=True)[0, 0].numpy()
    voxels.setflags(write=False)
    digest = hashlib.sha256(f"{scan.digest} {onto.digest}".encode()).hexdigest()
    return replace(onto, name=scan.name, voxels=voxels, digest=digest, notes=(*scan.notes, "registered by its affine"))


def repeated(
    retest: Retest, model: nn.Module, card: Card, plane: str, indices: Sequence[int], seeds: Sequence[nn.Module] = ()
) -> dict[Readout, Repeated]:
    """Compare every gate on the same slices of two scans of one subject.

    seeds: the same network trained with other seeds, of which maps alone are compared, since their channels have no
    common order. Raises ScanError as `inference.segment_slice`.
    """
    model, seeds = on_device(model, "cpu"), [on_device(seed_model, "cpu") for seed_model in seeds]
    within: dict[Readout, list[float]] = {}
    between: dict[Readout, list[float]] = {}
    across: dict[Readout, list[float]] = {}
    count = slice_grid(retest.first, plane).count
    for index in indices:
        first, second = retest.first.slice(plane, index), retest.second.slice(plane, index)
        reference, head = _readouts(first, model, card)
        same, _ = _readouts(second, model, card)
        distant = [retest.second.slice(plane, far % count) for far in (index + count // 4, index - count // 4)]
        unlike = [scan.slice(plane, index) for scan in retest.others] or distant
        rivals = [_readouts(scan_slice, model, card)[0] for scan_slice in unlike]
        trained = [_readouts(first, seed_model, card)[0] for seed_model in seeds]
        for gate, values in reference.items():
            within.setdefault(gate, []).append(likeness(values, same[gate], head))
            between.setdefault(gate, []).extend(likeness(values, rival[gate], head) for rival in rivals)
            if gate[1] == MAP:
                across.setdefault(gate, []).extend(likeness(values, rival[gate], head) for rival in trained)
    return {gate: Repeated(_mean(within, gate), _mean(between, gate), _mean(across, gate)) for gate in within}


def _readouts(scan_slice: ScanSlice, model: nn.Module, card: Card) -> tuple[dict[Readout, np.ndarray], np.ndarray]:
    """The maps (h, w) and weights (C,) of one slice, and the pixels that are not air."""
    x = one_image(prepared_slice(scan_slice, card), "a comparison")
    height, width = x.shape[-2:]
    head = (x[0].amax(dim=0) > DARK).numpy()
    return arrays_of(record(model, x), (height, width)), head if head.any() else np.ones_like(head)


def _mean(by_gate: Mapping[Readout, Sequence[float]], gate: Readout) -> float:
    defined = [value for value in by_gate.get(gate, ()) if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")
