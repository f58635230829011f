"""Dice of the networks on the sample scans, written on their cards: `python -m scse_viz.training.evaluate`."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from scse_viz.analysis import dice
from scse_viz.inference import segment_slices
from scse_viz.samples import SAMPLE_DATA, Sample, in_groups, samples
from scse_viz.scans import Scan, read_labels, read_scan, volume_of
from scse_viz.zoo import PRETRAINED, Card, cards, load, write_card

REFERENCE = "synthetic"
"""The sample whose mean Dice stands for a network: the one with all structures labelled."""
CSF = "extra-cerebral CSF"
"""Not counted in means: it is what is left between brain and skull, and no atlas agrees on it."""


PREFACE = """# The shipped networks

Made by `python -m scse_viz.training.export` and `python -m scse_viz.training.evaluate`; do not edit.

Each network is a `.safetensors` file with a card (`.json`: classes, normalisation, training, figures, sha256 of the
weights) and a growth file (`.growth.npz`: loss, Dice and all gates on two reference slices at about 20 moments of the
training).

Weights: Apache-2.0, as the project. They were trained on images synthesised from 16 whole-head label maps of the
SynthSeg repository (Apache-2.0; Billot et al., "SynthSeg: Segmentation of brain MRI scans of any contrast and
resolution without retraining", Medical Image Analysis 2023). No real scan was used in training. All variants saw the
same images in the same order, first crops and then whole slices, and started from the same weights in every layer that
they share. One seed each: small differences between variants may be chance. Means leave out extra-cerebral CSF.
"""


def evaluate(card: Card, folder: Path, found: Mapping[str, Sample]) -> dict[str, Any]:
    """Figures of a network on whole volumes: {"mean_dice": ..., "dice": {sample: {plane: {group: Dice, "mean": ...}}}}.

    A volume is segmented slice by slice in each plane of the card; `mean_dice` is that of the REFERENCE sample over
    structures and planes.
    """
    model = load(card.name, folder)
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for name, sample in found.items():
        scan = read_scan(sample.scan)
        truth = read_labels(sample.labels, scan)
        scores[name] = {}
        for plane in card.planes:
            labels = segment_volume(scan, model, card, plane)
            scores[name][plane] = group_dice(labels, truth, sample)
    means = [by_group["mean"] for by_group in scores.get(REFERENCE, {}).values()]
    return {"mean_dice": round(float(np.mean(means)), 4) if means else None, "dice": scores}


def segment_volume(scan: Scan, model: torch.nn.Module, card: Card, plane: str) -> np.ndarray:
    """Class numbers of a whole scan, slice by slice: (X, Y, Z) uint8."""
    slices = segment_slices(scan, model, card, plane)
    stack = [result.labels for _, result in tqdm(slices, desc=f"{card.name}, {scan.name}, {plane}", leave=False)]
    return volume_of(np.stack(stack), plane)


def group_dice(labels: np.ndarray, truth: np.ndarray, sample: Sample) -> dict[str, float]:
    """Dice by group of a sample, and under "mean" their mean without CSF; labels and truth (X, Y, Z)."""
    last = max(group.label for group in sample.groups)
    by_label = dice(in_groups(labels, sample.groups), truth, last + 1)
    scores = {group.name: round(float(by_label[group.label]), 4) for group in sample.groups}
    return scores | {"mean": round(float(np.mean([score for name, score in scores.items() if name != CSF])), 4)}


def table(found: Mapping[str, Card]) -> str:
    """The page pretrained/README.md: where the networks come from, and Dice as measured."""
    lines = [PREFACE, "| network | parameters | weights | crops seen | sha256 |", "|---|---|---|---|---|"]
    for card in found.values():
        crops = (card.training or {}).get("crops", 0)
        lines.append(f"| `{card.name}` | {card.parameters:,} | {card.dtype} | {crops:,} | `{card.sha256[:12]}…` |")
    measured = {card.variant: card.figures["dice"] for card in found.values() if card.figures}
    for name, sample in samples().items():
        lines += [
            "",
            f"## Dice on {sample.title}",
            "",
            f"{sample.source}. Whole volumes; mean of the three planes.",
            "",
        ]
        lines += ["| structure | " + " | ".join(measured) + " |", "|---" * (len(measured) + 1) + "|"]
        for group in (*(group.name for group in sample.groups), "mean"):
            row = [np.mean([by_group[group] for by_group in figures[name].values()]) for figures in measured.values()]
            title = "**mean**" if group == "mean" else group
            lines.append(f"| {title} | " + " | ".join(f"{score:.3f}" for score in row) + " |")
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Measure the networks of a folder, write the figures on their cards, and the page README.md from all cards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=PRETRAINED)
    parser.add_argument("--samples", type=Path, default=SAMPLE_DATA)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="networks to measure (default: all)")
    options = parser.parse_args(argv)
    found = samples(options.samples)
    for name, card in cards(options.models).items():
        if options.only is None or name in options.only:
            figures = evaluate(card, options.models, found)
            write_card(replace(card, figures=figures), options.models)
            print(json.dumps({name: figures["mean_dice"]} | {key: figures["dice"][key] for key in found}))
    (options.models / "README.md").write_text(table(cards(options.models)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
