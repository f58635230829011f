"""Classes and colours as users type them, and as JSON files have them."""

import pytest

from scse_viz.zoo.structures import numbered, read_structures


def names(text: str, count: int) -> list[str]:
    return [structure.name for structure in read_structures(text, count)]


@pytest.mark.parametrize(
    "text",
    [
        "background, liver, spleen",
        "liver; spleen",
        "background\nliver\nspleen",
        '{"0": "background", "1": "liver", "2": "spleen"}',
        '{"1": "liver", "2": "spleen"}',
        '["background", "liver", "spleen"]',
        '{"labels": {"background": 0, "liver": 1, "spleen": 2}, "channel_names": {}}',
        '[{"number": 2, "name": "spleen"}, {"number": 1, "name": "liver", "colour": "#112233"}]',
    ],
)
def test_names_are_read_however_they_come(text):
    assert names(text, 3) == ["background", "liver", "spleen"]


def test_colours_are_those_given_and_else_told_apart():
    structures = read_structures("background, liver #AABBCC, spleen", 3)
    assert [structure.colour for structure in structures] == ["#000000", "#aabbcc", "#56b4e9"]
    assert len({structure.colour for structure in numbered(60)}) == 60
    assert names("background, liver", 3) == ["background", "liver", "class 2"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a, b, c, d", "class 3 is named, and the network has classes 0 to 2"),
        ("background, liver, liver", "same name"),
        ("{", "not JSON"),
        ('{"a": "b"}', "must be names by number"),
        ('[{"number": 1}]', "must be names by number"),
        ('[{"number": 1, "name": "x", "colour": "red;"}]', "colour 'red;' is not like #0c30ff"),
        ("[1, 2]", "must be names by number"),
    ],
)
def test_what_names_no_classes_is_refused(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_structures(text, 3)


def test_classes_of_a_list_without_numbers_are_in_its_order():
    text = '[{"name": "background"}, {"name": "liver", "colour": "#D55E00"}, {"name": "spleen"}]'
    named = [(structure.number, structure.name) for structure in read_structures(text, 3)]
    assert named == [(0, "background"), (1, "liver"), (2, "spleen")]
    assert read_structures(text, 3)[1].colour == "#d55e00"


def test_a_single_class_is_a_sigmoid():
    with pytest.raises(
        ValueError, match="one class, where softmax tells two or more apart; say that its head is a sig"
    ):
        numbered(1)


def test_more_classes_than_a_label_map_holds_are_refused():
    with pytest.raises(ValueError, match="257 classes; a label map has 2 to 256"):
        numbered(257)
