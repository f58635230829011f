"""Label files name what they like; groups say which of our structures each of their labels means."""

import json

import numpy as np
import pytest

from scse_viz.scans import read_labels, read_scan
from scse_viz.scans.samples import Group, in_groups, known_labels, legend_of, of_structures, own_groups, samples
from scse_viz.zoo.structures import BRAIN, HIPPOCAMPUS

TISSUES = (Group(1, "white matter", (1, 4)), Group(2, "grey matter", (2, 5)))


def test_class_numbers_become_the_labels_that_cover_them():
    assert in_groups(np.array([[0, 1, 2], [4, 5, 17]]), TISSUES).tolist() == [[0, 1, 2], [1, 2, 0]]


def test_labels_are_drawn_as_the_structure_they_name_or_as_one_of_their_own():
    groups = (Group(1, "grey matter", (2, 5)), Group(2, "deep grey", (6,)), Group(3, "white matter", (1, 4)))
    legend = legend_of(BRAIN, groups)
    drawn = of_structures(np.array([0, 1, 2, 3]), groups, len(BRAIN))
    names = [legend[number].name for number in drawn]
    assert names == ["background", "grey matter (labels)", "thalamus", "white matter (labels)"]
    assert [structure.number for structure in legend] == list(range(len(BRAIN) + 2))


def test_labels_of_several_structures_have_the_mean_of_their_colours():
    whole = legend_of(HIPPOCAMPUS, (Group(1, "hippocampus", (1, 2)),))[-1]
    assert whole.colour == "#9eaa74"  # of #e69f00 and #56b4e9: (230 + 86) / 2, (159 + 180) / 2, (0 + 233) / 2


def test_numbers_that_no_group_has_are_left_out():
    assert known_labels(np.array([0, 1, 2, 41, 1001]), TISSUES).tolist() == [0, 1, 2, 0, 0]


def test_a_label_file_of_our_own_numbers_groups_nothing():
    labels = np.arange(len(BRAIN))
    assert (in_groups(labels, own_groups(BRAIN, labels)) == labels).all()


def test_a_folder_without_samples_has_none(tmp_path):
    assert samples(tmp_path) == {}


def test_an_index_gives_samples_in_its_order(tmp_path):
    facts = {
        "title": "A head: of somebody",
        "scan": "a.nii",
        "labels": "b.nii",
        "groups": [],
        "source": "",
        "licence": "",
    }
    (tmp_path / "samples.json").write_text(json.dumps([{"name": "b", **facts}, {"name": "a", **facts}]))
    listed = samples(tmp_path)
    assert list(listed) == ["b", "a"]
    assert (listed["a"].scan, listed["a"].short) == (tmp_path / "a.nii", "A head")


@pytest.mark.parametrize("name", samples())
def test_the_labels_of_every_sample_lie_on_its_scan_and_hold_what_its_groups_name(name):
    sample = samples()[name]
    labels = read_labels(sample.labels, read_scan(sample.scan))
    assert set(np.unique(labels)) == {0, *(group.label for group in sample.groups)}


def test_structures_that_a_label_file_lacks_are_not_judged():
    labels = np.array([[0, 10, 10], [7, 0, 1001]])
    assert [group.name for group in own_groups(BRAIN, labels)] == ["caudate", "hippocampus"]
