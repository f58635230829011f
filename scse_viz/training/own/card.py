"""The card of a user's network: how it was trained, and its accuracy on the held-out scans."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from scse_viz.analysis import dice
from scse_viz.analysis.agreement import mean_dice
from scse_viz.inference import resampled
from scse_viz.scans import slice_grid, slice_of
from scse_viz.training.engine.checkpoint import as_json
from scse_viz.training.engine.history import History
from scse_viz.training.own.arrays import Volume, slice_images
from scse_viz.training.own.crops import Crops
from scse_viz.training.own.data import Data
from scse_viz.training.own.settings import Settings
from scse_viz.zoo import Card

TOGETHER = 8  # slices in one pass over a volume


def training(data: Data, crops: Crops, settings: Settings, machine: Mapping[str, str]) -> dict[str, Any]:
    """How it was trained, for the card; `machine` are the facts about where."""
    images = "images painted from label maps" if data.paints is not None else "images"
    count = len({volume.subject for volume in data.training})
    return {
        "data": f"{images} of {data.folder.name}: {len(data.training)} scans of {count} subjects",
        "licence": data.folder.licence or "not stated",
        "seed": settings.seed,
        "steps": settings.steps,
        "crops": settings.steps * settings.batch,
        "batch": settings.batch,
        "size_px": crops.size,
        "rate": settings.rate,
        "label_numbers": {str(number): row for number, row in data.classes.numbers.items()},
        "augmentation": as_json(asdict(crops.augmentation)),
        "validation": [volume.name for volume in data.validation],
        **machine,
    }


def card_figures(model: nn.Module, card: Card, data: Data, history: History) -> dict[str, Any]:
    """Dice on the held-out scans: of whole volumes, mean over scans, or of painted slices where there are no images."""
    names = [structure.name for structure in card.structures]
    if data.paints is not None:
        return _figures_of({"all planes": history.dice[-1]}, names, "painted slices of label maps that were held out")
    scores = {}
    for plane in card.planes:
        bar = tqdm(data.validation, desc=f"validating, {plane}", unit="scan", disable=None)
        by_scan = np.stack([_volume_dice(volume, model, card, plane) for volume in bar])
        scores[plane] = np.ma.masked_invalid(by_scan).mean(axis=0).filled(np.nan).tolist()
    return _figures_of(scores, names, "whole scans that were held out, mean over scans")


def _figures_of(scores: dict[str, list[float]], names: Sequence[str], measured_on: str) -> dict[str, Any]:
    table = {
        plane: {name: round(score, 4) for name, score in zip(names[1:], dice[1:], strict=True) if score == score}
        | {"mean": round(float(mean_dice(np.asarray(dice))), 4)}
        for plane, dice in scores.items()
    }
    mean = round(float(np.mean([row["mean"] for row in table.values()])), 4)
    return {"mean_dice": mean, "measured_on": measured_on, "dice": {"validation": table}}


def _volume_dice(volume: Volume, model: nn.Module, card: Card, plane: str) -> np.ndarray:
    labels = segment_volume(volume, model, card, plane)
    reference = np.stack([slice_of(volume.classes, plane, index) for index in range(len(labels))])
    return dice(labels, reference, len(card.structures))


def segment_volume(volume: Volume, model: nn.Module, card: Card, plane: str) -> np.ndarray:
    """Every slice of a plane of a volume as the app would segment it, on the volume's own grid: (N, H, W) uint8."""
    grid, device = slice_grid(volume.scan, plane), next(model.parameters()).device
    slices = []
    with torch.no_grad():
        for start in range(0, grid.count, TOGETHER):
            indices = range(start, min(start + TOGETHER, grid.count))
            logits = model(slice_images(volume, card, plane, indices).to(device))
            labels = resampled(logits, (grid.height, grid.width)).argmax(dim=1)
            slices.append(labels.to(torch.uint8).cpu().numpy())
    return np.concatenate(slices)
