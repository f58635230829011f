"""A user's folder -> training data: volumes in memory, split by subject, and the card that follows from them."""

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from scse_viz.blocks import VARIANTS
from scse_viz.models import ARCHITECTURES
from scse_viz.scans import PLANES
from scse_viz.training.own.arrays import Volume, numbers_of, pixel_of, planes_of, read_volume
from scse_viz.training.own.classes import Classes, DataError, Paints, named_in_file, numbered
from scse_viz.training.own.folder import Case, Folder, find_cases
from scse_viz.zoo import Card

SPLIT_SEED = 0  # one for all seeds and variants, so that they are validated on the same subjects


@dataclass(frozen=True)
class Wishes:
    """A user's choices about the data; None derives them from the data.

    `validation` is the share of subjects held out, or a file that lists the cases held out, one a line.
    """

    name: str | None = None
    classes: Path | None = None
    labels_only: bool = False
    planes: tuple[str, ...] | None = None
    pixel_mm: float | None = None
    validation: float | Path = 0.2


@dataclass(frozen=True, eq=False)
class Data:
    """Volumes for training and validation, and the card that follows from them: classes, planes, pixel size, channels.

    `paints` describe how images are synthesised from label numbers; None for real images.
    """

    folder: Folder
    card: Card
    classes: Classes
    training: tuple[Volume, ...]
    validation: tuple[Volume, ...]
    paints: Paints | None

    def sentences(self) -> list[str]:
        """What was read, how numbers become classes, and how many scans are held out."""
        card, channels = self.card, ", ".join(self.card.channels)
        return [
            f"{card.anatomy}: {len(self.training)} scans for training, {len(self.validation)} of other subjects held "
            f"out; {', '.join(card.planes)} slices, pixels of {card.pixel_mm:g} mm"
            + (f"; channels {channels}" if channels else ""),
            *self.classes.sentences(),
            *(["Left and right are named separately, so crops are not mirrored."] if self.classes.sided else []),
        ]

    @property
    def digest(self) -> str:
        """Hash of all intensities and labels."""
        volumes = (*self.training, *self.validation)
        return hashlib.sha256("".join(volume.digest for volume in volumes).encode()).hexdigest()


def read_data(path: Path, wishes: Wishes) -> Data:
    """Read a whole folder; raises DataError, or ScanError for one of its files."""
    folder = find_cases(path, labels_only=wishes.labels_only)
    held_out = _held_out(folder.cases, wishes.validation)
    numbers: set[int] = {0}
    if wishes.labels_only or wishes.classes or folder.classes is None:
        for case in tqdm(folder.cases, desc="reading labels", unit="file", disable=None):
            numbers.update(numbers_of(case))
            if min(numbers) < 0:
                raise DataError(
                    f"{case.labels.name}: number {min(numbers)}; labels must be whole numbers from 0; renumber it"
                )
    classes = _classes(folder, wishes, numbers)
    card = _card(wishes.name or folder.name, classes)
    volumes = [
        read_volume(case, card, classes) for case in tqdm(folder.cases, desc="reading scans", unit="scan", disable=None)
    ]
    _check_structures(volumes, held_out, classes)
    channels = _channels(volumes, () if wishes.labels_only else folder.channels)
    planes = _planes(volumes, wishes.planes)
    card = replace(
        card,
        planes=planes,
        pixel_mm=wishes.pixel_mm or pixel_of(volumes, planes),
        in_channels=max(1, len(channels)),
        channels=channels,
    )
    return Data(
        folder=folder,
        card=card,
        classes=classes,
        training=tuple(volume for volume in volumes if volume.name not in held_out),
        validation=tuple(volume for volume in volumes if volume.name in held_out),
        paints=classes.paints(numbers) if wishes.labels_only else None,
    )


def _classes(folder: Folder, wishes: Wishes, numbers: set[int]) -> Classes:
    if wishes.classes is not None:
        return named_in_file(wishes.classes, numbers)
    return folder.classes or numbered(numbers)


def _held_out(cases: Sequence[Case], validation: float | Path) -> set[str]:
    """The names of the cases held out: those of a share of the subjects, or those listed in a file."""
    subjects = sorted({case.subject for case in cases})
    if len(subjects) < 2:
        raise DataError(
            f"{len(subjects)} subject; at least 2 are needed, for training and for validation, in separate files"
        )
    if isinstance(validation, Path):
        return _held_out_in(validation, cases)
    if not 0 < validation < 1:
        raise DataError(f"--validation {validation:g}: choose a share between 0 and 1, like 0.2")
    count = min(len(subjects) - 1, max(1, round(validation * len(subjects))))
    random.Random(SPLIT_SEED).shuffle(subjects)
    return {case.name for case in cases if case.subject in subjects[:count]}


def _held_out_in(path: Path, cases: Sequence[Case]) -> set[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: not a readable text file; give a share, or a file that lists scans, one a line"
        ) from error
    known = {case.name: case.subject for case in cases}
    for name in lines:
        if name not in known:
            raise DataError(f"{path.name}: lists {name}, but there is no such scan; names are like {cases[0].name}")
    if not 0 < len(set(lines)) < len(cases):
        raise DataError(
            f"{path.name}: holds out {len(set(lines))} of {len(cases)} scans; some must remain on either side"
        )
    shared = {known[name] for name in lines} & {subject for name, subject in known.items() if name not in lines}
    if shared:
        raise DataError(f"{path.name}: holds out only some scans of {min(shared)}; keep a subject on one side")
    return set(lines)


def _check_structures(volumes: Sequence[Volume], held_out: set[str], classes: Classes) -> None:
    """Raises DataError for data without a structure, and for structures that no training scan shows."""
    counts = np.sum([volume.counts for volume in volumes if volume.name not in held_out], axis=0)
    elsewhere = np.sum([volume.counts for volume in volumes if volume.name in held_out], axis=0)
    if counts[1:].sum() == 0:
        raise DataError("the training label files contain only background; they must show a structure")
    for structure, count, held_out_count in zip(classes.structures[1:], counts[1:], elsewhere[1:], strict=True):
        if count == 0:
            where = "only in scans that are held out" if held_out_count else "in no label file"
            raise DataError(
                f"{structure.name} occurs {where}; remove it from the names, or "
                + ("hold out other scans with --validation" if held_out_count else "add scans that show it")
            )


def _channels(volumes: Sequence[Volume], named: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the channels, if there are several; raises DataError where scans differ in their number."""
    first = volumes[0]
    for volume in volumes:
        if len(volume.channels) != len(first.channels):
            raise DataError(
                f"{volume.name}: {len(volume.channels)} channels, but {first.name} has {len(first.channels)}; "
                "all scans need the same number"
            )
    count = len(first.channels)
    if named and len(named) != count:
        raise DataError(
            f"dataset.json names {len(named)} channels ({', '.join(named)}) but the images have {count}; correct "
            'its "modality"'
        )
    if count == 1:
        return ()
    return named or tuple(f"channel {number}" for number in range(count))


def _planes(volumes: Sequence[Volume], wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    if not wanted:
        common = planes_of(volumes)
        if not common:
            raise DataError("the images have no plane in common; give volumes or single slices, not both")
        return common
    for plane in wanted:
        for volume in volumes:
            if plane not in volume.scan.planes:
                raise DataError(f"{volume.name}: has no {plane} slices; choose {' or '.join(volume.scan.planes)}")
    return tuple(plane for plane in PLANES if plane in wanted)


def _card(name: str, classes: Classes) -> Card:
    """The card as far as name and classes are known; architecture and variant are placeholders."""
    anatomy = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not anatomy:
        raise DataError(f"{name!r}: a name needs letters or digits; choose one with --name")
    return Card(
        name=anatomy,
        anatomy=anatomy,
        architecture=next(iter(ARCHITECTURES)),
        variant=next(iter(VARIANTS)),
        widths=(1, 1, 1, 1, 1),
        structures=classes.structures,
        planes=tuple(PLANES),
        parameters=0,
        sha256="",
    )
