"""Networks measured on scans withheld from training: results and card of each, one page for all."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any, TypeGuard

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from scse_viz.scans import read_labels, read_scan, slice_grid, slice_of
from scse_viz.scans.samples import samples
from scse_viz.system.devices import AUTO, device_named
from scse_viz.training.evaluation import measures
from scse_viz.training.evaluation.comparisons import compare
from scse_viz.training.evaluation.readme import page as page_of
from scse_viz.training.evaluation.subjects import NO_SOURCES, DataSet, Sources, Subject, data_sets
from scse_viz.zoo import Card, cards, load, scores, write_card
from scse_viz.zoo.scores import Measured, NetworkResults, ResultsError, Score

PAGE = "README.md"
MARK = "Made by `scse-viz evaluate`"
"""Marks a page that may be replaced."""
INPUT_SIZES = {"brain": (256, 256), "hippocampus": (48, 64), "malc": (176, 176)}
"""Anatomy -> rows and columns of the slice for which cost is counted and timed."""
CHECKS = {
    "brain": ("synthetic", "coronal"),
    "hippocampus": ("colin27-hippocampus-left", "sagittal"),
    "malc": ("colin27-brain", "coronal"),
}
"""Anatomy -> sample and plane of the claim on the card."""
CHECKED = 8
"""Number of its slices."""
FEWEST = 200
"""The fewest voxels in these slices for a structure to be part of the claim."""


def evaluate(
    folder: Path,
    only: Sequence[str] | None,
    sources: Sources = NO_SOURCES,
    *,
    missing: bool = False,
    device: str = AUTO,
) -> None:
    """Measure the networks of a folder, or only some; write results and card of each, and the page.

    Networks are independent, so several processes may share the work. Results are written after every subject;
    `missing` measures only subjects without results of the same weights, which resumes what was interrupted. Raises
    ResultsError, before anything is measured, for what cannot be done, DeviceError and WeightsError.
    """
    check_page(folder)
    place = device_named(device)
    known = cards(folder)
    chosen = _chosen(folder, known, only)
    sets = data_sets(sources)
    before = scores.results(folder)
    for card in chosen:
        model = loaded(card.name, folder).to(place)
        kept = before.get(card.name)
        measured = kept if missing and _fits(kept, card) else begun(card, kept)
        for so_far in measure(card, model, sets[card.anatomy], measured, missing=missing):
            measured = so_far
            scores.write(folder / scores.FOLDER / f"{card.name}.json", measured)
        write_card(replace(card, figures={**card_figures(measured), "check": check(card, model)}), folder)
    make_page(folder)


def loaded(name: str, folder: Path) -> nn.Module:
    """A network in channels-last memory, which saves a quarter of the time."""
    return load(name, folder).to(memory_format=torch.channels_last)


def begun(card: Card, before: NetworkResults | None = None) -> NetworkResults:
    """The cost of a network, with what was measured `before` of the same weights."""
    size = INPUT_SIZES[card.anatomy]
    return NetworkResults(
        name=card.name,
        anatomy=card.anatomy,
        architecture=card.architecture,
        variant=card.variant,
        seed=(card.training or {}).get("seed"),
        sha256=card.sha256,
        parameters=card.parameters,
        parameters_added=round(measures.parameters_added(card), 2),
        multiply_adds=measures.multiply_adds(card, size),
        input_size=size,
        time_ratio=round(measures.time_ratio(card, size, measures.PASSES), 3),
        data=before.data if _fits(before, card) else {},
    )


def measure(
    card: Card, model: nn.Module, sets: Sequence[DataSet], before: NetworkResults, *, missing: bool = False
) -> Iterator[NetworkResults]:
    """Measure the subjects of the sets, or those `missing` from the results `before`: yields all results so far.

    Data sets come in the order of `sets`; results of other subjects of them are kept.
    """
    kept = {data_set.name: before.data[data_set.name] for data_set in sets if data_set.name in before.data}
    yield replace(before, data=dict(kept))
    for data_set in sets:
        old = dict(kept[data_set.name].subjects) if data_set.name in kept else {}
        wanted = [subject for subject in data_set.subjects if not (missing and subject.name in old)]
        for subject in tqdm(wanted, desc=f"{card.name}, {data_set.name}", unit="subject", leave=False):
            old[subject.name] = _planes(card, model, subject, data_set.measured)
            kept[data_set.name] = Measured(data_set.title, data_set.planes, dict(old), *today())
            yield replace(
                before, data={included.name: kept[included.name] for included in sets if included.name in kept}
            )


def card_figures(measured: NetworkResults) -> dict[str, Any]:
    """For the card: mean Dice and what it was measured on, and sample -> plane -> structure -> Dice."""
    first, shipped = next(iter(measured.data.values())), samples()
    means = first.by_subject()
    of_samples = {
        name: {plane: _on_card(structures) for plane, structures in by_plane.items()}
        for measured_set in measured.data.values()
        for name, by_plane in measured_set.subjects.items()
        if name in shipped
    }
    count = f"{len(means)} {first.title}"
    planes = f"slice by slice, {', '.join(first.planes)}"
    return {
        "mean_dice": round(fmean(means.values()), 4),
        "measured_on": f"{count}; {planes}; mean of {_counted(first)} structures",
        "dice": of_samples,
    }


def check(card: Card, model: nn.Module) -> dict[str, Any]:
    """A claim that is tested within a second: sample, plane, slices, and structure -> Dice on these slices."""
    name, plane = CHECKS[card.anatomy]
    sample = samples()[name]
    scan = read_scan(sample.scan)
    count = slice_grid(scan, plane).count
    slices = [count * step // (CHECKED + 1) for step in range(1, CHECKED + 1)]
    prediction = measures.segment(scan, model, card, plane, slices)
    labels = read_labels(sample.label_file, scan)
    reference = np.stack([slice_of(labels, plane, index) for index in slices])
    groups = [group for group in sample.groups if np.count_nonzero(reference == group.label) >= FEWEST]
    return {
        "sample": name,
        "plane": plane,
        "slices": slices,
        "dice": measures.group_dice(prediction, reference, groups),
    }


def collect_seeds(folder: Path, others: Sequence[Path]) -> None:
    """Add the results of the same networks trained with other seeds to a folder's results, and make the page.

    They replace earlier results of the same network and seed; all others stay. Raises ResultsError for a folder without
    results, or with unreadable ones.
    """
    check_page(folder)
    results: dict[str, dict[tuple[str, int | None], NetworkResults]] = {}
    for network in scores.other_seeds(folder):
        results.setdefault(network.anatomy, {})[network.name, network.seed] = network
    for source in others:
        measured = list(scores.results(source).values())
        if not measured:
            raise ResultsError(f"{source}: holds no results; measure its networks first, with --models {source}")
        for network in measured:
            results.setdefault(network.anatomy, {})[network.name, network.seed] = network
    for anatomy, by_seed in results.items():
        kept = sorted(by_seed.values(), key=lambda network: (network.seed is None, network.seed))
        scores.write(folder / scores.FOLDER / f"{anatomy}{scores.SEEDS_SUFFIX}", kept)
    make_page(folder)


def make_page(folder: Path) -> None:
    """Compare the networks of a folder and write the page, from cards and results alone."""
    check_page(folder)
    compared = compare(_current(folder), scores.other_seeds(folder))
    scores.write(folder / scores.FOLDER / scores.COMPARISONS, compared)
    (folder / PAGE).write_text(page_text(folder), encoding="utf-8")


def page_text(folder: Path) -> str:
    """The page of a folder, from its cards and results."""
    current, seeds = _current(folder), scores.other_seeds(folder)
    known = scores.experiments(folder)
    return page_of(cards(folder), current, compare(current, seeds), seeds, MARK, list(known.values()))


def check_page(folder: Path) -> None:
    """Raises ResultsError where the page would replace a file that this command did not write."""
    page = folder / PAGE
    if page.is_file() and MARK not in page.read_text(encoding="utf-8", errors="replace"):
        raise ResultsError(f"{page}: was not written by this command, which would replace it; move it elsewhere")


def _fits(measured: NetworkResults | None, card: Card) -> TypeGuard[NetworkResults]:
    return measured is not None and measured.sha256 == card.sha256


def _chosen(folder: Path, known: Mapping[str, Card], only: Sequence[str] | None) -> list[Card]:
    if not known:
        raise ResultsError(f"{folder}: holds no networks; give a folder of cards and weights with --models")
    for name in only or ():
        if name not in known:
            raise ResultsError(f"{name}: no such network in {folder.name}; its networks are {', '.join(known)}")
    chosen = [known[name] for name in only or known]
    for card in chosen:
        if card.anatomy not in INPUT_SIZES:
            raise ResultsError(
                f"{card.name}: no scans of {card.anatomy} are known to measure on; `scse-viz train` measures your own "
                "networks on the scans it holds out"
            )
    return chosen


def _planes(card: Card, model: nn.Module, subject: Subject, planes: Sequence[str]) -> dict[str, dict[str, Score]]:
    scan, reference = subject.read()
    return {
        plane: measures.scores(
            measures.segment_volume(scan, model, card, plane), reference, subject.groups, scan.spacing
        )
        for plane in card.planes
        if plane in planes
    }


def today() -> tuple[str, str | None]:
    """The date, and the commit of the code; no commit outside a checkout."""
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=Path(__file__).parent, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return date.today().isoformat(), None
    return date.today().isoformat(), commit.stdout.decode().strip()


def _on_card(structures: Mapping[str, Score]) -> dict[str, float | None]:
    counted = [
        score.dice for name, score in structures.items() if name != scores.NOT_COUNTED and score.dice is not None
    ]
    return {name: score.dice for name, score in structures.items()} | {"mean": round(fmean(counted), 4)}


def _counted(measured: Measured) -> int:
    return len([name for name in measured.structures if name != scores.NOT_COUNTED])


def _current(folder: Path) -> dict[str, NetworkResults]:
    """The results of a folder in the order of its cards, without those of weights replaced since."""
    measured, known = scores.results(folder), cards(folder)
    return {name: measured[name] for name in known if name in measured and measured[name].sha256 == known[name].sha256}
