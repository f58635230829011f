"""One scan through one network on a worker: volumes, Dice, and its gates by block and structure."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from scse_viz import __version__, zoo
from scse_viz.analysis.segmentation import dice, volumes_ml
from scse_viz.cohort.entries import CohortError, Entry
from scse_viz.cohort.gates import GateSums
from scse_viz.inference import segment_slices
from scse_viz.inference.health import evenly_spaced
from scse_viz.scans import Scan, ScanError, read_labels, read_scan, slice_grid, volume_of
from scse_viz.zoo import Card, WeightsError

PACKAGES = ("torch", "numpy", "nibabel")
FileState = tuple[int, int] | str | None
"""Size and time of change of a file; one hash of those of all files in a folder; None for what is not there."""
FileStates = list[tuple[str, FileState]]


@dataclass(frozen=True)
class ScanTask:
    """A scan and a network; slices: how many of the plane, evenly spaced, None for all; maps: folder for its maps.

    `files`, `version` and `key` are those of the client that made the task, and stay the same on a worker.
    """

    entry: Entry
    model: str
    models: Path | None
    sha256: str  # of the network's weights
    plane: str | None = None
    slices: int | None = None
    maps: Path | None = None
    files: FileStates = field(init=False, repr=False)
    version: str = field(init=False)
    key: str = field(init=False)
    """What its result depends on, hashed: files with their sizes and times, network, options, and version."""

    def __post_init__(self) -> None:
        files, facts = _files(self.entry), sorted(self.entry.facts.items())
        said = (files, facts, self.model, self.sha256, self.plane, self.slices, self.maps is not None, __version__)
        key = hashlib.sha256(repr(said).encode()).hexdigest()[:32]
        for name, value in {"files": files, "version": __version__, "key": key}.items():
            object.__setattr__(self, name, value)


def _files(entry: Entry) -> FileStates:
    """The files of an entry as they are on this machine now."""
    return [(str(path.absolute()), _state(path)) for path in (entry.path, entry.labels) if path is not None]


def _state(path: Path) -> FileState:
    try:
        if path.is_dir():
            inside = [(str(file.relative_to(path)), _size_and_time(file)) for file in sorted(path.rglob("*"))]
            return hashlib.sha256(repr(inside).encode()).hexdigest()
        return _size_and_time(path)
    except OSError:  # reading it says why
        return None


def _size_and_time(path: Path) -> tuple[int, int] | None:
    stat = path.stat() if path.is_file() else None
    return stat and (stat.st_size, stat.st_mtime_ns)


def measure(task: ScanTask) -> dict[str, Any]:
    """A task -> its record, plain values only; a file that cannot be read gives a record with `error`, a sentence.

    Raises CohortError where the record would not be what the key of the task says.
    """
    start = time.perf_counter()
    torch.set_num_threads(1)
    if task.version != __version__:
        raise CohortError(
            f"{task.entry.path.name}: scse-viz {__version__} on the worker and {task.version} on the client; "
            "install the same on both"
        )
    _check_files(task)
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
        outcome: dict[str, Any] = {"error": None, **_measured(task)}
    except (ScanError, WeightsError, OSError, MemoryError) as error:
        outcome = {"error": str(error) or "needs more memory than the worker has; crop or downsample the scan"}
    _check_files(task)  # again: a file may change while it is read
    return {**record, **outcome, "seconds": time.perf_counter() - start}


def _check_files(task: ScanTask) -> None:
    """Raises CohortError where a file is another one here and now than the client saw."""
    for here, there in zip(_files(task.entry), task.files, strict=True):
        if here != there:
            raise CohortError(
                f"{there[0]}: another size or time than on the client when the run began; run the same command again, "
                "where client and workers see the same files"
            )


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
    names = [structure.name for structure in card.structures]
    sums = GateSums(names, (grid.row_mm, grid.column_mm))
    labels = np.zeros((grid.count, grid.height, grid.width), np.uint8)
    maps: dict[str, list[np.ndarray]] = {}
    for index, result in segment_slices(scan, model, card, plane, indices=indices):
        labels[index] = result.labels
        sums.add(result)
        for block, gates in result.gates.items() if task.maps is not None else ():
            if gates.pixel_gate is not None:
                maps.setdefault(block, []).append(gates.pixel_gate.astype(np.float16))
    if task.maps is not None and maps:
        _check_files(task)  # before anything is written under its key
        _keep_maps(task.maps / f"{task.key}.npz", maps, indices)
    whole = len(indices) == grid.count
    scores = _dice(volume_of(labels, plane), reference, plane, indices, len(names))
    volumes = volumes_ml(labels, float(abs(np.linalg.det(scan.affine[:3, :3]))), len(names))
    return {
        "scan": scan.name,
        "digest": scan.digest,
        "notes": list(scan.notes),
        "plane": plane,
        "slices": len(indices),
        "volume_ml": dict(zip(names[1:], map(float, volumes[1:]), strict=True)) if whole else {},
        "dice": {name: float(score) for name, score in zip(names, scores, strict=True) if np.isfinite(score)},
        "gates": list(sums.rows()),
    }


def _keep_maps(file: Path, maps: Mapping[str, list[np.ndarray]], indices: Sequence[int]) -> None:
    """Writes the gates of each block (N, h, w), at the resolution of its stage, with the numbers of their slices."""
    file.parent.mkdir(parents=True, exist_ok=True)
    stacked: dict[str, Any] = {block: np.stack(stack) for block, stack in maps.items()}
    np.savez_compressed(file, slices=np.array(indices), **stacked)


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
    predicted, reference = (np.take(labels, list(indices), axis) for labels in (predicted, reference))
    given = np.bincount(reference.ravel(), minlength=classes) > 0
    given[0] = False
    return np.where(given, dice(predicted.astype(np.int32), reference, classes), np.nan)


def written(record: Mapping[str, Any], folder: Path) -> None:
    """Writes a record as its part, whole or not at all; the same task writes the same file."""
    path = folder / f"{record['key']}.json"
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(record), encoding="utf-8")
    beside.replace(path)
