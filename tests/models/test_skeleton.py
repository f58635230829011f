"""What holds for every architecture: sizes, blocks, shared initialisation, errors."""

import pytest
import torch
from torch import nn

from scse_viz.attention import record
from scse_viz.blocks import VARIANTS, ChannelGate, SpatialGate
from scse_viz.models import ARCHITECTURES, BLOCK_NAMES, build

WIDTHS = (4, 4, 6, 6, 8)
architectures = pytest.mark.parametrize("architecture", ARCHITECTURES)


@architectures
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (16, 16), (17, 40), (31, 1)])
@pytest.mark.parametrize("in_channels", [1, 3])
def test_any_size_and_number_of_channels_is_accepted_and_returned(architecture, size, in_channels):
    model = build(architecture, "scse", classes=5, widths=WIDTHS, in_channels=in_channels).eval()
    logits = model(torch.randn(2, in_channels, *size))
    assert logits.shape == (2, 5, *size)
    assert logits.isfinite().all()


@architectures
def test_the_input_is_padded_at_the_bottom_and_right_by_its_edge(architecture):
    model, x = build(architecture, "scse", classes=3, widths=WIDTHS, seed=0).eval(), torch.randn(1, 1, 30, 17)
    padded = nn.functional.pad(x, (0, 15, 0, 2), mode="replicate")
    torch.testing.assert_close(model(x), model(padded)[..., :30, :17])


@architectures
@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_with_one_seed_start_from_the_same_weights_in_shared_layers(architecture, variant):
    plain = build(architecture, "none", classes=3, widths=WIDTHS, seed=7).state_dict()
    other = build(architecture, variant, classes=3, widths=WIDTHS, seed=7).state_dict()
    assert {name for name in other if not name.startswith("blocks.")} == set(plain)
    assert all(torch.equal(other[name], value) for name, value in plain.items())


@architectures
def test_another_seed_gives_other_weights_and_the_global_random_state_is_kept(architecture):
    state = torch.get_rng_state()
    one, two = (build(architecture, "cse", classes=3, widths=WIDTHS, seed=seed).state_dict() for seed in (1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(one["classifier.weight"], two["classifier.weight"])


@architectures
def test_every_stage_is_followed_by_a_block_with_its_channels(architecture):
    model = build(architecture, "scse", classes=3, widths=WIDTHS, reduction=3)
    assert tuple(model.blocks) == BLOCK_NAMES
    channels = [block.channel_gate.squeeze.in_features for block in model.blocks.values()]
    hidden = [block.channel_gate.squeeze.out_features for block in model.blocks.values()]
    assert channels == [4, 4, 6, 6, 8, 6, 6, 4, 4]
    assert hidden == [width // 3 for width in channels]


@architectures
def test_the_block_table_tells_the_channels_and_the_scale_of_every_map(architecture):
    model = build(architecture, "scse", classes=3, widths=WIDTHS).eval()
    blocks = record(model, torch.randn(1, 1, 64, 48)).blocks
    assert [block.name for block in model.block_table] == list(blocks)
    for block in model.block_table:
        assert blocks[block.name].channel_gate.shape == (1, block.channels)
        assert blocks[block.name].spatial_gate.shape == (1, 64 // block.scale, 48 // block.scale)


@architectures
def test_a_network_whose_gates_are_all_one_equals_the_network_without_blocks(architecture):
    x = torch.randn(1, 1, 32, 32)
    plain = build(architecture, "none", classes=3, widths=WIDTHS, seed=0).eval()
    gated = build(architecture, "sse", classes=3, widths=WIDTHS, seed=0).eval()
    assert not torch.allclose(gated(x), plain(x))
    for block in gated.blocks.values():
        block.spatial_gate.register_forward_hook(lambda gate, inputs, output: torch.ones_like(output))
    assert torch.equal(gated(x), plain(x))


@architectures
@pytest.mark.parametrize("block", BLOCK_NAMES)
def test_every_block_receives_a_gradient(architecture, block):
    model = build(architecture, "scse", classes=3, widths=WIDTHS, seed=0)
    model(torch.randn(2, 1, 32, 32)).square().mean().backward()
    for part in model.blocks[block].children():
        assert isinstance(part, ChannelGate | SpatialGate)
        assert sum(parameter.grad.abs().sum() for parameter in part.parameters()) > 0


@architectures
def test_channels_last_and_bfloat16_give_the_same_result(architecture):
    model = build(architecture, "scse", classes=3, widths=WIDTHS, seed=0).eval()
    x = torch.randn(2, 1, 40, 24)
    expected = model(x)
    last = model.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(last, expected, rtol=1e-4, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = model(x)
    torch.testing.assert_close(low.float(), expected, rtol=0.1, atol=0.1)


def test_unknown_names_and_a_wrong_number_of_widths_are_refused():
    with pytest.raises(ValueError, match=r"architecture 'vnet' is unknown; choose one of unet, sdnet, densenet"):
        build("vnet", "scse", classes=3)
    with pytest.raises(ValueError, match=r"variant 'se' is unknown; choose one of none, cse"):
        build("unet", "se", classes=3)
    with pytest.raises(ValueError, match=r"4 widths; give 5: encoder1 to encoder4 and the bottleneck"):
        build("unet", "scse", classes=3, widths=(4, 4, 4, 4))
    with pytest.raises(ValueError, match=r"reduction 9 leaves no hidden unit of 4 channels"):
        build("unet", "scse", classes=3, widths=WIDTHS, reduction=9)
