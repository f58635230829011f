"""Numbers in label files -> classes of a network, with names and colours."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scse_viz.rendering.colours import rgb, to_hex
from scse_viz.training import TrainingError
from scse_viz.training.engine.losses import NO_CLASS
from scse_viz.zoo.structures import PALETTE, Structure

BACKGROUND = "background"
MOST = NO_CLASS  # classes: label maps are stored as bytes
GOLDEN = 0.618034
SIDE = re.compile(r"(?<![a-z])(left|right|lh|rh|l|r)(?![a-z])", re.IGNORECASE)
LINE = re.compile(r"(-?\d+)\s+(\S.*?)(?:\s+(\d+)\s+(\d+)\s+(\d+)(?:\s+\d+)?)?\s*")


class DataError(TrainingError):
    """Data that cannot be trained on."""


@dataclass(frozen=True)
class Paints:
    """How images are synthesised from labels: `numbers` ascend from 0, and `numbers[i]` has intensity `groups[i]`."""

    numbers: tuple[int, ...]
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Classes:
    """The classes of a network: `structures`, one a class, and `numbers`, number in the label files -> class.

    A number that `numbers` lacks is an error in a label file, or background with `others`.
    """

    structures: tuple[Structure, ...]
    numbers: Mapping[int, int]
    others: bool = False

    @property
    def sided(self) -> bool:
        """Whether left and right are separate structures, so that a mirrored scan would be labelled wrongly."""
        return any(SIDE.search(structure.name) for structure in self.structures)

    def paints(self, numbers: Collection[int]) -> Paints:
        """One intensity for all numbers of a structure, left and right alike, and one for each unnamed number."""
        known = tuple(sorted({0, *numbers}))
        rows = [self.numbers.get(number, 0) for number in known]
        kinds = [
            SIDE.sub("", self.structures[row].name) if row else f"number {number}"
            for number, row in zip(known, rows, strict=True)
        ]
        order = list(dict.fromkeys(kinds))
        return Paints(known, tuple(order.index(kind) for kind in kinds))

    def of(self, labels: np.ndarray, name: str) -> np.ndarray:
        """Numbers of a label file, any shape -> classes, uint8; raises DataError for an unnamed number."""
        occurring = distinct(labels)
        unnamed = [number for number in occurring if number not in self.numbers]
        if unnamed and not self.others:
            raise DataError(
                f"{name}: contains {_listed(unnamed)} without a name; named are {_listed(self.numbers)}. "
                "Add it to dataset.json, or list the structures to learn with --classes"
            )
        table = np.array([self.numbers.get(number, 0) for number in occurring], dtype=np.uint8)
        return table[np.searchsorted(occurring, labels)]

    def sentences(self) -> list[str]:
        """How numbers become classes, one line each: `2 hippocampus: numbers 17 and 53 in the label files`."""
        lines = []
        for structure in self.structures:
            given = [number for number, row in self.numbers.items() if row == structure.number]
            rest = " and every other number" if self.others and not structure.number else ""
            lines.append(f"{structure.number} {structure.name}: {_listed(given)}{rest} in the label files")
        return lines


def distinct(labels: np.ndarray) -> list[int]:
    """The numbers that occur in labels of any shape, in order."""
    if labels.min() >= 0 and labels.max() < 2**16:  # faster than sorting
        return np.flatnonzero(np.bincount(labels.ravel())).tolist()
    return np.unique(labels).tolist()


def named_in_dataset(labels: object) -> Classes:
    """The `labels` of a dataset.json: {"1": "name"} as the Decathlon writes, or {"name": 1} as nnU-Net does."""
    return _classes(_names(labels, "dataset.json"), {}, "dataset.json")


def named_in_file(path: Path, occurring: Collection[int]) -> Classes:
    """Classes of a file of lines `number name`, each optionally followed by red, green and blue in 0 to 255.

    A FreeSurfer colour table is such a file; `#` begins a comment. A .json file is read like dataset.json, or as its
    table of labels alone. Structures that share a name are one class, numbers without a line are background, and lines
    whose number is not `occurring` in the label files are ignored.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable text file; give lines like `17 hippocampus`") from error
    if path.suffix == ".json":
        facts = read_json(path)
        names, colours = _names(facts.get("labels", facts), path.name), dict[str, str]()
    else:
        names, colours = _lines(text, path.name)
    kept = {number: name for number, name in names.items() if number in occurring}
    if not kept:
        raise DataError(f"{path.name}: names {_listed(names)}, but the label files contain {_listed(occurring)}")
    classes = _classes(kept, colours, path.name)
    return Classes(classes.structures, classes.numbers, others=True)


def numbered(numbers: Iterable[int]) -> Classes:
    """Classes of unnamed label files: every number but 0 is a structure, `label 17`."""
    return _classes({number: f"label {number}" for number in sorted({*numbers} - {0})}, {}, "the label files")


def read_json(path: Path) -> dict[str, Any]:
    """The table in a JSON file; raises DataError for anything else."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name}: not readable as JSON: {error}") from error
    if not isinstance(facts, dict):
        raise DataError(f"{path.name}: not a table; write it as the Medical Segmentation Decathlon does")
    return facts


def _names(labels: object, source: str) -> dict[int, str]:
    """Number -> name, from a table in either direction."""
    try:
        if not isinstance(labels, dict) or not labels:
            raise TypeError("no table")
        if all(isinstance(value, str) for value in labels.values()):
            return {int(number): name for number, name in labels.items()}
        return {int(number): str(name) for name, number in labels.items()}
    except (TypeError, ValueError) as error:
        raise DataError(
            f'{source}: the labels must be a table of whole numbers and names, like {{"0": "background", "1": "name"}}'
        ) from error


def _lines(text: str, source: str) -> tuple[dict[int, str], dict[str, str]]:
    """Lines `number name [red green blue [alpha]]` -> number -> name, and name -> colour where given."""
    names: dict[int, str] = {}
    colours: dict[str, str] = {}
    for count, whole in enumerate(text.splitlines(), 1):
        line = whole.partition("#")[0].strip()
        if not line:
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise DataError(f"{source}: line {count} lacks the form `17 hippocampus`")
        number, name, *colour = match.groups()
        if int(number) in names:
            raise DataError(f"{source}: line {count} repeats number {number}; give each number one name")
        names[int(number)] = name
        if colour[0] is not None:
            colours.setdefault(name, "#" + "".join(f"{min(int(part), 255):02x}" for part in colour))
    return names, colours


def _classes(names: Mapping[int, str], colours: Mapping[str, str], source: str) -> Classes:
    """Classes in the order of their lowest number; background, named or not, is 0."""
    if names and min(names) < 0:
        raise DataError(f"{source}: number {min(names)}; labels must be whole numbers from 0; renumber it")
    named = {number: BACKGROUND if number == 0 else str(name) for number, name in sorted(names.items())}
    order = [BACKGROUND, *(name for name in dict.fromkeys(named.values()) if name != BACKGROUND)]
    if len(order) < 2:
        raise DataError(f"{source}: names only background; add a structure to learn")
    if len(order) > MOST:
        raise DataError(
            f"{source}: {len(order)} different numbers, more than the {MOST} classes possible; are these "
            "intensities, not labels? Otherwise list the structures to learn with --classes"
        )
    structures = tuple(
        Structure(row, name, colours.get(name, _colour(row - 1)) if row else "#000000")
        for row, name in enumerate(order)
    )
    return Classes(structures, {0: 0} | {number: order.index(name) for number, name in named.items()})


def _colour(count: int) -> str:
    """The palette, then the same hues lighter and darker, all different."""
    [base] = rgb([PALETTE[count % len(PALETTE)]])
    shade = 1.2 * ((count // len(PALETTE) * GOLDEN + 0.5) % 1 - 0.5)  # from -0.6, darker, to 0.6, lighter
    target = 255 if shade > 0 else 0
    return to_hex(base + abs(shade) * (target - base.astype(float)))


def _listed(numbers: Iterable[int]) -> str:
    """`number 1`, or `numbers 1, 2 and 5`; of many the count, the first and the last."""
    rising = sorted(numbers)
    if len(rising) == 1:
        return f"number {rising[0]}"
    if len(rising) > 12:
        return f"{len(rising)} numbers from {rising[0]} to {rising[-1]}"
    return f"numbers {', '.join(map(str, rising[:-1]))} and {rising[-1]}"
