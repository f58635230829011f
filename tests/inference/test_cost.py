"""What blocks and networks cost, worked by hand."""

import pytest
import torch

from scse_viz import zoo
from scse_viz.blocks import VARIANTS
from scse_viz.inference.cost import multiply_adds, of_slice
from scse_viz.zoo.scores import results
from tests.cards import TINY

CHANNELS, PIXELS = 8, 6 * 10
BY_HAND = {
    "none": 0,
    "cse": 2 * CHANNELS * CHANNELS // 2,  # C to C / 2, and back
    "sse": PIXELS * CHANNELS,  # a 1 x 1 convolution of C channels to one
    "scse": 2 * CHANNELS * CHANNELS // 2 + PIXELS * CHANNELS,
    "scse-concat": 2 * CHANNELS * CHANNELS // 2 + PIXELS * CHANNELS + PIXELS * 2 * CHANNELS * CHANNELS,
}


@pytest.mark.parametrize("variant", BY_HAND)
def test_multiply_adds_of_a_block_are_those_worked_by_hand(variant):
    kind = VARIANTS[variant]
    block = kind() if variant == "none" else kind(CHANNELS, 2) if variant != "sse" else kind(CHANNELS)
    assert multiply_adds(block, torch.randn(1, CHANNELS, 6, 10)) == BY_HAND[variant]


def test_the_cost_of_a_network_is_as_measured_or_counted_at_the_size_of_its_anatomy():
    measured = results(zoo.PRETRAINED)
    name = "hippocampus-unet-scse"
    assert of_slice(zoo.read_card(name), measured) == (measured[name].multiply_adds, (48, 64))
    others = {key: value for key, value in measured.items() if key != name}
    assert of_slice(zoo.read_card(name), others) == of_slice(zoo.read_card(name), measured)
    assert of_slice(TINY, measured)[1] == (256, 256)
