"""Changes to gates and to the strength of a block, worked by hand."""

import pytest
import torch
from torch import Tensor

from scse_viz.attention import record
from scse_viz.blocks import VARIANTS
from scse_viz.intervention import OFF, Change, Invert, Mean, Off, Region, Shuffle, Shut, Strength, intervene
from scse_viz.models import BLOCK_NAMES
from tests.tiny_networks import images, network

BOTH = [variant for variant in VARIANTS if variant.startswith("scse")]
GATE_CHANGES = [Off(), Mean(), Invert(), Shuffle(3), Strength(0.5)]


def block_output(variant: str, change: Change) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """u, c and s of a single block, and its output when it is changed."""
    torch.manual_seed(0)
    block, u = VARIANTS[variant](4), torch.randn(2, 4, 6, 6)
    recorded = record(block, u).blocks["block"]
    changed = intervene(block, u, {"block": change})
    return u, recorded.channel_gate[:, :, None, None], recorded.spatial_gate[:, None], changed.output


def test_scse_doubles_its_input_with_both_gates_off_and_returns_it_with_the_block_off():
    u, c, s, output = block_output("scse", Change(channel_gate=Off(), spatial_gate=Off()))
    torch.testing.assert_close(output, 2 * u)
    assert torch.equal(block_output("scse", OFF)[3], u)
    torch.testing.assert_close(block_output("scse", Change(channel_gate=Off()))[3], u * (1 + s))
    torch.testing.assert_close(block_output("scse", Change(spatial_gate=Off()))[3], u * (c + 1))


def test_the_strength_of_a_block_interpolates_from_its_input_to_its_output_and_beyond():
    for factor in (0.25, 2):
        u, c, s, output = block_output("scse", Change(strength=factor))
        torch.testing.assert_close(output, u + factor * (u * (c + s) - u))


def test_gates_of_max_and_product_are_changed_before_they_are_joined():
    change = Change(channel_gate=Invert(), spatial_gate=Strength(0.5))
    u, c, s, output = block_output("scse-max", change)
    torch.testing.assert_close(output, torch.maximum(u * (1 - c), u * (0.5 + 0.5 * s)))
    u, c, s, output = block_output("scse-mul", change)
    torch.testing.assert_close(output, (u * (1 - c)) * (u * (0.5 + 0.5 * s)))


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize("change", GATE_CHANGES, ids=lambda change: type(change).__name__)
def test_each_gate_is_changed_alone_and_recorded_as_applied(change, variant):
    model, x = network(variant), images(2)
    as_is = record(model, x).blocks["encoder3"]
    changed = intervene(model, x, {"encoder3": Change(channel_gate=change)}).blocks["encoder3"]
    assert torch.equal(changed.channel_gate, change.applied(as_is.channel_gate))
    assert torch.equal(changed.spatial_gate, as_is.spatial_gate)
    changed = intervene(model, x, {"encoder3": Change(spatial_gate=change)}).blocks["encoder3"]
    assert torch.equal(changed.channel_gate, as_is.channel_gate)
    assert torch.equal(changed.spatial_gate, change.applied(as_is.spatial_gate))


def test_changes_of_a_gate_by_hand():
    g = torch.tensor([[0.1, 0.2, 0.9], [0.5, 0.5, 0.8]])
    torch.testing.assert_close(Mean().applied(g), torch.tensor([[0.4] * 3, [0.6] * 3]))
    torch.testing.assert_close(Invert().applied(g), torch.tensor([[0.9, 0.8, 0.1], [0.5, 0.5, 0.2]]))
    torch.testing.assert_close(Strength(2).applied(g), torch.tensor([[-0.8, -0.6, 0.8], [0.0, 0.0, 0.6]]))
    torch.testing.assert_close(Shut((0, 2)).applied(g), torch.tensor([[0, 0.2, 0], [0, 0.5, 0]]))
    assert torch.equal(Off().applied(g), torch.ones(2, 3))


def test_a_shuffled_gate_keeps_its_values_and_a_seed_fixes_their_order():
    g = torch.arange(48.0).view(2, 4, 6)
    shuffled, state = Shuffle(1).applied(g), torch.get_rng_state()
    assert torch.equal(shuffled.flatten(1).sort().values, g.flatten(1))
    assert not torch.equal(shuffled, g)
    assert torch.equal(shuffled[1] - shuffled[0], torch.full((4, 6), 24.0))  # one permutation for all images
    assert torch.equal(Shuffle(1).applied(g), shuffled)
    assert not torch.equal(Shuffle(2).applied(g), shuffled)
    assert torch.equal(torch.get_rng_state(), state)


def test_shutting_a_channel_gate_leaves_the_spatial_half_of_scse():
    u, c, s, output = block_output("scse", Change(channel_gate=Shut((1,))))
    torch.testing.assert_close(output[:, 1], (u * s)[:, 1])
    torch.testing.assert_close(output[:, 0], (u * (c + s))[:, 0])


def test_a_region_sets_the_gate_inside_and_leaves_it_unchanged_outside():
    mask = torch.zeros(32, 32)
    mask[8:24, 16:] = 1
    model, x = network(), images(2)
    as_is = record(model, x)
    changed = intervene(model, x, dict.fromkeys(BLOCK_NAMES[:3], Change(spatial_gate=Region(mask, 0))))
    encoder1, before = changed.blocks["encoder1"].spatial_gate, as_is.blocks["encoder1"].spatial_gate
    assert (encoder1[:, 8:24, 16:] == 0).all()
    assert torch.equal(encoder1[:, :, :16], before[:, :, :16])
    assert torch.equal(encoder1[:, :8], before[:, :8])
    encoder3 = changed.blocks["encoder3"].spatial_gate  # 4 pixels of the input a pixel
    assert (encoder3[:, 2:6, 4:] == 0).all()
    assert (encoder3[:, :, :4] > 0).all()


def test_a_pixel_partly_covered_by_a_region_is_replaced_in_proportion():
    mask = torch.zeros(4, 4)
    mask[:2, :1] = 1  # half of the first pixel of a gate of 2 x 2
    g = torch.full((1, 2, 2), 0.5)
    changed = Region(mask, 1).applied(g)
    torch.testing.assert_close(changed, torch.tensor([[[0.75, 0.5], [0.5, 0.5]]]))


@pytest.mark.parametrize("change", [*GATE_CHANGES, Shut((1,))], ids=lambda change: type(change).__name__)
def test_a_change_does_not_overwrite_the_gate(change):
    g = torch.rand(2, 3)
    kept = g.clone()
    change.applied(g)
    assert torch.equal(g, kept)
