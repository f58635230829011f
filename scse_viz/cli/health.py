"""`scse-viz health`: which gates of a network attend to the image, and which are constant, saturated or dead."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scse_viz.cli.common import PLANES, Commands, UsageError, add_device_option, add_models_option
from scse_viz.cli.networks import add_network_options, chosen_network
from scse_viz.cli.segment import plane_of

if TYPE_CHECKING:  # at run time imported where they are used, so that `--help` need not wait for torch
    from scse_viz.inference.health import Examined
    from scse_viz.zoo import Card

NOT_SCANS = (".json", ".txt", ".csv", ".tsv", ".md")
NUMBERS = ("slices", "mean", "spread_within", "spread_slices", "spread_scans", "saturation", "entropy", "shut")


def add_parser(commands: Commands) -> None:
    """Add the command with its options."""
    health: argparse.ArgumentParser = commands.add_parser(
        "health",
        help="show which gates of a network attend to the image",
        description="Record every gate of a network on slices of scans and switch each off in turn. Prints a verdict a "
        "gate, the worst first; with --out writes health.csv and health.json.",
    )
    health.add_argument(
        "model",
        metavar="MODEL",
        help="a network that `scse-viz models` lists, a folder or .zip of save_pretrained, or a file of weights; left "
        "out with --network",
    )
    health.add_argument("scans", nargs="*", type=Path, metavar="SCAN", help="scans, or folders of scans")
    health.add_argument(
        "--labels", type=Path, metavar="DIR", help="folder of label files named as the scans, in the network's numbers"
    )
    health.add_argument("--plane", choices=PLANES, help="default: as `scse-viz segment`")
    health.add_argument(
        "--slices", type=int, default=12, metavar="N", help="slices per scan, evenly spaced (default 12)"
    )
    health.add_argument("--out", type=Path, metavar="DIR", help="folder for health.csv and health.json")
    add_models_option(health)
    add_device_option(health)
    add_network_options(health)
    health.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Examine the network and report every gate."""
    from tqdm import tqdm

    from scse_viz.analysis.gates import GATE_KINDS
    from scse_viz.inference.health import diagnoses, evenly_spaced, examine, gates_of
    from scse_viz.inference.inputs import slice_input
    from scse_viz.system.devices import beside, device_named, on_device

    if options.slices < 1:
        raise UsageError(f"--slices {options.slices}: examine at least 1")
    if options.network is not None:  # what stands first is a scan
        options.model, options.scans = None, [Path(options.model), *options.scans]
    if not options.scans:
        raise UsageError("no scans; give scans, or folders of scans, after the network")
    device = device_named(options.device)
    card, model, notes = chosen_network(options)
    for note in notes:
        print(f"{card.name}: {note}", file=sys.stderr)
    if not set(GATE_KINDS) & set(card.gates):
        raise UsageError(f"{card.name}: has no gates to examine; choose a network with cSE, sSE or scSE blocks")
    scans = _read(files_of(options.scans), options.labels, card)
    plane = plane_of(scans[0].scan, card, options.plane)
    model = on_device(model, device)
    first = scans[0].scan.slice(plane, evenly_spaced(scans[0].scan, plane, 1)[0])
    gates = gates_of(model, beside(slice_input(first, card), model))
    total = sum(len(evenly_spaced(examined.scan, plane, options.slices)) for examined in scans)
    exams = [
        (name, exam)
        for name, _, exam in tqdm(
            examine(scans, model, card, plane, slices=options.slices), desc=card.name, total=total, unit="slice"
        )
    ]
    rows = [_row(gate, diagnosis) for gate, diagnosis in diagnoses(exams, gates).items()]
    _print(rows)
    if options.out is not None:
        _write(options.out, rows, {"model": card.name, "model_sha256": card.sha256, "plane": plane})


def files_of(given: Sequence[Path]) -> list[Path]:
    """The scans, those of folders by name; raises UsageError for a path that does not exist or an empty folder."""
    paths: list[Path] = []
    for path in given:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder; give scans, or folders of scans")
        if path.is_dir():
            inside = sorted(
                entry
                for entry in path.iterdir()
                if entry.is_file() and entry.suffix not in NOT_SCANS and entry.name[0] != "."
            )
            if not inside:
                raise UsageError(f"{path}: no scans in this folder; give one with scans in it")
            paths += inside
        else:
            paths.append(path)
    return paths


def _read(paths: Sequence[Path], labels: Path | None, card: Card) -> list[Examined]:
    from scse_viz.inference.health import Examined
    from scse_viz.scans import read_channels, read_labels, read_scan

    scans = []
    for path in paths:
        scan = read_channels(path, most=len(card.channels)) if card.channels else read_scan(path)
        reference = None
        if labels is not None:
            file = labels / path.name
            if not file.is_file():
                raise UsageError(f"{path.name}: no labels of this name in {labels}; add them, or leave --labels out")
            reference = read_labels(file, scan)
            last = len(card.structures) - 1
            if reference.min() < 0 or reference.max() > last:
                raise UsageError(
                    f"{file.name}: numbers {reference.min()} to {reference.max()}; {card.name} has classes 0 to "
                    f"{last}, give labels in its numbers"
                )
        scans.append(Examined(scan, reference))
    return scans


def _row(gate: tuple[str, str], diagnosis: Any) -> dict[str, Any]:
    effect = diagnosis.effect
    return {
        "block": gate[0],
        "gate": gate[1],
        "verdict": diagnosis.verdict.name.lower().replace("_", " "),
        **{name: _rounded(getattr(diagnosis, name)) for name in NUMBERS},
        "pixels_changed": _rounded(effect.changed if effect else None),
        "dice_lost": _rounded(effect.dice_lost if effect else None),
        "sentence": diagnosis.sentence,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, 5)


def _print(rows: Sequence[dict[str, Any]]) -> None:
    shown = [("block", "gate", "mean", "changed", "verdict")]
    for row in rows:
        changed = "-" if row["pixels_changed"] is None else f"{row['pixels_changed']:.1%}"
        mean = "-" if row["mean"] is None else f"{row['mean']:.3f}"
        shown.append(
            (row["block"], row["gate"].replace("_", " "), mean, changed, f"{row['verdict']}: {row['sentence']}")
        )
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for line in shown:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _write(folder: Path, rows: Sequence[dict[str, Any]], facts: dict[str, Any]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "health.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        (folder / "health.json").write_text(json.dumps({**facts, "gates": rows}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written, {error.strerror}; choose another folder") from error
