"""Pictures and messages hold the very numbers they were made from."""

import numpy as np

from scse_viz.rendering.pictures import eight_bit, pack, picture
from tests.packed import header_of, numbers, numbers_of


def test_a_picture_holds_the_numbers_it_was_made_from():
    pixels = np.random.default_rng(0).integers(0, 256, (8, 32), dtype=np.uint8)
    made = picture(pixels)
    assert (made.height, made.width) == (8, 32)
    assert (numbers(made) == pixels).all()


def test_making_a_picture_changes_no_array():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    picture(pixels)
    assert (pixels == np.arange(12).reshape(3, 4)).all()


def test_a_turned_slice_is_not_scrambled():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4).T[::-1]
    assert (numbers(picture(pixels)) == pixels).all()


def test_wider_integers_become_bytes():
    assert numbers(picture(np.array([[0, 255], [7, 0]]))).tolist() == [[0, 255], [7, 0]]


def test_pictures_of_other_numbers_or_sizes_have_other_names():
    pixels = [np.zeros((2, 6)), np.zeros((3, 4)), np.ones((3, 4)), np.ones((3, 4))]
    names = [picture(numbers).name for numbers in pixels]
    assert len(set(names)) == 3
    assert names[2] == names[3]


def test_a_message_holds_every_picture_once():
    arrays = [np.zeros((4, 4), np.uint8), np.arange(15, dtype=np.uint8).reshape(3, 5)]
    first, second = map(picture, arrays)
    message = pack({"rows": 2}, [second, first, second])
    assert header_of(message)["rows"] == 2
    held = numbers_of(message)
    assert list(held) == [second.name, first.name]
    assert (held[first.name] == arrays[0]).all()
    assert (held[second.name] == arrays[1]).all()


def test_a_message_may_have_no_picture():
    assert numbers_of(pack({}, [])) == {}


def test_intensities_outside_the_range_end_at_black_and_white():
    assert eight_bit(np.array([-5.0, 10, 15, 20, 99]), 10, 20).tolist() == [0, 0, 128, 255, 255]


def test_a_range_of_no_width_is_all_black():
    assert eight_bit(np.full((2, 2), 7.0), 7, 7).max() == 0
