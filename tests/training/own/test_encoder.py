"""First weights of an encoder: those of a file go in, and what does not fit is refused."""

from dataclasses import replace
from pathlib import Path

import huggingface_hub.constants
import pytest
import timm
import torch
from safetensors.torch import save_file

from scse_viz.training.own.classes import DataError
from scse_viz.training.own.encoder import encoder_weights, start_from
from scse_viz.zoo import Card
from tests import smp_files
from tests.cards import TINY

CARD = replace(TINY, architecture="smp-unet", encoder="tu-mobilenetv3_small_050", widths=(16, 16, 16))
RESNET = replace(CARD, encoder="resnet18")


def started(card: Card, path: Path) -> dict[str, torch.Tensor]:
    model = card.network(seed=0)
    start_from(model, encoder_weights(card, path))
    return model.encoder.state_dict()


def test_weights_of_timm_go_in_without_their_classifier_and_colours_are_summed(tmp_path: Path) -> None:
    theirs = timm.create_model("mobilenetv3_small_050", pretrained=False).state_dict()
    save_file(theirs, tmp_path / "timm.safetensors")
    state = started(CARD, tmp_path / "timm.safetensors")
    assert torch.equal(state["model.blocks.1.0.conv_dw.weight"], theirs["blocks.1.0.conv_dw.weight"])
    assert torch.allclose(state["model.conv_stem.weight"], theirs["conv_stem.weight"].sum(dim=1, keepdim=True))


def test_the_encoder_of_a_whole_network_is_taken(tmp_path: Path) -> None:
    theirs = smp_files.network("FPN", encoder_depth=5)
    path = smp_files.saved({"state_dict": theirs.state_dict()}, tmp_path / "fpn.ckpt")
    state = started(RESNET, path)
    assert torch.equal(state["layer2.0.conv1.weight"], theirs.encoder.layer2[0].conv1.weight)


def test_the_source_names_the_file_and_its_hash(tmp_path: Path) -> None:
    path = smp_files.saved(smp_files.network().state_dict(), tmp_path / "unet.pt")
    assert encoder_weights(RESNET, path).source.startswith("unet.pt (sha256 ")


def test_weights_of_another_encoder_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    path = smp_files.saved(smp_files.network().state_dict(), tmp_path / "resnet.pt")
    with pytest.raises(DataError, match=r"resnet\.pt: does not fit tu-mobilenetv3_small_050; \d+ missing: model\."):
        encoder_weights(CARD, path)


def test_a_file_that_is_not_there_and_one_that_holds_code_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file; give one of weights, imagenet, or none"):
        encoder_weights(CARD, tmp_path / "nowhere.pt")
    path = smp_files.saved({"model": smp_files.network()}, tmp_path / "pickle.pt")
    with pytest.raises(DataError, match="holds Python objects"):
        encoder_weights(CARD, path)


def test_a_hub_that_cannot_be_reached_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=r"imagenet: cannot be fetched for resnet18 \(.*\); give a file, or none"):
        encoder_weights(RESNET, "imagenet")
