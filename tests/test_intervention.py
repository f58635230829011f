"""Interventions: each does what its formula says, in its own pass and in no other."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
from torch import Tensor, nn

from scse_viz.attention import record
from scse_viz.blocks import PAPER, VARIANTS
from scse_viz.intervention import (
    OFF,
    Change,
    Invert,
    Mean,
    Off,
    Region,
    Shuffle,
    Shut,
    Strength,
    intervene,
    sweep_channels,
)
from scse_viz.models import ARCHITECTURES, BLOCK_NAMES, EncoderDecoder
from scse_viz.recording.sites import Site
from tests.peers import ChannelSELayer, ChannelSpatialSELayer
from tests.tiny_networks import images, network

GATED = [variant for variant in PAPER if variant != "none"]
BOTH = [variant for variant in PAPER if variant.startswith("scse")]


class Passing(nn.Module):
    """Returns the first of its inputs: a block that gates a skip has two."""

    def forward(self, u: Tensor, *others: Tensor) -> Tensor:
        return u


def without_block(model: EncoderDecoder, block: str) -> EncoderDecoder:
    bypassed = copy.deepcopy(model)
    bypassed.blocks[block] = Passing()
    return bypassed


def plain(model: nn.Module, x: Tensor) -> Tensor:
    """The output of a network in evaluation mode."""
    with torch.no_grad():
        return copy.deepcopy(model).eval()(x)


def same(one, other) -> bool:
    """Whether two recordings agree to the last bit, in output and in every gate."""
    return torch.equal(one.output, other.output) and all(
        (gate is None) == (getattr(other.blocks[name], kind) is None)
        and (gate is None or torch.equal(gate, getattr(other.blocks[name], kind)))
        for name, block in one.blocks.items()
        for kind in ("channel_gate", "spatial_gate", "activation")
        for gate in [getattr(block, kind)]
    )


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_block_off_is_the_network_with_the_block_bypassed(architecture, variant):
    model, x = network(variant, architecture), images(2)
    for block in ("encoder1", "bottleneck", "decoder2"):
        assert torch.equal(intervene(model, x, {block: OFF}).output, plain(without_block(model, block), x))


@pytest.mark.parametrize("variant", GATED)
def test_a_block_off_changes_the_output(variant):
    model, x = network(variant), images()
    assert not torch.equal(intervene(model, x, {"encoder1": OFF}).output, plain(model, x))


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_blocks_off_are_the_network_without_blocks(variant):
    x = images()
    off = intervene(network(variant), x, dict.fromkeys(BLOCK_NAMES, OFF))
    assert same(off, record(network("none"), x))


@pytest.mark.parametrize("variant", VARIANTS)
def test_with_all_channels_knocked_out_the_features_are_zero(variant):
    model, x = network(variant), images(2)
    changes = {"encoder2": Change(without=(0, 1, 2, 3)), "decoder1": Change(without=(0, 1, 2, 3))}
    recording = intervene(model, x, changes, features=True)
    assert (recording.blocks["encoder2"].after == 0).all()
    assert (recording.blocks["decoder1"].after == 0).all()
    assert (recording.blocks["decoder1"].before != 0).any()
    expected = model.classifier.bias.detach()[None, :, None, None].expand_as(recording.output)
    torch.testing.assert_close(recording.output, expected)  # the classifier sees nothing


def test_a_channel_knocked_out_is_zero_and_the_others_are_unchanged():
    model, x = network(), images(2)
    before = record(model, x, features=True).blocks["encoder2"].after
    after = intervene(model, x, {"encoder2": Change(without=(2,))}, features=True).blocks["encoder2"].after
    assert (after[:, 2] == 0).all()
    assert torch.equal(after[:, [0, 1, 3]], before[:, [0, 1, 3]])


@pytest.mark.parametrize("variant", PAPER)
def test_strength_one_and_no_change_equal_the_plain_recording_to_the_last_bit(variant):
    model, x = network(variant), images(2)
    expected = record(model, x)
    one = Change(
        channel_gate=None if variant in ("none", "sse") else Strength(1),
        spatial_gate=None if variant in ("none", "cse") else Strength(1),
        strength=1,
    )
    assert same(intervene(model, x, {}), expected)
    assert same(intervene(model, x, dict.fromkeys(BLOCK_NAMES, Change())), expected)
    assert same(intervene(model, x, dict.fromkeys(BLOCK_NAMES, one)), expected)


@pytest.mark.parametrize(("variant", "gate"), [("cse", "channel_gate"), ("sse", "spatial_gate")])
def test_in_a_block_with_one_gate_the_strengths_of_block_and_gate_agree(variant, gate):
    model, x = network(variant), images(2)
    for factor in (0, 0.5, 2):
        by_gate = intervene(model, x, {"encoder1": Change(**{gate: Strength(factor)})})
        by_block = intervene(model, x, {"encoder1": Change(strength=factor)})
        torch.testing.assert_close(by_gate.output, by_block.output)
    assert same(
        intervene(model, x, {"encoder1": Change(**{gate: Strength(0)})}),
        intervene(model, x, {"encoder1": Change(**{gate: Off()})}),
    )


def test_blocks_of_the_authors_code_can_be_changed():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), ChannelSpatialSELayer(4), nn.ReLU(inplace=True), ChannelSELayer(4)).eval()
    x = images()
    u = plain(model[0], x)
    without = intervene(model, x, {"1": OFF, "3": Change(channel_gate=Off())})
    torch.testing.assert_close(without.output, u.relu())
    changed = intervene(model, x, {"1": Change(channel_gate=Invert(), spatial_gate=Mean())}, features=True).blocks["1"]
    halves = u * changed.channel_gate[:, :, None, None], u * changed.spatial_gate[:, None]
    torch.testing.assert_close(changed.after, torch.max(*halves))


def test_networks_of_other_libraries_can_be_changed():
    unet = smp.Unet("resnet18", encoder_weights=None, decoder_attention_type="scse", classes=2).eval()
    name, x = "decoder.blocks.0.attention2.attention", torch.randn(1, 3, 64, 64)
    bypassed = copy.deepcopy(unet)
    bypassed.decoder.blocks[0].attention2.attention = nn.Identity()
    assert torch.equal(intervene(unet, x, {name: OFF}).output, plain(bypassed, x))
    mobile = timm.create_model("mobilenetv3_small_050").eval()
    site = record(mobile, x).blocks
    changed = intervene(mobile, x, {next(iter(site)): Change(channel_gate=Off())})
    assert (changed.blocks[next(iter(site))].channel_gate == 1).all()
    assert not torch.equal(changed.output, plain(mobile, x))


class InPlace(nn.Module):
    """Overwrites its input, as memory-saving code does."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Sigmoid()

    def forward(self, u: Tensor) -> Tensor:
        return u.mul_(self.gate(u.mean(dim=(2, 3))).view(*u.shape[:2], 1, 1))


def test_a_block_that_works_in_place_can_be_bypassed_by_its_site():
    x = torch.randn(1, 4, 5, 5)
    sites = {"scaling": Site("", channel_gate="gate")}
    assert torch.equal(intervene(InPlace(), x.clone(), {"scaling": OFF}, sites=sites).output, x)
    halved = intervene(InPlace(), x.clone(), {"scaling": Change(channel_gate=Strength(0))}, sites=sites)
    assert torch.equal(halved.output, x)


def test_the_input_is_not_overwritten():
    x = torch.randn(1, 4, 5, 5)
    before = x.clone()
    sites = {"through": Site("")}
    assert (intervene(nn.Identity(), x, {"through": Change(without=(1,))}, sites=sites).output[:, 1] == 0).all()
    ((_, swept),) = sweep_channels(nn.Identity(), x, "through", [1], sites=sites)
    assert (swept.output[:, 1] == 0).all()
    assert torch.equal(x, before)


def test_eight_threads_that_change_one_network_in_eight_ways_do_not_mix():
    model, x = network().train(), images()
    state = [(name, len(part._forward_hooks), part.training) for name, part in model.named_modules()]
    ways = [
        {},
        {"encoder1": OFF},
        {"encoder1": Change(spatial_gate=Invert())},
        {"bottleneck": Change(channel_gate=Shuffle(1))},
        {"bottleneck": Change(without=(0, 3))},
        {"decoder4": Change(strength=2)},
        dict.fromkeys(BLOCK_NAMES, OFF),
        {"decoder1": Change(spatial_gate=Region(torch.ones(32, 32), 0))},
    ]
    alone = [intervene(model, x, changes) for changes in ways]
    assert len({recording.output.numpy().tobytes() for recording in alone}) == len(ways)
    start = threading.Barrier(len(ways))

    def passes(way: int) -> int:
        start.wait()
        return sum(same(intervene(model, x, ways[way]), alone[way]) for _ in range(20))

    with ThreadPoolExecutor(len(ways)) as pool:
        assert list(pool.map(passes, range(len(ways)))) == [20] * len(ways)
    assert [(name, len(part._forward_hooks), part.training) for name, part in model.named_modules()] == state


def test_a_change_leaves_nothing_on_the_network_even_when_the_pass_raises():
    model, x = network(), images()
    expected = plain(model, x)
    with pytest.raises(ValueError, match=r"channel 9 of 4; choose 0 to 3"):
        intervene(model, x, {"encoder1": Change(without=(9,))})
    assert torch.equal(plain(model, x), expected)


@pytest.mark.parametrize("variant", ["none", "scse"])
def test_a_sweep_over_channels_knocks_out_each_channel_alone(variant):
    model, x = network(variant), images()
    seen = []
    for channels, recording in sweep_channels(model, x, "bottleneck", range(8), batch=3):
        assert len(recording.output) == len(channels)
        for image, channel in enumerate(channels):
            alone = intervene(model, x, {"bottleneck": Change(without=(channel,))})
            torch.testing.assert_close(recording.output[image], alone.output[0])
            seen.append(channel)
    assert seen == list(range(8))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"encoder9": OFF}, r"block 'encoder9' is unknown; choose one of encoder1, .*, decoder1"),
        ({"encoder1": Change(spatial_gate=Off())}, r"block 'encoder1' has no spatial gate to change"),
        ({"encoder1": Change(channel_gate=Shut((4,)))}, r"channel 4 of 4; choose 0 to 3"),
        (
            {"encoder1": Change(channel_gate=Region(torch.ones(2, 2), 1))},
            r"a gate of shape \(1, 4\) is no map \(B, h, w\); change a spatial gate",
        ),
    ],
)
def test_changes_to_what_the_network_lacks_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        intervene(network("cse"), images(), changes)


def test_a_change_to_a_network_without_blocks_is_refused():
    with pytest.raises(ValueError, match="the network has no blocks, and so no 'encoder1'; say where they are"):
        intervene(nn.Flatten(), images(), {"encoder1": OFF})


def test_strengths_that_are_not_finite_and_masks_that_are_not_2d_are_refused():
    with pytest.raises(ValueError, match="strength nan is not finite; choose a number"):
        Change(strength=float("nan"))
    with pytest.raises(ValueError, match="factor inf is not finite; choose a number"):
        Strength(float("inf"))
    with pytest.raises(ValueError, match=r"mask has shape \(1, 2, 2\); \(H, W\) is needed"):
        Region(torch.ones(1, 2, 2), 1)


def test_a_sweep_over_channels_accepts_one_image_only():
    with pytest.raises(ValueError, match="2 images; give one, which is repeated for every channel"):
        next(sweep_channels(network(), images(2), "bottleneck", [0]))
