"""The relatives in whole networks: what of them is recorded, and what changing them does."""

import pytest
import torch
from torch import nn

from scse_viz.attention import find_sites, record
from scse_viz.blocks import RELATIVES
from scse_viz.intervention import OFF, Change, Mean, Off, Strength, intervene
from scse_viz.models import ARCHITECTURES, BLOCK_NAMES, build
from tests.tiny_networks import WIDTHS, images, network, state_of

KINDS = {
    "scse-r16": "both",
    "eca": "channel",
    "soca": "channel",
    "cbam": "both",
    "pe": "full",
    "nonlocal": "attention",
    "ag": "spatial",
}
variants = pytest.mark.parametrize("variant", RELATIVES)


def awake(variant: str, architecture: str = "unet") -> nn.Module:
    """A network in which a non-local block does something: its scale starts at 0."""
    model = network(variant, architecture)
    for name, value in model.named_parameters():
        if name.startswith("blocks") and name.endswith(".scale"):
            nn.init.constant_(value, 0.5)
    return model


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@variants
def test_every_block_is_recorded_by_what_it_tells_apart(architecture, variant):
    model, x = network(variant, architecture), images(2)
    before = state_of(model)
    recording = record(model, x)
    assert state_of(model) == before
    assert list(recording.blocks) == list(BLOCK_NAMES)
    for info in model.block_table:
        block, side = recording.blocks[info.name], 32 // info.scale
        if variant == "ag" and not info.name.startswith("encoder"):
            assert recording.sites[info.name].kind == "none"
            assert block.activation.shape == (2, side, side)
            continue
        assert recording.sites[info.name].kind == KINDS[variant]
        shapes = {
            "channel_gate": (2, info.channels),
            "spatial_gate": (2, side, side),
            "full_gate": (2, info.channels, side, side),
        }
        for kind, shape in shapes.items():
            gate = getattr(block, kind)
            assert (gate is not None) == (kind in recording.sites[info.name].gates)
            assert gate is None or (gate.shape == shape and 0 <= gate.min() <= gate.max() <= 1)
        if variant == "nonlocal":
            assert block.attention.received().shape == (2, side, side)
            torch.testing.assert_close(block.attention.row(0, 0).sum(dim=(1, 2)), torch.ones(2))


@variants
def test_a_network_with_every_block_off_equals_the_network_without_blocks(variant):
    x, model = images(), awake(variant)
    plain = network("none").eval()
    assert not torch.allclose(record(model, x).output, plain(x))
    off = intervene(model, x, dict.fromkeys(BLOCK_NAMES, OFF))
    torch.testing.assert_close(off.output, plain(x))
    assert all(block.activation is not None for block in off.blocks.values())


@variants
def test_every_gate_can_be_changed_and_is_recorded_as_changed(variant):
    x, model = images(), awake(variant)
    site = find_sites(model)["encoder2"]
    before = record(model, x)
    for kind in site.gates:
        changed = intervene(model, x, {"encoder2": Change(**{kind: Mean()})})
        assert not torch.equal(changed.output, before.output)
        gate = getattr(changed.blocks["encoder2"], kind)
        if kind == "attention":
            torch.testing.assert_close(gate.received(), torch.ones(1, 16, 16))
        else:
            torch.testing.assert_close(gate, getattr(before.blocks["encoder2"], kind).mean().expand_as(gate))


@pytest.mark.parametrize("variant", ["eca", "soca", "pe", "ag"])
def test_a_single_gate_off_equals_its_block_off(variant):
    x, model = images(), awake(variant)
    (kind,) = find_sites(model)["encoder1"].gates
    one, other = (intervene(model, x, {"encoder1": change}).output for change in (Change(**{kind: Off()}), OFF))
    torch.testing.assert_close(one, other)


def test_the_strength_of_a_non_local_block_is_a_factor_of_its_scale():
    x, model = images(), awake("nonlocal")
    halved = intervene(model, x, {"decoder2": Change(strength=0.5)}).output
    with torch.no_grad():
        model.blocks["decoder2"].scale.mul_(0.5)
    torch.testing.assert_close(halved, record(model, x).output)


def test_an_attention_gate_changes_what_the_skip_takes_and_not_what_goes_down():
    x, model = images(), awake("ag")
    seen = {}
    model.encoder["2"].register_forward_pre_hook(lambda stage, inputs: seen.setdefault("down", inputs[0].clone()))
    before = record(model, x, features=True)
    closed = intervene(model, x, {"encoder1": Change(spatial_gate=Strength(0.3))}, features=True)
    assert torch.equal(before.blocks["encoder2"].before, closed.blocks["encoder2"].before)
    assert not torch.allclose(before.output, closed.output)
    skip = before.blocks["encoder1"]
    torch.testing.assert_close(skip.after, skip.before * skip.spatial_gate[:, None])
    assert torch.equal(nn.functional.max_pool2d(skip.before, 2), seen["down"])


def test_attention_takes_no_change_but_its_mean():
    with pytest.raises(ValueError, match="attention can only be averaged; to switch it off, give the block strength 0"):
        intervene(network("nonlocal"), images(), {"encoder1": Change(attention=Off())})


@pytest.mark.parametrize("variant", ["soca", "nonlocal"])
def test_batches_give_the_gates_of_single_images(variant):
    x, model = images(3), build("unet", variant, classes=3, widths=WIDTHS, seed=0)
    together, alone = record(model, x), [record(model, x[row : row + 1]) for row in range(3)]
    for name, block in together.blocks.items():
        for row in range(3):
            one, other = block, alone[row].blocks[name]
            if variant == "soca":
                torch.testing.assert_close(one.channel_gate[row], other.channel_gate[0])
            else:
                torch.testing.assert_close(one.attention.received()[row], other.attention.received()[0])
