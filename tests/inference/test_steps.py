"""The steps of a gate are the gate: each agrees with what the network itself multiplies by."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from scse_viz.attention import record
from scse_viz.blocks import ChannelGate, SpatialGate
from scse_viz.inference import network_input, window
from scse_viz.inference.steps import block_steps, channel_gates_of_crop, channel_steps, spatial_steps
from scse_viz.models import BLOCK_NAMES
from scse_viz.scans import read_scan
from tests.cards import TINY
from tests.scan_files import npy

VARIANTS = ("none", "cse", "sse", "scse")


@pytest.fixture(scope="module")
def scan():
    return read_scan(npy(np.random.default_rng(1).random((40, 44, 6)).astype(np.float32)), name="noise.npy")


def network(variant):
    card = replace(TINY, variant=variant)
    return card, card.network(seed=3).eval()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("block", ["encoder1", "bottleneck", "decoder2"])
def test_the_last_step_is_what_the_network_multiplies_by(variant, block, scan):
    card, model = network(variant)
    x = network_input(scan, card, "axial", [2], window(scan, card))
    wanted = record(model, x, features=True).blocks[block]
    steps = block_steps(scan.slice("axial", 2), model, card, block)
    assert (steps.channel is None, steps.spatial is None) == (wanted.channel_gate is None, wanted.spatial_gate is None)
    if steps.channel is not None:
        assert steps.channel.weights == pytest.approx(wanted.channel_gate[0].numpy(), abs=1e-6)
        assert steps.channel.mean == pytest.approx(wanted.before[0].mean(dim=(1, 2)).numpy(), abs=1e-6)
    if steps.spatial is not None:
        assert steps.spatial.gate == pytest.approx(wanted.spatial_gate[0].numpy(), abs=1e-6)
    assert steps.after == pytest.approx(wanted.after[0].numpy(), abs=1e-6)


@pytest.mark.parametrize(
    ("variant", "halves"), [("cse", ["by_channel"]), ("sse", ["by_space"]), ("scse", ["by_channel", "by_space"])]
)
def test_the_halves_of_a_block_add_up_to_what_leaves_it(variant, halves, scan):
    card, model = network(variant)
    steps = block_steps(scan.slice("axial", 2), model, card, "encoder2")
    for number in range(len(steps.before)):
        added = sum(getattr(steps, half)(number) for half in halves)
        assert added == pytest.approx(steps.after[number], abs=1e-5)


def test_a_half_that_a_block_lacks_is_refused(scan):
    card, model = network("cse")
    with pytest.raises(ValueError, match="no spatial gate"):
        block_steps(scan.slice("axial", 2), model, card, "encoder2").by_space(0)


def test_channel_steps_by_hand():
    gate = ChannelGate(2, reduction=2)
    with torch.no_grad():
        gate.squeeze.weight.copy_(torch.tensor([[1.0, 2.0]]))
        gate.squeeze.bias.fill_(-1.0)
        gate.excite.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        gate.excite.bias.copy_(torch.tensor([0.0, 1.0]))
    u = torch.tensor([[[[1.0, 3.0]], [[0.0, 1.0]]]])  # means 2 and 0.5
    steps = channel_steps(gate, u)
    assert steps.mean.tolist() == [2.0, 0.5]
    assert steps.hidden.tolist() == [2.0]  # 1 * 2 + 2 * 0.5 - 1
    assert steps.weights == pytest.approx([1 / (1 + np.exp(-2)), 1 / (1 + np.exp(1))])


def test_spatial_steps_by_hand():
    gate = SpatialGate(2)
    with torch.no_grad():
        gate.squeeze.weight.copy_(torch.tensor([1.0, -2.0]).view(1, 2, 1, 1))
        gate.squeeze.bias.fill_(0.5)
    steps = spatial_steps(gate, torch.tensor([[[[1.0, 3.0]], [[0.0, 1.0]]]]))
    assert (steps.kernel.tolist(), steps.bias) == ([1.0, -2.0], 0.5)
    assert steps.logits.tolist() == [[1.5, 1.5]]
    assert steps.gate == pytest.approx(np.full((1, 2), 1 / (1 + np.exp(-1.5))))


def test_a_block_that_the_network_lacks_is_an_error_of_the_program(scan):
    card, model = network("cse")
    with pytest.raises(KeyError, match="decoder9"):
        block_steps(scan.slice("axial", 2), model, card, "decoder9")


def test_a_crop_shows_the_middle_alone(scan):
    card, model = network("scse")
    x = network_input(scan, card, "axial", [2], window(scan, card))
    wanted = record(model, x[..., 14:30, 12:28]).blocks
    gates = channel_gates_of_crop(scan.slice("axial", 2), model, card, side=16)
    assert list(gates) == list(BLOCK_NAMES)
    for block, weights in gates.items():
        assert weights == pytest.approx(wanted[block].channel_gate[0].numpy(), abs=1e-6)


def test_a_slice_that_is_smaller_than_the_crop_is_shown_whole(scan):
    card, model = network("cse")
    x = network_input(scan, card, "axial", [2], window(scan, card))
    gates = channel_gates_of_crop(scan.slice("axial", 2), model, card, side=96)
    assert gates["encoder1"] == pytest.approx(record(model, x).blocks["encoder1"].channel_gate[0].numpy(), abs=1e-6)


def test_a_network_without_channel_gates_has_none_in_a_crop(scan):
    card, model = network("sse")
    assert channel_gates_of_crop(scan.slice("axial", 2), model, card, side=16) == {}
