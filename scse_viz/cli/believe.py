"""`scse-viz believe`: whether the maps of a network can be believed, on labelled scans."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scse_viz.cli.common import PLANES, Commands, UsageError, add_models_option, folder_of
from scse_viz.cli.health import files_of

if TYPE_CHECKING:  # at run time imported where they are used, so that `--help` need not wait for torch
    import numpy as np
    from torch import nn

    from scse_viz.inference.belief import SliceCase, SliceTests
    from scse_viz.scans import Scan
    from scse_viz.zoo import Card
    from scse_viz.zoo.beliefs import BeliefResults

DESCRIPTION = """\
Test every gate of a network for a structure, each number beside what chance gives: is its map lost when weights are
redrawn; do predictions rest on the pixels that it marks; does it lie on the structure; is it the same when the slice is
moved, flipped or noisy. Without scans the labelled samples are used. The file is written after every scan, and a run
that was interrupted resumes.
"""
STRUCTURES = ("hippocampus", "thalamus")


def add_parser(commands: Commands) -> None:
    """Add the command with its options."""
    believe: argparse.ArgumentParser = commands.add_parser(
        "believe",
        help="test whether the maps of a network can be believed",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    believe.add_argument("model", metavar="MODEL", help="a network that `scse-viz models` lists")
    believe.add_argument("scans", nargs="*", type=Path, metavar="SCAN", help="scans, or folders of scans")
    believe.add_argument(
        "--labels", type=Path, metavar="DIR", help="folder of label files named as the scans (default: its predictions)"
    )
    believe.add_argument(
        "--malc", type=Path, metavar="DIR", help="the multi-atlas labelling challenge, for its 15 test heads"
    )
    believe.add_argument("--structures", nargs="+", metavar="NAME", help=f"default: {', '.join(STRUCTURES)}, or all")
    believe.add_argument("--blocks", nargs="*", metavar="NAME", help="remove pixels by these maps alone (default: all)")
    believe.add_argument("--plane", choices=PLANES, default="coronal", help="default: coronal")
    believe.add_argument("--slices", type=int, default=2, metavar="N", help="slices per scan and structure (default 2)")
    believe.add_argument("--out", type=Path, metavar="FILE", help="default: results/belief/MODEL.json of its folder")
    add_models_option(believe)
    believe.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Test the network on one scan after another, and print a verdict on every gate."""
    from scse_viz import zoo
    from scse_viz.inference.belief import case_of, slices_with
    from scse_viz.inference.belief.rows import rows_of
    from scse_viz.zoo.beliefs import FOLDER, write_belief

    if options.slices < 1:
        raise UsageError(f"--slices {options.slices}: use at least 1")
    folder = folder_of(options.models)
    card = zoo.read_card(options.model, folder)
    model = zoo.load(card.name, folder)
    numbers = _numbers(card, options.structures)
    blocks = [block.name for block in card.block_table] if options.blocks is None else options.blocks
    out = options.out or folder / FOLDER / f"{card.name}.json"
    results = _begun(out, card)
    for name, scan, labels in _labelled(options, card):
        labels = _predicted(scan, model, card, options.plane) if labels is None else labels
        for number in numbers:
            structure = card.structures[number].name
            if results.has(name, structure):
                continue
            shown = slices_with(labels, options.plane, number, options.slices)
            of_slices = (
                (index, case_of(scan.slice(options.plane, index), model, card, number, labels)) for index in shown
            )
            cases = {index: case for index, case in of_slices if case is not None}
            tested = _tested(list(cases.values()), model, blocks, f"{card.name}, {name}, {structure}")
            rows = rows_of(tested, structure=structure, scan=name, plane=options.plane, slices=list(cases))
            results = _stamped(results.with_rows(rows), tested[0].depths if tested else ())
            write_belief(out, results)
    if not results.rows:
        names = " or ".join(card.structures[number].name for number in numbers)
        raise UsageError(f"{card.name}: nothing to test; give scans that show {names}")
    _print(results)
    print(out)


def _tested(cases: Sequence[SliceCase], model: nn.Module, blocks: Sequence[str], title: str) -> list[SliceTests]:
    """The tests of several slices, with a progress bar while they run."""
    from tqdm import tqdm

    from scse_viz.inference.belief.rows import tests_of

    with tqdm(total=1.0, desc=title, leave=False) as bar:
        return tests_of(cases, model, blocks, lambda share: bar.update(share - bar.n))


def _numbers(card: Card, wanted: Sequence[str] | None) -> list[int]:
    known = {structure.name: structure.number for structure in card.structures[1:]}
    for name in wanted or ():
        if name not in known:
            raise UsageError(f"{name}: {card.name} has no such structure; its structures are {', '.join(known)}")
    usual = [name for name in STRUCTURES if name in known] or list(known)
    return [known[name] for name in wanted or usual]


def _begun(out: Path, card: Card) -> BeliefResults:
    """What was measured of the same weights, or nothing yet."""
    from scse_viz.zoo.beliefs import BeliefResults, read_belief

    begun = read_belief(out) if out.is_file() else None
    return begun if begun is not None and begun.sha256 == card.sha256 else BeliefResults(card.name, card.sha256, ())


def _labelled(options: argparse.Namespace, card: Card) -> Iterator[tuple[str, Scan, np.ndarray | None]]:
    """Name, scan, and labels in class numbers or None."""
    from scse_viz.scans import read_labels, read_scan
    from scse_viz.scans.samples import samples
    from scse_viz.training.evaluation.subjects import Sources, challenge

    if options.malc:
        for subject in challenge(Sources(malc=options.malc)).subjects:
            yield (subject.name, *subject.read())
    for path in files_of(options.scans):
        scan = read_scan(path)
        beside = options.labels / path.name if options.labels else None
        if beside is not None and not beside.is_file():
            raise UsageError(f"{path.name}: no labels of this name in {options.labels}; add them, or leave it out")
        yield scan.name, scan, None if beside is None else read_labels(beside, scan)
    if options.malc or options.scans:
        return
    for sample in samples().values():
        alike = all(group.structures == (group.label,) for group in sample.groups)
        if sample.anatomy == card.anatomy and alike:
            scan = read_scan(sample.scan)
            yield sample.name, scan, read_labels(sample.label_file, scan)


def _predicted(scan: Scan, model: object, card: Card, plane: str) -> np.ndarray:
    from scse_viz.training.evaluation.measures import segment_volume

    return segment_volume(scan, model, card, plane)  # type: ignore[arg-type]


def _stamped(results: BeliefResults, depths: tuple[str, ...]) -> BeliefResults:
    from dataclasses import replace

    from scse_viz.report import versions
    from scse_viz.training.evaluation.evaluate import today

    date, commit = today()
    kept = {name: version for name, version in versions().items() if name in ("torch", "numpy")}
    return replace(results, depths=depths or results.depths, date=date, commit=commit, versions=kept)


def _print(results: BeliefResults) -> None:
    from scse_viz.analysis.belief import judge

    for structure in results.structures:
        print(f"{results.network}, {structure}, {len(results.scans)} scans")
        for (block, kind), tests in results.by_gate(structure).items():
            belief = judge(tests, structure=structure)
            passed = "".join({True: "+", False: "-", None: " "}[finding.passed] for finding in belief.findings.values())
            print(f"  {block:12} {kind:8} {passed}  {belief.sentence}")
