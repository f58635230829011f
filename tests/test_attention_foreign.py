"""Recording networks that are not ours: blocks of other libraries, and modules of unusual make."""

import copy
import threading

import pytest
import segmentation_models_pytorch as smp
import timm
import torch
import torchvision
from torch import Tensor, nn

from scse_viz.attention import record
from scse_viz.blocks import VARIANTS
from tests.peers import ChannelSELayer, ChannelSpatialSELayer
from tests.tiny_networks import images


def test_gates_of_segmentation_models_pytorch_are_what_its_blocks_multiply_by():
    model = smp.Unet("resnet18", encoder_weights=None, decoder_attention_type="scse", classes=2).eval()
    recording = record(model, torch.randn(1, 3, 64, 64), features=True)
    names = [f"decoder.blocks.{block}.attention{which}.attention" for block in range(5) for which in (1, 2)]
    ran = {name: block for name, block in recording.blocks.items() if block.channel_gate is not None}
    assert list(recording.blocks) == names
    assert list(ran) == [
        name for name in names if name != "decoder.blocks.4.attention1.attention"
    ]  # no skip comes in there
    for name, block in ran.items():
        gates = block.channel_gate[:, :, None, None] + block.spatial_gate[:, None]
        torch.testing.assert_close(block.after, block.before * gates, msg=name)


def test_gates_of_the_authors_code_are_what_its_blocks_multiply_by():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), ChannelSpatialSELayer(4), nn.ReLU(inplace=True), ChannelSELayer(4))
    recording = record(model, images(), features=True)
    assert list(recording.blocks) == ["1", "3"]
    both, channel = recording.blocks.values()
    halves = both.before * both.channel_gate[:, :, None, None], both.before * both.spatial_gate[:, None]
    torch.testing.assert_close(both.after, torch.max(*halves))
    torch.testing.assert_close(channel.after, channel.before * channel.channel_gate[:, :, None, None])


@pytest.mark.parametrize(
    ("peer", "count"),
    [
        (lambda: torchvision.ops.SqueezeExcitation(4, 2), 1),
        (lambda: torchvision.models.mobilenet_v3_small(), 9),
        (lambda: timm.layers.SEModule(4), 1),
        (lambda: timm.layers.EffectiveSEModule(4), 1),
        (lambda: timm.create_model("mobilenetv3_small_050"), 9),
    ],
    ids=["torchvision block", "torchvision network", "timm block", "timm effective block", "timm network"],
)
def test_gates_of_torchvision_and_timm_are_what_their_blocks_multiply_by(peer, count):
    model = peer()
    channels = 4 if count == 1 else 3
    recording = record(model, torch.randn(1, channels, 32, 32), features=True)
    assert len(recording.blocks) == count
    assert ("block" in recording.blocks) == (count == 1)
    for block in recording.blocks.values():
        torch.testing.assert_close(block.after, block.before * block.channel_gate[:, :, None, None])


class Odd(nn.Module):
    """Modules outside the tree, a tensor with a history, parametrizations, and a structured output."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = VARIANTS["scse"](4)
        self.again = self.shared
        self.hidden = [nn.Conv2d(4, 4, 1), {"deep": (nn.BatchNorm2d(4),)}]
        self.bound = self.hidden[0].forward
        self.not_leaf = torch.ones(4, 1, 1, requires_grad=True) * 2
        self.lock = threading.Lock()
        self.recurrent = nn.LSTM(4, 4, batch_first=True)
        self.normed = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))
        self.weighted = nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 1))

    def forward(self, u: Tensor) -> dict[str, tuple[Tensor, ...]]:
        u = self.again(self.shared(self.bound(u) * self.not_leaf))
        u = self.weighted(self.hidden[1]["deep"][0](u))
        sequence, _ = self.recurrent(u.flatten(2).mT)
        return {"out": (u, self.normed(sequence))}


def test_an_unusual_network_is_recorded_and_left_untouched():
    model, x = Odd().eval(), torch.randn(2, 4, 5, 5)
    model.hidden[1]["deep"][0].eval()
    tensors = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        expected = model(x)["out"]
    recording = record(model, x)
    assert list(recording.blocks) == ["shared"]
    for features, wanted in zip(recording.output["out"], expected, strict=True):
        torch.testing.assert_close(features, wanted)
    model.hidden[1]["deep"][0].train()
    record(model, x)
    assert model.hidden[1]["deep"][0].num_batches_tracked == 0
    assert all(torch.equal(value, tensors[name]) for name, value in model.state_dict().items())
