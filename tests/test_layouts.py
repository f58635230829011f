"""Blocks of other libraries: each is known by its layout, and scSE weights move between three of them."""

import pytest
import timm
import torch
import torchvision
from segmentation_models_pytorch.base.modules import SCSEModule
from torch import nn

from scse_viz.blocks import VARIANTS
from scse_viz.layouts import AUTHORS, FOREIGN, OURS, SMP, convert, foreign_layout
from tests.peers import ChannelSELayer, ChannelSpatialSELayer

BLOCKS = {
    "segmentation_models_pytorch.SCSEModule": lambda: SCSEModule(8, 2),
    "authors' ChannelSpatialSELayer": lambda: ChannelSpatialSELayer(8),
    "authors' ChannelSELayer": lambda: ChannelSELayer(8),
    "torchvision.ops.SqueezeExcitation": lambda: torchvision.ops.SqueezeExcitation(8, 2),
    "timm.layers.SEModule": lambda: timm.layers.SEModule(8),
    "timm's SqueezeExcite of EfficientNet": lambda: next(
        part for part in timm.create_model("mobilenetv3_small_050").modules() if type(part).__name__ == "SqueezeExcite"
    ),
    "timm.layers.EffectiveSEModule": lambda: timm.layers.EffectiveSEModule(8),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_every_block_in_the_table_is_known_by_its_own_layout(name):
    assert foreign_layout(BLOCKS[name]()) is FOREIGN[name]


def test_a_head_with_the_same_children_but_no_sigmoid_is_not_a_block():
    head = nn.ModuleDict({"fc1": nn.Linear(8, 4), "fc2": nn.Linear(4, 8), "gate": nn.Softmax(dim=1)})
    assert foreign_layout(head) is None


@pytest.mark.parametrize(
    ("peer", "layout", "variant"),
    [(SCSEModule, SMP, "scse"), (ChannelSpatialSELayer, AUTHORS, "scse-max")],
    ids=["smp", "authors"],
)
def test_a_block_of_another_library_with_our_weights_gives_our_result_and_its_weights_come_back(peer, layout, variant):
    ours, theirs = VARIANTS[variant](8, 2), peer(8, 2)
    theirs.load_state_dict(convert(ours.state_dict(), OURS, layout))
    u = torch.randn(2, 8, 5, 6)
    torch.testing.assert_close(ours(u), theirs(u), rtol=0, atol=1e-6)
    back = convert(theirs.state_dict(), layout, OURS)
    assert back.keys() == ours.state_dict().keys()
    assert all(torch.equal(back[key], value) for key, value in ours.state_dict().items())


def test_weights_move_between_two_other_libraries():
    state = SCSEModule(8, 4).state_dict()
    there = convert(state, SMP, AUTHORS)
    assert there["cSE.fc1.weight"].shape == (2, 8)
    assert all(torch.equal(convert(there, AUTHORS, SMP)[key], value) for key, value in state.items())


def test_missing_weights_are_named():
    with pytest.raises(ValueError, match=r"the weights lack channel_gate.squeeze.weight.*; give the state dict"):
        convert(VARIANTS["sse"](8).state_dict(), OURS, SMP)


def test_unknown_weights_are_named():
    with pytest.raises(ValueError, match=r"unknown weights join.weight, join.bias; give the state dict of one block"):
        convert(VARIANTS["scse-concat"](8).state_dict(), OURS, SMP)


def test_a_wrong_shape_is_refused_with_the_shape_that_is_needed():
    state = SCSEModule(8, 2).state_dict() | {"sSE.0.weight": torch.zeros(1, 9, 1, 1)}
    with pytest.raises(ValueError, match=r"sSE.0.weight has shape \(1, 9, 1, 1\); 8 channels .* need \(1, 8, 1, 1\)"):
        convert(state, SMP, OURS)


def test_a_vector_in_place_of_a_matrix_is_refused():
    state = VARIANTS["scse"](8).state_dict() | {"channel_gate.squeeze.weight": nn.Parameter(torch.zeros(8))}
    with pytest.raises(ValueError, match=r"channel_gate.squeeze.weight has shape \(8,\); 2 axes are needed"):
        convert(state, OURS, SMP)


def test_a_layout_without_weights_is_refused():
    with pytest.raises(ValueError, match="a layout lists no weights; convert between OURS, SMP and AUTHORS"):
        convert(SCSEModule(8, 2).state_dict(), SMP, FOREIGN["timm.layers.SEModule"])
