"""Devices: names that torch has, refusals in a sentence, and networks and results that move only where they must."""

import numpy as np
import pytest
import torch
from torch import nn

from scse_viz.attention import record
from scse_viz.inference import segment_slice
from scse_viz.scans import read_scan
from scse_viz.system.devices import (
    DeviceError,
    beside,
    device_named,
    device_of,
    device_of_app,
    in_words,
    on_device,
    on_processor,
)
from tests.cards import TINY
from tests.tiny_networks import images, network


def test_auto_is_the_graphics_card_where_there_is_one_and_else_the_processor():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert device_named().type == device_named("auto").type == device_of_app({}).type == expected
    assert device_named("cpu") == device_of_app({"SCSE_VIZ_DEVICE": " cpu "}) == torch.device("cpu")
    assert in_words(torch.device("cpu")) == "the processor"


@pytest.mark.parametrize("name", ["gpu", "meta", "cuda:x", ""])
def test_names_that_are_no_device_of_torch_are_refused(name):
    with pytest.raises(DeviceError, match=rf"{name}: no device of torch; choose auto, cpu, cuda, or a number"):
        device_named(name)


def test_a_device_that_this_machine_lacks_is_refused():
    with pytest.raises(DeviceError, match=r"cuda:99: torch finds no such device; choose cpu or auto"):
        device_of_app({"SCSE_VIZ_DEVICE": "cuda:99"})


def test_a_network_moves_as_a_copy_and_only_to_another_device():
    model = network()
    assert on_device(model, "cpu") is model
    moved = on_device(model, torch.device("meta"))
    assert device_of(moved).type == "meta"
    assert device_of(model).type == "cpu"
    assert device_of(nn.ReLU()).type == "cpu"
    assert beside(images(), moved).device.type == "meta"


def test_gates_are_recorded_on_the_device_of_the_network():
    model = on_device(network(), torch.device("meta"))
    recording = record(model, beside(images(), model))
    assert recording.blocks["encoder1"].channel_gate.device.type == "meta"


def test_a_record_that_lies_in_the_processors_memory_stays_as_it_is():
    block = record(network(), images(), features=True).blocks["bottleneck"]
    moved = on_processor(block)
    assert moved.channel_gate is block.channel_gate
    assert (moved.activation, moved.ran) == (None, True)


def test_segmenting_on_the_device_that_auto_finds_gives_what_the_processor_gives(tmp_path):
    np.save(tmp_path / "noise.npy", np.random.default_rng(0).random((32, 32, 3), dtype=np.float32))
    scan = read_scan(tmp_path / "noise.npy")
    model = TINY.network(seed=0).eval()
    segmented, expected = (segment_slice(scan.slice("axial", 1), one, TINY) for one in (on_device(model), model))
    np.testing.assert_allclose(segmented.confidence, expected.confidence, atol=1e-4)
