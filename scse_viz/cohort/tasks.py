"""One scan through one network on a worker: volumes, Dice, and its gates by block and structure."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from scse_viz import __version__, zoo
from scse_viz.analysis.gates import EDGE, BlockGates
from scse_viz.analysis.grids import areas, map_span
from scse_viz.analysis.health import Observation, diagnose, observe
from scse_viz.analysis.segmentation import dice, volumes_ml
from scse_viz.analysis.structures import LEAST_PIXELS
from scse_viz.cohort.entries import Entry
from scse_viz.inference import SliceResult, segment_slices
from scse_viz.inference.health import evenly_spaced
from scse_viz.scans import Scan, ScanError, read_labels, read_scan, slice_grid, volume_of
from scse_viz.zoo import Card, WeightsError

WHOLE = "all"  # in place of a structure: a gate over the whole slice
PACKAGES = ("torch", "numpy", "nibabel")


@dataclass(frozen=True)
class ScanTask:
    """A scan and a network; slices: how many of the plane, evenly spaced, None for all; maps: folder for its maps."""

    entry: Entry
    model: str
    models: Path | None
    sha256: str  # of the network's weights
    plane: str | None = None
    slices: int | None = None
    maps: Path | None = None

    @property
    def key(self) -> str:
        """What its result depends on, hashed: files with their sizes and times, network, options, and version."""
        files = []
        for path in (self.entry.path, self.entry.labels):
            if path is not None:
                stat = path.stat() if path.is_file() else None
                files.append((str(path.absolute()), stat and (stat.st_size, stat.st_mtime_ns)))
        facts = sorted(self.entry.facts.items())
        said = (files, facts, self.model, self.sha256, self.plane, self.slices, self.maps is not None, __version__)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def measure(task: ScanTask) -> dict[str, Any]:
    """A task -> its record, plain values only; a file that cannot be read gives a record with `error`, a sentence."""
    start = time.perf_counter()
    torch.set_num_threads(1)
    record = {
        "key": task.key,
        "path": str(task.entry.path.absolute()),
        "labels": None if task.entry.labels is None else str(task.entry.labels.absolute()),
        "facts": dict(task.entry.facts),
        "model": task.model,
        "model_sha256": task.sha256,
        "versions": {"scse-viz": __version__} | {package: metadata.version(package) for package in PACKAGES},
    }
    try:
        found: dict[str, Any] = {"error": None, **_measured(task)}
    except (ScanError, WeightsError, OSError, MemoryError) as error:
        found = {"error": str(error) or "needs more memory than the worker has; crop or downsample the scan"}
    return {**record, **found, "seconds": time.perf_counter() - start}


@lru_cache(maxsize=4)
def _network(name: str, folder: Path | None, sha256: str) -> tuple[Card, nn.Module]:
    """A network of the zoo, loaded once by a worker; raises WeightsError where it is another than was asked for."""
    card = zoo.read_card(name, folder)
    if card.sha256 != sha256:
        raise WeightsError(f"{name}: other weights on the worker than on the client; install the same ones on both")
    return card, zoo.load(name, folder)


def _measured(task: ScanTask) -> dict[str, Any]:
    card, model = _network(task.model, task.models, task.sha256)
    scan = read_scan(task.entry.path)
    reference = None if task.entry.labels is None else read_labels(task.entry.labels, scan)
    plane = _plane(scan, card, task.plane)
    grid = slice_grid(scan, plane)
    indices = range(grid.count) if task.slices is None else evenly_spaced(scan, plane, task.slices)
    sums = _Sums(len(card.structures), (grid.row_mm, grid.column_mm))
    labels = np.zeros((grid.count, grid.height, grid.width), np.uint8)
    maps: dict[str, list[np.ndarray]] = {}
    for index, result in segment_slices(scan, model, card, plane, indices=indices):
        labels[index] = result.labels
        sums.add(result)
        if task.maps is not None:
            for block, gates in result.gates.items():
                if gates.map is not None:
                    maps.setdefault(block, []).append(gates.map.astype(np.float16))
    if task.maps is not None and maps:
        task.maps.mkdir(parents=True, exist_ok=True)
        stacked: dict[str, Any] = {block: np.stack(each) for block, each in maps.items()}
        np.savez_compressed(task.maps / f"{task.key}.npz", slices=np.array(indices), **stacked)
    whole = len(indices) == grid.count
    names = [structure.name for structure in card.structures]
    scores = _dice(volume_of(labels, plane), reference, plane, indices, len(names))
    voxel_mm3 = float(abs(np.linalg.det(scan.affine[:3, :3])))
    return {
        "scan": scan.name,
        "digest": scan.digest,
        "notes": list(scan.notes),
        "plane": plane,
        "slices": len(indices),
        "volume_ml": dict(zip(names, map(float, volumes_ml(labels, voxel_mm3, len(names))), strict=True))
        if whole
        else {},
        "dice": {name: float(score) for name, score in zip(names, scores, strict=True) if np.isfinite(score)},
        "gates": list(sums.rows(names)),
    }


def _plane(scan: Scan, card: Card, wanted: str | None) -> str:
    shared = [plane for plane in scan.planes if plane in card.planes]
    plane = wanted or ("axial" if "axial" in shared else next(iter(shared), ""))
    if plane not in shared:
        raise ScanError(
            f"{scan.name}: {', '.join(scan.planes) or 'no'} slices, and {card.name} was trained on "
            f"{', '.join(card.planes)} ones; choose a plane of both"
        )
    return plane


def _dice(predicted: np.ndarray, reference: np.ndarray | None, plane: str, indices: Any, classes: int) -> np.ndarray:
    """Dice of every class but the background over the slices that were run, nan for those that the labels lack."""
    if reference is None:
        return np.full(classes, np.nan)
    if reference.min() < 0 or reference.max() >= classes:
        raise ScanError(
            f"labels {reference.min()} to {reference.max()}; give labels in the network's, 0 to {classes - 1}"
        )
    axis = ("sagittal", "coronal", "axial").index(plane)
    predicted, reference = (np.take(each, list(indices), axis) for each in (predicted, reference))
    given = np.bincount(reference.ravel(), minlength=classes) > 0
    given[0] = False
    return np.where(given, dice(predicted.astype(np.int32), reference, classes), np.nan)


class _Sums:
    """What is kept of the gates of all slices; classes K, slice_mm of a pixel of labels (row, column)."""

    def __init__(self, classes: int, slice_mm: tuple[float, float]) -> None:
        self.classes, self.slice_mm = classes, slice_mm
        self.by_structure: dict[str, np.ndarray] = {}  # block -> (4, K): area, and sums of gate, square and saturation
        self.observed: dict[tuple[str, str], list[Observation]] = {}
        self.pixels = np.zeros(classes, np.int64)

    def add(self, result: SliceResult) -> None:
        self.pixels += np.bincount(result.labels.ravel(), minlength=self.classes)
        covered: dict[Any, np.ndarray] = {}
        for block, gates in result.gates.items():
            for kind in gates.kinds:
                self.observed.setdefault((block, kind), []).append(_observed(gates, kind))
            gate = gates.pixel_gate
            if gate is None:
                continue
            place = gate.shape, map_span(gates, self.slice_mm)
            if place not in covered:
                covered[place] = areas(result.labels, self.classes, *place)
            values = np.stack([np.ones_like(gate), gate, gate**2, (gate <= EDGE) | (gate >= 1 - EDGE)]).astype(float)
            sums = np.einsum("khw,nhw->nk", covered[place], values)
            self.by_structure[block] = self.by_structure.get(block, 0) + sums

    def rows(self, names: list[str]) -> Iterator[dict[str, Any]]:
        """A row for a gate over whole slices, and for a spatial gate in each structure of LEAST_PIXELS or more."""
        for (block, kind), seen in self.observed.items():
            found = diagnose({"": seen})
            weights = [each.weights for each in seen if each.weights is not None]
            yield {
                "block": block, "gate": kind, "structure": WHOLE, "mean": found.mean, "spread": found.spread_within,
                "saturation": found.saturation, "spread_slices": found.spread_slices,
                "health": found.verdict.name.lower().replace("_", " "),
                "weights": np.mean(weights, axis=0).astype(float).tolist() if weights else None,
            }  # fmt: skip
            if kind == "channel_gate" or block not in self.by_structure:
                continue
            area, total, squares, saturated = self.by_structure[block]
            for number in np.flatnonzero((self.pixels >= LEAST_PIXELS) & (area > 0)):
                mean = total[number] / area[number]
                yield {
                    "block": block, "gate": kind, "structure": names[number], "mean": float(mean),
                    "spread": float(max(squares[number] / area[number] - mean**2, 0) ** 0.5),
                    "saturation": float(saturated[number] / area[number]), "spread_slices": None, "health": None,
                    "weights": None,
                }  # fmt: skip


def _observed(gates: BlockGates, kind: str) -> Observation:
    return observe(getattr(gates, kind))


def written(record: Mapping[str, Any], folder: Path) -> None:
    """Writes a record as its part, whole or not at all; the same task writes the same file."""
    path = folder / f"{record['key']}.json"
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(record), encoding="utf-8")
    beside.replace(path)
