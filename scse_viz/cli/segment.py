"""`scse-viz segment`: segment every slice of a scan and record the gates."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scse_viz import __version__
from scse_viz.cli.common import PLANES, Commands, UsageError, add_device_option, add_models_option
from scse_viz.cli.networks import add_network_options, chosen_network

if TYPE_CHECKING:  # at run time imported where they are used, so that `--help` need not wait for torch
    import numpy as np
    from torch import nn

    from scse_viz.scans import Scan
    from scse_viz.zoo import Card


def add_parser(commands: Commands) -> None:
    """Add the command with its options."""
    segment: argparse.ArgumentParser = commands.add_parser(
        "segment",
        help="segment every slice of a scan and record the gates",
        description="Segment every slice of a plane of a scan. Writes segmentation.nii.gz (class numbers on the "
        "scan's own grid), classes.json, attention.npz (all gates, float16) and summary.json.",
    )
    segment.add_argument(
        "scan",
        nargs="+",
        type=Path,
        metavar="SCAN",
        help="NIfTI, MGH, Analyze, DICOM, PNG, JPEG, TIFF or .npy; several, or a 4-D file, for a multi-channel network",
    )
    segment.add_argument(
        "--model",
        metavar="NAME",
        help="a network that `scse-viz models` lists, or one of segmentation_models_pytorch: a folder or .zip of "
        "save_pretrained, or a file of weights",
    )
    segment.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    segment.add_argument(
        "--plane", choices=PLANES, help="default: axial if scan and network have it, else the first that both have"
    )
    segment.add_argument("--labels", type=Path, metavar="FILE", help="reference labels on the scan's grid, for Dice")
    segment.add_argument("--volume", type=int, metavar="N", help="which volume of a 4-D image, from 0")
    add_models_option(segment)
    add_device_option(segment)
    add_network_options(segment)
    segment.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Segment the scan and write the results."""
    import nibabel as nib
    import numpy as np

    from scse_viz.scans import read_labels
    from scse_viz.system.devices import device_named, on_device

    device = device_named(options.device)
    card, model, notes = chosen_network(options)
    scan = _scan(options.scan, options.volume, card)
    plane = plane_of(scan, card, options.plane)
    reference = None
    if options.labels is not None:
        reference = read_labels(options.labels, scan)
        last = len(card.structures) - 1
        if reference.min() < 0 or reference.max() > last:
            raise UsageError(
                f"{options.labels.name}: numbers {reference.min()} to {reference.max()}; {card.name} has classes 0 to "
                f"{last}, give labels in its numbers"
            )
    with _results(options.out):
        pass  # refuse a folder that cannot be written now, not after minutes
    for note in notes:
        print(f"{card.name}: {note}", file=sys.stderr)
    labels, gates, pixel_mm = _segmented(scan, on_device(model, device), card, plane)
    with _results(options.out) as out:
        nib.save(scan.to_file_grid(labels), out / "segmentation.nii.gz")
        np.savez_compressed(out / "attention.npz", **gates)
        _write_json(out / "classes.json", {structure.number: structure.name for structure in card.structures})
        _write_json(out / "summary.json", _summary(scan, card, plane, pixel_mm, labels, reference))


def _scan(paths: Sequence[Path], volume: int | None, card: Card) -> Scan:
    """The scan of a file, or of several as the channels of a network that has as many."""
    from scse_viz.scans import read_channels, read_scan, stacked

    if len(paths) > 1 and not card.channels:
        raise UsageError(f"{len(paths)} scans, and {card.name} sees one at a time; give one")
    if len(paths) > 1:
        return stacked([read_scan(path, volume=volume) for path in paths])
    if card.channels and volume is None:
        return read_channels(paths[0], most=len(card.channels))
    return read_scan(paths[0], volume=volume)


@contextmanager
def _results(folder: Path) -> Iterator[Path]:
    """A temporary folder whose files move to `folder` together at the end: an interruption leaves the old results.

    Raises UsageError where the folder cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".scse-viz-", dir=folder) as temporary:
            yield Path(temporary)
            for path in sorted(Path(temporary).iterdir()):
                path.replace(folder / path.name)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written, {error.strerror}; choose another folder") from error


def _segmented(
    scan: Scan, model: nn.Module, card: Card, plane: str
) -> tuple[np.ndarray, dict[str, Any], tuple[float, float]]:
    """Every slice of a plane: class numbers (X, Y, Z), gates (N, ...) float16 by name, mm of an input pixel."""
    import numpy as np
    from tqdm import tqdm

    from scse_viz.analysis.gates import named_arrays
    from scse_viz.inference import segment_slices
    from scse_viz.scans import slice_grid, volume_of

    grid = slice_grid(scan, plane)
    labels = np.empty((grid.count, grid.height, grid.width), dtype=np.uint8)
    gates: dict[str, Any] = {}
    pixel_mm = (0.0, 0.0)
    results = segment_slices(scan, model, card, plane)
    for index, result in tqdm(results, desc=f"{card.name}, {plane}", total=grid.count, unit="slice"):
        labels[index] = result.labels
        for name, gate in named_arrays(result.gates).items():
            if name not in gates:
                gates[name] = np.empty((grid.count, *gate.shape), dtype=np.float16)
            gates[name][index] = gate
        pixel_mm = result.pixel_mm
    return volume_of(labels, plane), gates, pixel_mm


def _summary(
    scan: Scan, card: Card, plane: str, pixel_mm: tuple[float, float], labels: np.ndarray, reference: np.ndarray | None
) -> dict[str, Any]:
    import numpy as np

    from scse_viz import analysis

    classes = len(card.structures)
    names = [structure.name for structure in card.structures]
    voxel_mm3 = float(abs(np.linalg.det(scan.affine[:3, :3])))
    volumes = analysis.volumes_ml(labels, voxel_mm3, classes)
    summary = {
        "scan": scan.name,
        "notes": list(scan.notes),
        "model": card.name,
        "model_sha256": card.sha256,
        "plane": plane,
        "input_pixel_mm": list(pixel_mm),
        "volume_ml": {name: round(float(volume), 3) for name, volume in zip(names, volumes, strict=True)},
    }
    if reference is not None:
        # Labels may cover a few structures only: a structure that they lack is not scored.
        given = np.bincount(reference.ravel(), minlength=classes) > 0
        scores = np.where(given, analysis.dice(labels, reference, classes), np.nan)
        summary["dice"] = {
            name: None if np.isnan(score) else round(float(score), 4)
            for name, score in zip(names[1:], scores[1:], strict=True)
        }
    summary["versions"] = {"scse-viz": __version__} | {
        package: metadata.version(package) for package in ("torch", "numpy", "nibabel")
    }
    return summary


def _write_json(path: Path, content: dict[Any, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def plane_of(scan: Scan, card: Card, wanted: str | None) -> str:
    """The plane of the slices; raises UsageError where scan and network do not share it, or share none."""
    shared = [plane for plane in scan.planes if plane in card.planes]
    if wanted is None and shared:
        return "axial" if "axial" in shared else shared[0]
    if wanted in shared:
        return wanted
    raise UsageError(
        f"{scan.name} has {', '.join(scan.planes) or 'no'} slices and {card.name} was trained on "
        f"{', '.join(card.planes)} ones; choose a plane of both"
    )
