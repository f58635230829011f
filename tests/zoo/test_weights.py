"""What a folder of networks vouches for: the shipped one, one saved here, and damaged ones."""

import hashlib
import json
import os
import re
from dataclasses import replace

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import nn

from scse_viz import zoo
from scse_viz.blocks import VARIANTS
from scse_viz.zoo import WeightsError, Window
from scse_viz.zoo.structures import BRAIN
from tests.cards import TINY

SHIPPED = zoo.cards()
CARD = replace(TINY, planes=("axial", "coronal"), window=Window(1, 99, 2), training={"crops": 12, "licence": "CC0"})


@pytest.fixture
def folder(tmp_path):
    zoo.save(CARD.network(seed=1), CARD, tmp_path)
    return tmp_path


def rewrite(folder, **facts):
    """Change facts of the card on disk."""
    path = folder / f"{CARD.name}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


@pytest.mark.parametrize("family", sorted({(card.anatomy, card.architecture) for card in SHIPPED.values()}))
def test_variants_are_shipped_in_the_order_of_the_table_those_of_the_paper_among_them(family):
    shipped = [card.variant for card in SHIPPED.values() if (card.anatomy, card.architecture) == family]

    assert shipped == [variant for variant in VARIANTS if variant in shipped]
    if family in {("brain", "unet"), ("hippocampus", "unet"), ("malc", "unet")}:
        assert set(shipped) >= {"none", "cse", "sse", "scse"}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_network_loads_with_the_weights_and_the_size_of_its_card(name):
    card = SHIPPED[name]
    model = zoo.load(name)

    assert sum(parameter.numel() for parameter in model.parameters()) == card.parameters
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())
    assert model(torch.zeros(1, card.in_channels, 17, 16)).shape == (1, len(card.structures), 17, 16)


def test_a_card_lists_the_blocks_of_its_network():
    assert CARD.block_table == CARD.network().block_table


@pytest.mark.parametrize("name", [name for name, card in SHIPPED.items() if card.anatomy == "brain"])
def test_a_brain_network_names_the_structures_of_the_anatomy(name):
    assert SHIPPED[name].structures == BRAIN


@pytest.mark.parametrize("dtype", zoo.DTYPES)
def test_weights_come_back_as_float32_with_what_the_stored_type_keeps(dtype, tmp_path):
    network = CARD.network(seed=1)
    saved = zoo.save(network, replace(CARD, dtype=dtype), tmp_path)
    loaded = zoo.load(CARD.name, tmp_path).state_dict()

    assert saved == zoo.cards(tmp_path)[CARD.name]
    for key, tensor in network.state_dict().items():
        assert loaded[key].dtype == tensor.dtype
        assert torch.equal(loaded[key], tensor.to(getattr(torch, dtype)).to(tensor.dtype))


def test_a_variance_beyond_the_numbers_of_float16_is_stored_as_it_is(tmp_path):
    network = CARD.network(seed=1)
    next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d)).running_var.fill_(123_651.3)
    zoo.save(network, replace(CARD, dtype="float16"), tmp_path)
    loaded = zoo.load(CARD.name, tmp_path)
    for (key, before), after in zip(network.named_buffers(), loaded.buffers(), strict=True):
        assert torch.equal(before, after), key


def test_one_flipped_bit_of_the_weights_is_refused(folder):
    weights = folder / f"{CARD.name}.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)

    with pytest.raises(WeightsError, match="is not the file its card describes"):
        zoo.load(CARD.name, folder)


def test_missing_weights_are_named(folder):
    (folder / f"{CARD.name}.safetensors").unlink()

    with pytest.raises(WeightsError, match=r"tiny-unet-scse\.safetensors is missing beside its card"):
        zoo.load(CARD.name, folder)


def test_a_file_that_is_no_safetensors_is_refused_though_its_hash_is_right(folder):
    data = b"not weights"
    (folder / f"{CARD.name}.safetensors").write_bytes(data)
    rewrite(folder, sha256=hashlib.sha256(data).hexdigest())

    with pytest.raises(WeightsError, match="cannot be opened"):
        zoo.load(CARD.name, folder)


@pytest.mark.parametrize("name", ["brain-unet-magic", "../tiny-unet-scse", "", ".", "/etc/passwd", "tiny-unet-*"])
def test_only_names_that_are_listed_are_opened(name, folder):
    inner = folder / "inner"
    zoo.save(CARD.network(seed=1), replace(CARD, name="other"), inner)

    with pytest.raises(WeightsError, match="no such network in inner; there are: other"):
        zoo.load(name, inner)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"name": "tiny-unet-scse"}', "\x00\xff"])
def test_a_card_that_is_no_card_is_refused_and_hides_no_other(text, folder):
    (folder / "broken.json").write_text(text, encoding="latin-1")

    with pytest.raises(WeightsError, match=r"broken\.json is not a card that can be read"):
        zoo.load("broken", folder)
    listing = zoo.listing(folder)
    assert [sentence.partition(" ")[0] for sentence in listing.skipped] == ["broken.json"]
    assert list(listing.cards) == [CARD.name]
    assert zoo.load(CARD.name, folder) is not None


def test_a_folder_of_segmentation_models_pytorch_hides_no_shipped_network(tmp_path, monkeypatch):
    smp.Unet("resnet18", encoder_weights=None, decoder_channels=(8, 8, 8, 8, 8)).save_pretrained(tmp_path)
    monkeypatch.setenv("SCSE_VIZ_MODELS", str(tmp_path))

    listing = zoo.listing()
    assert listing.cards == SHIPPED
    (sentence,) = listing.skipped
    assert sentence.startswith("config.json is not a card that can be read: it lacks name, widths and structures")


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"name": "another"}, "the card of 'another'"),
        ({"architecture": "transformer"}, "architecture 'transformer' is unknown"),
        ({"variant": "magic"}, "variant 'magic' is unknown"),
        ({"widths": [4, 4, 6, 6, 0]}, "whole numbers of at least 1"),
        ({"widths": [4, 4, 6, 6, "8"]}, "whole numbers of at least 1"),
        ({"reduction": -1}, "whole numbers of at least 1"),
        ({"structures": [{"number": 0, "name": "a", "colour": "#000000"}]}, "structures must be"),
        ({"pixel_mm": 0}, "pixel_mm"),
        ({"window": {"low": 99, "high": 1, "maximum": 1}}, "rising percentiles"),
        ({"dtype": "int8"}, "dtype 'int8'"),
        ({"training": ["crops", 12]}, "must be tables"),
        ({"wings": 2}, "wings"),
    ],
)
def test_facts_that_no_network_can_have_are_refused(facts, sentence, folder):
    rewrite(folder, **facts)

    with pytest.raises(WeightsError, match=sentence):
        zoo.read_card(CARD.name, folder)
    assert re.search(sentence, zoo.listing(folder).skipped[0])


def test_a_colour_that_is_more_than_a_colour_is_refused(folder):
    structure = {"number": 1, "name": "square", "colour": "#ff0000;background:url(x)"}
    rewrite(folder, structures=[{"number": 0, "name": "background", "colour": "#000000"}, structure])

    with pytest.raises(WeightsError, match="colours must be like"):
        zoo.read_card(CARD.name, folder)


def test_a_card_that_lies_about_widths_is_caught(folder):
    rewrite(folder, widths=[4, 4, 6, 6, 9])

    with pytest.raises(
        WeightsError, match=r"bottleneck\S* is \(8, 6, 3, 3\) in the file and \(9, 6, 3, 3\) in the net"
    ):
        zoo.load(CARD.name, folder)


def test_a_card_of_a_network_too_large_for_its_file_takes_no_memory(folder):
    rewrite(folder, widths=[2**20] * 5)

    with pytest.raises(WeightsError, match="need more weights than it holds"):
        zoo.load(CARD.name, folder)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"widths": [4, 4, 6, 6]}, "4 widths"),
        ({"reduction": 9}, "reduction 9 leaves no hidden unit"),
        ({"variant": "cse"}, r"spatial_gate.* missing in the network"),
    ],
)
def test_a_card_of_another_network_says_what_differs(facts, sentence, folder):
    rewrite(folder, **facts)

    with pytest.raises(WeightsError, match=sentence):
        zoo.load(CARD.name, folder)


def test_folders_of_ones_own_are_listed_beside_the_shipped_one(folder, tmp_path, monkeypatch):
    other = tmp_path / "other"
    zoo.save(CARD.network(seed=2), replace(CARD, name="second"), other)
    monkeypatch.setenv("SCSE_VIZ_MODELS", os.pathsep.join([str(folder), str(other)]))

    assert zoo.folders() == (zoo.PRETRAINED, folder, other)
    assert set(zoo.cards()) == {*SHIPPED, CARD.name, "second"}
    assert zoo.read_card("second").name == "second"
    assert torch.equal(zoo.load(CARD.name).classifier.weight, CARD.network(seed=1).classifier.weight)
    with pytest.raises(WeightsError, match="no such network"):
        zoo.load("../other/second")


def test_of_two_networks_of_one_name_the_first_is_opened_and_the_other_named(folder, tmp_path, monkeypatch):
    zoo.save(CARD.network(seed=2), CARD, tmp_path / "other")
    monkeypatch.setenv("SCSE_VIZ_MODELS", os.pathsep.join([str(folder), str(tmp_path / "other")]))

    (sentence,) = zoo.listing().skipped
    assert re.search(rf"other/{CARD.name}\.json: a network of this name is in {folder}; remove one", sentence)
    assert torch.equal(zoo.load(CARD.name).classifier.weight, CARD.network(seed=1).classifier.weight)


def test_a_folder_of_ones_own_that_is_gone_is_named_and_the_rest_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("SCSE_VIZ_MODELS", str(tmp_path / "gone"))

    listing = zoo.listing()
    assert "gone: no such folder; correct SCSE_VIZ_MODELS" in listing.skipped[0]
    assert listing.cards == SHIPPED


def test_channels_are_named_all_or_not_at_all(tmp_path):
    card = replace(CARD, in_channels=2, channels=("T1", "T2"))

    assert zoo.save(card.network(seed=1), card, tmp_path) == zoo.read_card(CARD.name, tmp_path)
    with pytest.raises(ValueError, match="1 channels are named and in_channels is 2"):
        replace(card, channels=("T1",))
