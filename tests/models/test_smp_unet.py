"""The Unet of segmentation_models_pytorch as an architecture of ours."""

import pytest
import segmentation_models_pytorch as smp
import torch

from scse_viz.models.smp_unet import build_smp_unet

ENCODER, WIDTHS = "tu-mobilenetv3_small_050", (16, 16, 16)


def tiny(variant: str = "scse", **arguments):
    given = {"encoder": ENCODER, "classes": 3, "widths": WIDTHS, "seed": 1, **arguments}
    return build_smp_unet(variant, **given).eval()


def test_its_weights_are_those_of_the_library_under_the_same_names_and_give_the_same_numbers() -> None:
    ours = tiny()
    theirs = smp.Unet(
        ENCODER,
        encoder_depth=3,
        encoder_weights=None,
        decoder_channels=WIDTHS,
        decoder_attention_type="scse",
        in_channels=1,
        classes=3,
    ).eval()
    theirs.load_state_dict(ours.state_dict())
    x = torch.rand(2, 1, 32, 40)
    assert torch.equal(ours(x), theirs(x))


def test_any_size_is_padded_at_the_bottom_and_right_by_replication() -> None:
    model, x = tiny(), torch.rand(1, 1, 19, 33)
    by_hand = torch.nn.functional.pad(x, (0, 7, 0, 5), mode="replicate")
    assert torch.equal(model(x), model(by_hand)[..., :19, :33])


def test_variants_start_from_the_same_weights_wherever_they_share_a_layer() -> None:
    plain, scse = tiny("none").state_dict(), tiny("scse").state_dict()
    assert all(torch.equal(plain[key], scse[key]) for key in plain)
    assert {key.split(".attention")[1][0] for key in scse.keys() - plain.keys()} == {"1", "2"}
    assert not torch.equal(plain["segmentation_head.0.weight"], tiny(seed=2).state_dict()["segmentation_head.0.weight"])


def test_a_seed_leaves_the_global_random_state_as_it_was() -> None:
    before = torch.get_rng_state()
    tiny()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"variant": "cse"}, "variant 'cse' is none of smp-unet; choose one of none, scse"),
        ({"encoder": "resnet1"}, "encoder 'resnet1' is unknown; choose one of segmentation_models_pytorch"),
        ({"encoder": "tu-hf-hub:someone/anything"}, "is unknown"),
        ({"widths": (16, 16)}, "2 widths; give 3 to 5"),
        ({"encoder": "tu-vit_tiny_patch16_224"}, "cannot be built with encoder tu-vit_tiny_patch16_224: "),
    ],
)
def test_what_cannot_be_built_is_said(arguments: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        tiny(**arguments)
