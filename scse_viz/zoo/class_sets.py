"""The class sets of several networks: one numbering for all of them, and the classes that all of them have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scse_viz.zoo.cards import WeightsError
from scse_viz.zoo.structures import Structure

MOST = 256
"""The most classes that a label map (uint8) can hold."""


@dataclass(frozen=True)
class ClassSets:
    """All classes of several networks, numbered as one set, and those that every one of them has, numbered from 0.

    Classes are the same if their names are; class 0 is the background of each, whatever its name.
    """

    structures: tuple[Structure, ...]
    shared: tuple[Structure, ...]

    @property
    def same(self) -> bool:
        """Whether all networks have the same classes."""
        return len(self.structures) == len(self.shared)

    def in_all(self, labels: np.ndarray, own: Sequence[Structure]) -> np.ndarray:
        """Labels in the numbers of a network's own classes -> in those of `structures`; any shape, uint8."""
        return _renumbered(labels, own, self.structures)

    def in_shared(self, labels: np.ndarray, own: Sequence[Structure]) -> np.ndarray:
        """Labels in the numbers of a network's own classes -> in those of `shared`, 0 for all others."""
        return _renumbered(labels, own, self.shared)


def class_sets(sets: Sequence[Sequence[Structure]]) -> ClassSets:
    """The class sets of several networks as one; the classes of the first keep their numbers and colours.

    Raises WeightsError for more classes than a label map can hold.
    """
    first, *further = sets
    known = {structure.name for structure in first[1:]}
    more = {
        structure.name: structure
        for further_set in further
        for structure in further_set[1:]
        if structure.name not in known
    }
    numbered = [replace(structure, number=number) for number, structure in enumerate(more.values(), start=len(first))]
    if len(first) + len(numbered) > MOST:
        raise WeightsError(
            f"These networks and the labels of the scan have {len(first) + len(numbered)} classes together; choose "
            f"networks with at most {MOST}"
        )
    names = [{structure.name for structure in further_set[1:]} for further_set in further]
    common = [structure for structure in first[1:] if all(structure.name in known_names for known_names in names)]
    shared = [replace(structure, number=number) for number, structure in enumerate(common, start=1)]
    return ClassSets((*first, *numbered), (first[0], *shared))


def _renumbered(labels: np.ndarray, own: Sequence[Structure], wanted: Sequence[Structure]) -> np.ndarray:
    numbers = {structure.name: structure.number for structure in wanted[1:]}
    table = np.zeros(MOST, dtype=np.uint8)
    for structure in own[1:]:
        table[structure.number] = numbers.get(structure.name, 0)
    return table[labels]
