"""The folder sample_data/: scans to start with, and labels, manual or of an atlas, to compare a segmentation with."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import ImageColor

from scse_viz.installation import shipped
from scse_viz.zoo.structures import Structure

SAMPLE_DATA = shipped("sample_data")


@dataclass(frozen=True)
class Group:
    """A label of a label file, and the structures of ours that it covers."""

    label: int
    name: str
    structures: tuple[int, ...]


@dataclass(frozen=True)
class Sample:
    """A scan of the folder with its label file, if any; `groups` say which structures of its anatomy the labels name.

    `also` are other anatomies whose networks have the same structures and can be shown it.
    """

    name: str
    title: str
    scan: Path
    labels: Path | None
    groups: tuple[Group, ...]
    source: str
    licence: str
    anatomy: str = "brain"
    also: tuple[str, ...] = ()

    def suits(self, anatomy: str) -> bool:
        """Whether the networks of an anatomy can be shown it."""
        return anatomy == self.anatomy or anatomy in self.also

    @property
    def label_file(self) -> Path:
        """The label file; raises ValueError for a scan without one."""
        if self.labels is None:
            raise ValueError(f"{self.name} has no labels")
        return self.labels

    @property
    def short(self) -> str:
        """The title up to its colon."""
        return self.title.partition(":")[0]


def samples(folder: Path = SAMPLE_DATA) -> dict[str, Sample]:
    """The samples of a folder by name, in the order of its samples.json; none where that file is missing."""
    index = folder / "samples.json"
    if not index.is_file():
        return {}
    by_name = {}
    for facts in json.loads(index.read_text(encoding="utf-8")):
        groups = tuple(Group(group["label"], group["name"], tuple(group["structures"])) for group in facts["groups"])
        paths = {key: folder / facts[key] for key in ("scan", "labels")}
        also = tuple(facts.get("also", ()))
        by_name[facts["name"]] = Sample(**{**facts, **paths, "groups": groups, "also": also})
    return by_name


def own_groups(structures: Sequence[Structure], labels: np.ndarray) -> tuple[Group, ...]:
    """The groups of a label file that uses our own class numbers: one for each structure that occurs in it.

    A structure that the labels lack is not judged. Empty where no number is one of our classes.
    """
    given = set(np.unique(labels).tolist()) - {0}
    return tuple(
        Group(structure.number, structure.name, (structure.number,))
        for structure in structures
        if structure.number in given
    )


def groups_by_name(
    groups: Sequence[Group], named: Sequence[Structure], wanted: Sequence[Structure]
) -> tuple[Group, ...]:
    """Groups of structures of one network as groups of another's, by name, without those that it lacks."""
    names = {structure.number: structure.name for structure in named}
    numbers = {structure.name: structure.number for structure in wanted[1:]}
    return tuple(
        replace(group, structures=tuple(numbers[names[number]] for number in group.structures))
        for group in groups
        if all(names.get(number) in numbers for number in group.structures)
    )


def in_groups(labels: np.ndarray, groups: Sequence[Group]) -> np.ndarray:
    """Class numbers -> the labels of the groups that cover them, 0 elsewhere; any shape, uint8."""
    table = np.zeros(256, dtype=np.uint8)
    for group in groups:
        table[list(group.structures)] = group.label
    return table[labels]


def known_labels(labels: np.ndarray, groups: Sequence[Group]) -> np.ndarray:
    """Labels with every number outside the groups set to 0, uint8: files label more than networks predict."""
    return np.where(np.isin(labels, [group.label for group in groups]), labels, 0).astype(np.uint8)


def legend_of(structures: Sequence[Structure], groups: Sequence[Group]) -> tuple[Structure, ...]:
    """The structures, and after them the groups that cover several, each in the mean colour of those it covers."""
    joint = (group for group in groups if len(group.structures) > 1)
    more = (
        Structure(number, f"{group.name} (labels)", _mean_colour([structures[member] for member in group.structures]))
        for number, group in enumerate(joint, start=len(structures))
    )
    return (*structures, *more)


def of_structures(labels: np.ndarray, groups: Sequence[Group], count: int) -> np.ndarray:
    """Labels of groups -> their numbers in the legend of `count` structures, 0 elsewhere; any shape, uint8."""
    drawn = np.zeros(labels.shape, dtype=np.uint8)
    joint = count
    for group in groups:
        single = len(group.structures) == 1
        drawn[labels == group.label] = group.structures[0] if single else joint
        joint += not single
    return drawn


def _mean_colour(structures: Sequence[Structure]) -> str:
    channels = np.array([ImageColor.getrgb(structure.colour) for structure in structures])
    return "#" + "".join(f"{round(value):02x}" for value in channels.mean(axis=0))
