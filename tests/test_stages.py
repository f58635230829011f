"""Stages of networks of any make, and which blocks of two networks correspond."""

import segmentation_models_pytorch as smp
import torch

from scse_viz.attention import find_sites
from scse_viz.blocks import BlockInfo
from scse_viz.models import block_infos
from scse_viz.recording.sites import block_table
from scse_viz.stages import corresponding, short_names, sides, stages
from tests import stacks

OURS = block_infos((4, 4, 6, 6, 8))


def table(encoder: str, attention: str | None = "scse") -> tuple[BlockInfo, ...]:
    model = smp.Unet(encoder, encoder_weights=None, decoder_attention_type=attention, classes=2)
    return block_table(find_sites(model, torch.rand(1, 3, 64, 96)), (64, 96))


def test_an_efficientnet_with_scse_has_ten_stages_of_known_sides_and_scales():
    rows = [(stage.name, stage.side, stage.scale, len(stage.blocks)) for stage in stages(table("tu-efficientnet_b0"))]
    assert rows == [
        ("encoder.0.0", "encoder", 2, 1),
        ("encoder.1", "encoder", 4, 2),
        ("encoder.2", "encoder", 8, 2),
        ("encoder 1/16", "encoder", 16, 6),
        ("encoder 1/32", "encoder", 32, 5),
        *((f"decoder.{number}", "decoder", 16 >> number, 2) for number in range(5)),
    ]


def test_a_block_that_no_pass_reaches_is_beside_its_neighbour():
    last = table("resnet18")[-2:]
    assert [(block.name, block.scale, block.ran) for block in last] == [
        ("decoder.blocks.4.attention1.attention", 1, False),
        ("decoder.blocks.4.attention2.attention", 1, True),
    ]
    assert all(block.gates == ("channel_gate", "spatial_gate") for block in last)


def test_a_network_without_gates_has_its_stages_as_blocks():
    assert [block.scale for block in table("resnet18", None)] == [4, 8, 16, 32, 16, 8, 4, 2, 1]
    assert {block.kind for block in table("resnet18", None)} == {"none"}


def test_our_stages_are_our_blocks():
    assert [(stage.name, stage.blocks) for stage in stages(OURS)] == [(block.name, (block.name,)) for block in OURS]


def test_sides_are_read_from_resolutions_where_names_do_not_tell():
    rows = [(stage.side, stage.scale) for stage in stages(stacks.block_table(12))]
    up = [("decoder", 4), ("decoder", 2)]
    assert rows == [("encoder", 1), ("encoder", 2), ("encoder", 4), ("bottleneck", 8), *up]
    assert set(sides(()).values()) == set()


def test_short_names_drop_only_what_tells_nothing_apart():
    short = {
        "encoder.blocks.3.0.se": "encoder.3.0",
        "encoder.blocks.4.1.se": "encoder.4.1",
        "decoder.0.attention1.attention": "decoder.attention1",
        "decoder.0.attention2.attention": "decoder.attention2",
        "a.b": "a.b",
        "a.b #2": "a.b #2",
        "head.x.y": "head.x",
        "bottleneck": "bottleneck",
    }
    assert short_names([*short]) == short


def test_blocks_of_two_networks_correspond_from_the_last_of_a_resolution():
    rows = corresponding([OURS, table("resnet18")])
    assert rows["decoder 1/8, 2"] == ("decoder4", "decoder.blocks.1.attention2.attention")
    assert rows["decoder 1/8, 1"] == (None, "decoder.blocks.1.attention1.attention")
    assert rows["bottleneck 1/16"] == ("bottleneck", None)
    assert list(rows)[:5] == ["encoder 1/1", "encoder 1/2", "encoder 1/4", "encoder 1/8", "bottleneck 1/16"]
    assert sorted(name for name, _ in rows.values() if name) == sorted(block.name for block in OURS)
