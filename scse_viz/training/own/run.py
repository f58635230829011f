"""From a folder of scans to a network that the app opens: what `scse-viz train` runs."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from tqdm import tqdm

from scse_viz import zoo
from scse_viz.analysis import dice
from scse_viz.inference import resampled
from scse_viz.models.skeleton import DEPTH
from scse_viz.scans import PLANES, slice_grid, slice_of
from scse_viz.training.engine.history import History
from scse_viz.training.engine.loop import Schedule
from scse_viz.training.engine.losses import median_frequency_weights
from scse_viz.training.own.classes import DataError
from scse_viz.training.own.crops import Augmentation, Crops, default_size, slice_pair, whole_slices
from scse_viz.training.own.data import Data
from scse_viz.training.own.fit import Task, fit
from scse_viz.training.own.progress import as_json, mean_dice
from scse_viz.training.own.volumes import Volume, slice_images
from scse_viz.zoo import Card

VALIDATION_SLICES = 64
"""Slices that the Dice reported on the way is measured on; that of the card is of whole volumes."""
TOGETHER = 8  # slices in one pass over a volume


@dataclass(frozen=True)
class Settings:
    """How to train: crops of `size` pixels a side, `batch` a step; None for a size that shows what a slice shows."""

    architecture: str
    widths: tuple[int, ...]
    steps: int = 4000
    batch: int = 8
    size: int | None = None
    rate: float = 2e-3
    seed: int = 0
    workers: int = 0

    @property
    def schedule(self) -> Schedule:
        return Schedule(steps=self.steps, seed=self.seed, rate=self.rate, warmup=min(200, self.steps // 10))


def accelerator_for(device: str) -> Accelerator:
    """What runs the loop on `device`: cpu, cuda, or auto for cuda where there is one. Raises DataError without it."""
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise DataError("torch finds no CUDA device here; choose --device cpu, or install torch for your graphics card")
    use = there and device != "cpu"
    return Accelerator(cpu=not use, mixed_precision="bf16" if use and torch.cuda.is_bf16_supported() else "no")


def train(data: Data, variant: str, settings: Settings, out: Path, accelerator: Accelerator) -> Card:
    """Train one network; write its weights, card and history to `out`, its checkpoint and log to NAME.run there.

    Raises as `fit`, and DataError for what cannot be trained.
    """
    name = f"{data.card.anatomy}-{settings.architecture}-{variant}"
    card = replace(data.card, name=name, architecture=settings.architecture, variant=variant, widths=settings.widths)
    size = settings.size or default_size(data.training, card)
    _check(card, settings, size, out, accelerator.num_processes)
    augmentation = Augmentation(mirror=0.0) if data.classes.sided else Augmentation()
    crops = Crops(data.training, card, settings.batch, size, settings.seed, augmentation, data.paints)
    counts = torch.from_numpy(np.sum([volume.counts for volume in data.training], axis=0)).float()
    references = torch.cat(list(_references(data, card, size)))
    task = Task(
        card=card,
        crops=crops,
        schedule=settings.schedule,
        weights=median_frequency_weights(counts),
        validation=list(whole_slices(data.validation, card, VALIDATION_SLICES, data.paints)),
        references=references,
        facts=_facts(data, crops, settings),
    )
    run = out / f"{name}.run"
    if accelerator.is_main_process:
        _write_split(run, data)
    model, history = fit(task, run, accelerator, settings.workers)
    if not accelerator.is_main_process:
        return card
    card = replace(
        card,
        training=_training(data, crops, settings, accelerator),
        figures=_figures(model.to(accelerator.device), card, data, history),
    )
    history.save(out / f"{name}.history.npz", references, [structure.name for structure in card.structures])
    return zoo.save(model.cpu(), card, out)


def segment_volume(volume: Volume, model: nn.Module, card: Card, plane: str) -> np.ndarray:
    """Every slice of a plane of a volume as the app would segment it, on the volume's own grid: (N, H, W) uint8."""
    grid, device = slice_grid(volume.scan, plane), next(model.parameters()).device
    found = []
    with torch.no_grad():
        for start in range(0, grid.count, TOGETHER):
            indices = range(start, min(start + TOGETHER, grid.count))
            logits = model(slice_images(volume, card, plane, indices).to(device))
            labels = resampled(logits, (grid.height, grid.width)).argmax(dim=1)
            found.append(labels.to(torch.uint8).cpu().numpy())
    return np.concatenate(found)


def _check(card: Card, settings: Settings, size: int, out: Path, processes: int) -> None:
    """Refuses, before anything runs, what could not be trained, written or opened."""
    if (zoo.PRETRAINED / f"{card.name}.json").exists() and out.resolve() != zoo.PRETRAINED.resolve():
        raise DataError(f"{card.name} is a shipped network; choose another --name")
    share = settings.batch // processes
    if share == 0:
        raise DataError(
            f"--batch {settings.batch} leaves nothing for some of {processes} processes; choose a larger one"
        )
    if share * math.ceil(size / 2**DEPTH) ** 2 == 1:
        raise DataError(
            f"--batch {settings.batch} of --size {size} leaves one pixel to normalise over in the bottleneck; choose a "
            "larger batch or size"
        )
    try:
        card.network()
    except ValueError as error:
        raise DataError(f"--widths: {error}") from error
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be made, {error.strerror}; choose another folder") from error
    zoo.cards(out)  # a folder with other tables in it could not be opened afterwards


def _references(data: Data, card: Card, size: int) -> Iterator[Tensor]:
    """Of each of two planes at most, the held-out slice that shows most of the structures: (1, C, S, S)."""
    volume = data.validation[0]
    for plane in card.planes[-2:]:
        across = tuple(axis for axis in range(3) if axis != PLANES[plane])
        index = int((volume.classes > 0).sum(axis=across).argmax())
        image, _ = slice_pair(volume, card, plane, index, data.paints, np.random.default_rng(0))
        yield _centred(image, size)


def _centred(image: Tensor, size: int) -> Tensor:
    """Cut or fill with black to a square about the middle: (1, C, H, W) -> (1, C, S, S)."""
    down, across = (size - has for has in image.shape[-2:])
    top, left = int(down / 2), int(across / 2)
    return nn.functional.pad(image, (left, across - left, top, down - top))  # what is negative is cut


def _facts(data: Data, crops: Crops, settings: Settings) -> dict[str, Any]:
    """All that decides about the weights, under the names that options have."""
    card = crops.card
    return {
        "data": data.digest,
        "classes": [structure.name for structure in card.structures],
        "validation": [volume.name for volume in data.validation],
        "labels-only": data.paints and asdict(data.paints),
        "planes": card.planes,
        "pixel-mm": card.pixel_mm,
        "widths": card.widths,
        "steps": settings.steps,
        "batch": settings.batch,
        "size": crops.size,
        "rate": settings.rate,
        "seed": settings.seed,
        "augmentation": asdict(crops.augmentation),
    }


def _training(data: Data, crops: Crops, settings: Settings, accelerator: Accelerator) -> dict[str, Any]:
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
        "device": str(accelerator.device),
    }


def _figures(model: nn.Module, card: Card, data: Data, history: History) -> dict[str, Any]:
    """Dice on what was held out: of whole volumes, mean over scans, or of painted slices where there are no images."""
    names = [structure.name for structure in card.structures]
    if data.paints is not None:
        return _figures_of({"all planes": history.dice[-1]}, names, "painted slices of label maps that were held out")
    scores = {}
    for plane in card.planes:
        each = [
            _volume_dice(volume, model, card, plane)
            for volume in tqdm(data.validation, desc=f"validating, {plane}", unit="scan", disable=None)
        ]
        there = ~np.isnan(each)
        sums, counts = np.where(there, each, 0).sum(axis=0), there.sum(axis=0)
        scores[plane] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).tolist()
    return _figures_of(scores, names, "whole scans that were held out, mean over scans")


def _figures_of(scores: dict[str, list[float]], names: Sequence[str], measured_on: str) -> dict[str, Any]:
    table = {
        plane: {name: round(score, 4) for name, score in zip(names[1:], dice[1:], strict=True) if score == score}
        | {"mean": round(mean_dice(dice), 4)}
        for plane, dice in scores.items()
    }
    mean = round(float(np.mean([row["mean"] for row in table.values()])), 4)
    return {"mean_dice": mean, "measured_on": measured_on, "dice": {"validation": table}}


def _volume_dice(volume: Volume, model: nn.Module, card: Card, plane: str) -> np.ndarray:
    found = segment_volume(volume, model, card, plane)
    truth = np.stack([slice_of(volume.classes, plane, index) for index in range(len(found))])
    return dice(found, truth, len(card.structures))


def _write_split(run: Path, data: Data) -> None:
    run.mkdir(parents=True, exist_ok=True)
    split = {
        "training": [volume.name for volume in data.training],
        "validation": [volume.name for volume in data.validation],
    }
    (run / "split.json").write_text(json.dumps(split, indent=1) + "\n", encoding="utf-8")
