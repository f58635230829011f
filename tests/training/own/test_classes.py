"""Label numbers become classes in one way, that is said, or are refused."""

from pathlib import Path

import numpy as np
import pytest

from scse_viz.training.own.classes import DataError, named_in_dataset, named_in_file, numbered


def names(classes) -> list[str]:
    return [structure.name for structure in classes.structures]


def test_numbers_with_gaps_become_classes_in_their_order_and_the_sentences_say_so() -> None:
    classes = numbered({0, 41, 2, 300})
    assert names(classes) == ["background", "label 2", "label 41", "label 300"]
    assert classes.of(np.array([[0, 41], [300, 2]]), "x").tolist() == [[0, 2], [3, 1]]
    assert classes.sentences()[2] == "2 label 41: number 41 in the label files"


@pytest.mark.parametrize("labels", [{"0": "background", "4": "core"}, {"background": 0, "core": 4}])
def test_both_ways_of_writing_dataset_json_are_read(labels: object) -> None:
    assert names(named_in_dataset(labels)) == ["background", "core"]
    assert named_in_dataset(labels).of(np.array([4, 0]), "x").tolist() == [1, 0]


def test_a_number_that_dataset_json_lacks_is_refused() -> None:
    with pytest.raises(DataError, match=r"scan\.nii: contains number 7 without a name; named are numbers 0 and 1"):
        named_in_dataset({"0": "background", "1": "core"}).of(np.array([0, 1, 7]), "scan.nii")


def test_a_file_of_names_chooses_merges_and_colours(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text(
        "# as FreeSurfer\n0 Unknown 0 0 0 0\n17 hippocampus 220 216 20 0\n53 hippocampus\n10 thalamus\n9 gone\n"
    )
    classes = named_in_file(path, {0, 10, 17, 53, 80})
    assert names(classes) == ["background", "thalamus", "hippocampus"]
    assert classes.structures[2].colour == "#dcd814"
    assert classes.of(np.array([80, 17, 53, 10]), "x").tolist() == [0, 2, 2, 1]
    assert classes.sentences()[0] == "0 background: number 0 and every other number in the label files"
    assert classes.sentences()[2] == "2 hippocampus: numbers 17 and 53 in the label files"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hippocampus\n", "line 1 lacks the form"),
        ("1 a\n1 b\n", "line 2 repeats number 1"),
        ("5 elsewhere\n", "names number 5, but the label files contain numbers 0 and 1"),
    ],
)
def test_a_file_of_names_that_cannot_be_meant_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=sentence):
        named_in_file(path, {0, 1})


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [({0}, "names only background"), (set(range(400)), "400 different numbers"), ({-1, 2}, "number -1")],
)
def test_labels_that_no_network_can_learn_are_refused(numbers: set[int], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        numbered(numbers)


def test_every_structure_has_a_colour_of_its_own() -> None:
    colours = [structure.colour for structure in numbered(range(255)).structures]
    assert len(set(colours)) == 255
    assert colours[1:4] == ["#e69f00", "#56b4e9", "#009e73"], "Okabe and Ito"


@pytest.mark.parametrize(
    ("name", "sided"), [("left hippocampus", True), ("Hippocampus_R", True), ("rh-cortex", True), ("cleft", False)]
)
def test_structures_of_one_side_are_known_by_their_names(name: str, sided: bool) -> None:
    assert named_in_dataset({"1": name}).sided == sided


def test_left_and_right_of_a_structure_are_painted_alike_and_nameless_numbers_apart(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("17 left hippocampus\n53 right hippocampus\n2 white matter\n41 white matter\n")
    paints = named_in_file(path, {2, 17, 41, 53, 80, 90}).paints({2, 17, 41, 53, 80, 90})
    assert paints.numbers == (0, 2, 17, 41, 53, 80, 90)
    assert paints.groups == (0, 1, 2, 1, 2, 3, 4)
