"""Class sets of several networks: one numbering, and what all of them have."""

import numpy as np
import pytest

from scse_viz.zoo.class_sets import class_sets
from scse_viz.zoo.structures import Structure


def classes(*names: str) -> tuple[Structure, ...]:
    return tuple(Structure(number, name, "#000000") for number, name in enumerate(names))


FIRST = classes("background", "liver", "spleen", "kidney")
OTHER = classes("nothing", "kidney", "heart", "liver")


def test_classes_of_one_name_get_one_number_and_those_of_the_first_keep_theirs():
    sets = class_sets([FIRST, OTHER])
    assert [structure.name for structure in sets.structures] == ["background", "liver", "spleen", "kidney", "heart"]
    assert [structure.number for structure in sets.structures] == [0, 1, 2, 3, 4]
    labels = np.array([[0, 1], [2, 3]], dtype=np.uint8)
    assert sets.in_all(labels, OTHER).tolist() == [[0, 3], [4, 1]]
    assert sets.in_all(labels, FIRST).tolist() == labels.tolist()


def test_only_classes_of_all_networks_are_shared():
    sets = class_sets([FIRST, OTHER])
    assert [structure.name for structure in sets.shared] == ["background", "liver", "kidney"]
    assert sets.in_shared(np.array([1, 2, 3]), FIRST).tolist() == [1, 0, 2]
    assert sets.in_shared(np.array([1, 2, 3]), OTHER).tolist() == [2, 0, 1]
    assert not sets.same
    assert class_sets([FIRST, FIRST]).same


def test_more_classes_than_a_label_map_holds_are_refused():
    many = classes("background", *(f"class {number}" for number in range(200)))
    others = classes("background", *(f"region {number}" for number in range(100)))
    with pytest.raises(ValueError, match="301 classes together"):
        class_sets([many, others])
