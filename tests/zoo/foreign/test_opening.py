"""Networks of segmentation_models_pytorch come back from their files as they were, without a word from the user."""

from dataclasses import replace
from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

from scse_viz import zoo
from scse_viz.zoo.foreign import OpenedNetwork, draft_of, from_factory, open_network, read_checkpoint
from scse_viz.zoo.foreign.drafts import model_of
from scse_viz.zoo.foreign.opening import described
from scse_viz.zoo.foreign.smp import known_classes
from tests import smp_files
from tests.cards import TINY


def opened(source: Path | bytes, name: str | None = None) -> OpenedNetwork:
    """A network of a file, with every question left at its default."""
    checkpoint = read_checkpoint(source, name=name)
    return open_network(checkpoint, None if checkpoint.card is not None else draft_of(checkpoint))


def assert_same(opened_network: OpenedNetwork, network: nn.Module) -> None:
    """Both give the same logits."""
    preprocessing = opened_network.card.preprocessing
    side = preprocessing.size or (4 * preprocessing.multiple,) * 2
    x = torch.rand(1, preprocessing.in_channels, *side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(opened_network.model(x), network(x))
    assert not opened_network.model.training
    assert not any(parameter.requires_grad for parameter in opened_network.model.parameters())


@pytest.mark.parametrize("architecture", sorted(known_classes()))
def test_every_architecture_comes_back_from_save_pretrained_and_from_weights_alone(
    architecture: str, tmp_path: Path
) -> None:
    network = smp_files.network(architecture)
    network.save_pretrained(tmp_path / "mine")
    weights = smp_files.saved(network.state_dict(), tmp_path / "weights.pth")

    of_folder = opened(tmp_path / "mine")
    assert_same(of_folder, network)
    checkpoint = read_checkpoint(weights)
    of_weights = draft_of(checkpoint)
    assert of_weights.architecture == architecture
    made = model_of(of_weights)
    made.load_state_dict(dict(checkpoint.state))
    assert_same(replace(of_folder, model=made.requires_grad_(False)), network)


@pytest.mark.parametrize(
    "arguments",
    [
        {"encoder_name": "efficientnet-b0"},
        {"encoder_name": "mit_b0"},
        {"encoder_name": "mobileone_s0"},
        {"encoder_name": "vgg11_bn"},
        {"encoder_name": "se_resnet50", "decoder_attention_type": None},
        {"encoder_name": "tu-resnet18"},
        {
            "encoder_name": "resnet34",
            "encoder_depth": 3,
            "decoder_channels": (16, 8, 8),
            "decoder_attention_type": None,
        },
        {"in_channels": 3, "classes": 1, "decoder_use_norm": "identity"},
        {"in_channels": 4, "classes": 2},
    ],
    ids=str,
)
def test_encoder_depth_channels_classes_attention_and_norm_are_read_from_shapes(
    arguments: dict, tmp_path: Path
) -> None:
    if arguments.get("decoder_attention_type", "scse") == "scse" and "decoder_channels" not in arguments:
        arguments = {"decoder_channels": (32, 16, 16, 16, 16), **arguments}
    network = smp_files.network(**arguments)
    draft = draft_of(read_checkpoint(smp_files.saved(network.state_dict(), tmp_path / "weights.pt")))

    assert draft.architecture == "Unet"
    assert {key: draft.arguments[key] for key in arguments} == arguments
    assert_same(opened(tmp_path / "weights.pt"), network)


@pytest.mark.parametrize(
    ("wrap", "name"),
    [
        (lambda state: {f"model.{key}": value for key, value in state.items()}, "a.pth"),
        (lambda state: {f"module.model.net.{key}": value for key, value in state.items()}, "a.pt"),
        (lambda state: {"epoch": 3, "state_dict": {f"model.{key}": value for key, value in state.items()}}, "a.ckpt"),
        (
            lambda state: {"model_state_dict": state, "optimizer": {"state": {}, "param_groups": [{"lr": 1e-3}]}},
            "a.pth",
        ),
        (
            lambda state: {"state_dict": {**{f"_orig_mod.{k}": v for k, v in state.items()}, "loss.w": torch.ones(2)}},
            "a.pt",
        ),
    ],
    ids=["model", "nested", "lightning", "trainer", "compiled, beside a loss"],
)
def test_wrappers_and_prefixes_are_looked_through(wrap, name: str, tmp_path: Path) -> None:
    network = smp_files.network()
    assert_same(opened(smp_files.saved(wrap(network.state_dict()), tmp_path / name)), network)


def test_a_file_of_torch_before_1_6_is_read(tmp_path: Path) -> None:
    network = smp_files.network()
    path = smp_files.saved(network.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert_same(opened(path), network)


def test_a_zip_of_save_pretrained_is_read_from_bytes(tmp_path: Path) -> None:
    network = smp_files.network(in_channels=3)
    network.save_pretrained(tmp_path / "lungs")
    lungs = opened(smp_files.zipped(tmp_path / "lungs"), "lungs.zip")

    assert_same(lungs, network)
    assert lungs.card.name == "lungs"
    assert lungs.card.variant == "scse"
    assert (lungs.card.input.in_channels, lungs.card.input.multiple) == (3, 32)
    assert "Never used by the network: decoder.blocks.4.attention1.attention." in lungs.notes


def test_a_checkpoint_that_was_trained_opens_without_typing(tmp_path: Path) -> None:
    """A few steps of the library's own training loop, saved as its examples save."""
    with pytest.warns(DeprecationWarning, match=r"smp\.utils"):
        from segmentation_models_pytorch.utils.train import TrainEpoch

    network = smp_files.network(classes=1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss = smp.losses.DiceLoss(mode="binary")
    images = torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    masks = (images > 0.5).float()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, masks), batch_size=2)
    epoch = TrainEpoch(network, _named(loss), [], optimizer, device="cpu")
    for _ in range(2):
        epoch.run(loader)
    network.eval()
    opened_network = opened(smp_files.saved(network.state_dict(), tmp_path / "best_model.pth"))

    assert_same(opened_network, network)
    assert opened_network.card.head == "sigmoid"
    assert [structure.name for structure in opened_network.card.structures] == ["background", "class 1"]


def _named(loss: nn.Module) -> nn.Module:
    loss.__name__ = "dice"  # as the library's loop prints it
    return loss


def test_what_a_file_does_not_tell_is_a_question_with_a_default(tmp_path: Path) -> None:
    network = smp_files.network("DeepLabV3", in_channels=3)
    network.save_pretrained(tmp_path / "saved")
    of_config = draft_of(read_checkpoint(tmp_path / "saved"))
    of_weights = draft_of(read_checkpoint(smp_files.saved(network.state_dict(), tmp_path / "w.pth")))

    assert set(of_config.questions) == {"head", "scaling", "pixel_mm"}
    assert set(of_weights.questions) == {*of_config.questions, "encoder_output_stride", "decoder_atrous_rates"}
    assert of_config.preprocessing.mean == ()  # its config says that it began with random weights
    assert of_weights.preprocessing.mean == (0.485, 0.456, 0.406)


def test_the_activation_of_a_config_tells_the_head_and_is_left_out(tmp_path: Path) -> None:
    network = smp_files.network(activation="sigmoid", classes=2)
    network.save_pretrained(tmp_path)
    opened_network = opened(tmp_path)
    x = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(opened_network.model(x).sigmoid(), network(x))
    assert (opened_network.card.head, len(opened_network.card.structures)) == ("sigmoid", 3)
    assert "head" not in draft_of(read_checkpoint(tmp_path)).questions


def test_a_head_that_classifies_whole_images_is_left_out_and_said(tmp_path: Path) -> None:
    network = smp_files.network(aux_params={"classes": 5})
    network.save_pretrained(tmp_path)
    opened_network = opened(tmp_path)
    x = torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(opened_network.model(x), network(x)[0])
    assert "Its head that classifies whole images is left out." in opened_network.notes


def test_a_network_of_ours_opens_by_the_card_beside_it(tmp_path: Path) -> None:
    network = TINY.network(seed=1).eval()
    card = zoo.save(network, TINY, tmp_path / "trained")
    opened_network = opened(smp_files.zipped(tmp_path / "trained"), "trained.zip")
    assert opened_network.card == card
    assert_same(opened_network, network)


def test_an_smp_unet_of_ours_opens_by_its_card_with_the_blocks_that_it_has(tmp_path: Path) -> None:
    card = replace(TINY, architecture="smp-unet", encoder="tu-mobilenetv3_small_050", widths=(16, 16, 16))
    network = card.network(seed=1).eval()
    card = zoo.save(network, card, tmp_path / "trained")
    path = tmp_path / "trained" / f"{card.name}.json"
    path.write_text(path.read_text().replace('"scale": 4', '"scale": 3'))
    opened_network = opened(smp_files.zipped(tmp_path / "trained"), "trained.zip")
    assert opened_network.card == card
    assert not opened_network.card.foreign
    assert_same(opened_network, network)


FACTORY = """
import torch
from torch import nn

def make_network():
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), Gate(), nn.Conv2d(4, 3, 1))

class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.squeeze = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.squeeze(x))

number = 5

def nothing():
    return None
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    path = tmp_path / "my_code_of_test.py"
    path.write_text(FACTORY)
    return path


def test_a_function_of_the_users_own_makes_a_network(code: Path, tmp_path: Path) -> None:
    model, _, _ = from_factory(f"{code}:make_network")
    weights = smp_files.saved(model.state_dict(), tmp_path / "mine.pth")
    made, draft, sha256 = from_factory(f"{code}:make_network", weights)
    network = described(made, draft, sha256)

    assert torch.equal(made[0].weight, model[0].weight)
    assert network.card.name == "mine"
    assert network.card.variant == "sse"
    assert [(block.name, block.channels, block.scale) for block in network.card.block_table] == [("3", 4, 2)]
    assert len(network.card.structures) == 3


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("make_other", "has no function make_other"),
        ("number", "has no function number"),
        ("nothing", "returns NoneType; return a torch.nn.Module"),
        ("", "name a file and a function in it, as my_code.py:make_network"),
    ],
)
def test_a_function_that_makes_no_network_is_named(function: str, sentence: str, code: Path) -> None:
    with pytest.raises(zoo.WeightsError, match=sentence):
        from_factory(f"{code}:{function}")
    with pytest.raises(zoo.WeightsError, match="no such file; give one as my_code"):
        from_factory(f"{code}x.py:make_network")
