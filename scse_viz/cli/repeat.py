"""`scse-viz repeat`: whether gates are the same on two scans of one subject."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from scse_viz.cli.common import PLANES, Commands, UsageError, add_models_option, folder_of
from scse_viz.cli.segment import plane_of

if TYPE_CHECKING:  # at run time imported where they are used, so that `--help` need not wait for torch
    from scse_viz.inference.belief.repeat import Repeated

DESCRIPTION = """\
Run a network on the same slices of two scans of one subject, registered by their affines, and correlate every gate:
Pearson's r of maps over the head, Spearman's rho of channel weights. Beside it the same against other subjects, or
without --others against other slices: a gate tells subjects apart only if it is much more alike within a subject.
"""


def add_parser(commands: Commands) -> None:
    """Add the command with its options."""
    repeat: argparse.ArgumentParser = commands.add_parser(
        "repeat",
        help="compare the gates of a network on two scans of one subject",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    repeat.add_argument("model", metavar="MODEL", help="a network that `scse-viz models` lists")
    repeat.add_argument("first", type=Path, metavar="A", help="a scan")
    repeat.add_argument("second", type=Path, metavar="B", help="another scan of the same subject, in the same space")
    repeat.add_argument("--others", nargs="+", type=Path, default=[], metavar="SCAN", help="scans of other subjects")
    repeat.add_argument(
        "--seeds", nargs="+", type=Path, default=[], metavar="DIR", help="folders of the network with other seeds"
    )
    repeat.add_argument("--plane", choices=PLANES, help="default: as `scse-viz segment`")
    repeat.add_argument("--slices", type=int, default=8, metavar="N", help="slices, evenly spaced (default 8)")
    repeat.add_argument("--out", type=Path, metavar="FILE", help="a JSON file for the numbers")
    add_models_option(repeat)
    repeat.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Compare, print one line per gate, and write the numbers."""
    from scse_viz import zoo
    from scse_viz.inference.belief.repeat import Retest, registered, repeated
    from scse_viz.inference.health import evenly_spaced
    from scse_viz.scans import read_scan

    if options.slices < 1:
        raise UsageError(f"--slices {options.slices}: compare at least 1")
    folder = folder_of(options.models)
    card = zoo.read_card(options.model, folder)
    model = zoo.load(card.name, folder)
    first = read_scan(options.first)
    second, *others = (registered(read_scan(path), first) for path in (options.second, *options.others))
    plane = plane_of(first, card, options.plane)
    indices = evenly_spaced(first, plane, options.slices)
    seeds = [zoo.load(card.name, weights_folder) for weights_folder in options.seeds]
    compared = repeated(Retest(first, second, others), model, card, plane, indices, seeds)
    if not compared:
        raise UsageError(f"{card.name}: no gate ran, so there is nothing to compare")
    _print(compared, "other subjects" if others else "other slices")
    if options.out is not None:
        facts = {"model": card.name, "model_sha256": card.sha256, "plane": plane, "slices": indices}
        _write(options.out, compared, facts)


def _print(compared: Mapping[tuple[str, str], Repeated], rivals: str) -> None:
    print(f"{'block':12} {'gate':8} {'same subject':>12} {rivals:>14} {'other seeds':>12}")
    for (block, kind), repeated in compared.items():
        numbers = [
            "-" if math.isnan(value) else f"{value:.3f}"
            for value in (repeated.within, repeated.between, repeated.seeds)
        ]
        print(f"{block:12} {kind:8} {numbers[0]:>12} {numbers[1]:>14} {numbers[2]:>12}")


def _write(path: Path, compared: Mapping[tuple[str, str], Repeated], facts: Mapping[str, object]) -> None:
    rows = [
        {"block": block, "kind": kind}
        | {name: None if math.isnan(value) else value for name, value in vars(repeated).items()}
        for (block, kind), repeated in compared.items()
    ]
    try:
        path.write_text(json.dumps({**facts, "gates": rows}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written, {error.strerror}; choose another file") from error
