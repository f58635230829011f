"""Means over seeds, worked by hand."""

from dataclasses import replace

import pytest

from scse_viz.zoo.scores import Measured, NetworkResults, Score
from scse_viz.zoo.seeds import differences, of_common_seeds, over_seeds, signs_in_words


def network(seed: int, *dice: float, variant: str = "scse") -> NetworkResults:
    scores = {f"head {number}": {"axial": {"white": Score(value, None)}} for number, value in enumerate(dice)}
    data = {"heads": Measured("heads", ("axial",), scores)}
    return NetworkResults("a", "brain", "unet", variant, seed, "", 1, 0.0, 1, (8, 8), 1.0, data)


def test_heads_are_averaged_over_seeds_and_seeds_over_the_heads_that_all_have() -> None:
    mean = over_seeds([network(0, 0.5, 0.7), network(1, 0.7, 0.9, 0.1)], "heads")
    assert mean.heads == pytest.approx({"head 0": 0.6, "head 1": 0.8})
    assert mean.seeds == pytest.approx({0: 0.6, 1: 0.8})
    assert mean.text(".3f") == "0.700 ± 0.141 (2 seeds: 0.600 to 0.800)"
    assert over_seeds([network(0, 0.5)], "heads").text(".3f") == "0.500"


def test_what_was_not_measured_is_left_out() -> None:
    assert over_seeds([network(0, 0.5), replace(network(1, 0.7), data={})], "heads").seeds == {0: 0.5}
    assert over_seeds([], "heads").text(".3f") == ""


def test_pairs_have_the_same_seeds_or_else_the_first() -> None:
    one, other = [network(0, 0.5), network(2, 0.6)], [network(2, 0.7), network(1, 0.8)]
    assert of_common_seeds(one, other, "heads") == ([one[1]], [other[0]])
    assert of_common_seeds(one[:1], other, "heads") == ([one[0]], [other[0]])


def test_the_difference_of_every_seed_has_its_sign() -> None:
    by_variant = {
        "scse": [network(0, 0.5), network(1, 0.7), network(2, 0.9)],
        "none": [network(0, 0.52, variant="none"), network(1, 0.69, variant="none")],
    }
    by_seed = differences(by_variant, "heads")
    assert signs_in_words(by_seed) == "-0.020 with seed 0, +0.010 with seed 1"
    assert signs_in_words(differences({}, "heads")) == ""
