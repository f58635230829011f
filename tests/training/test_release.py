"""A checkpoint becomes weights and cards that the zoo opens."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from scse_viz import zoo
from scse_viz.training import release as exporting
from scse_viz.training.engine.history import History
from scse_viz.training.release import TRAININGS, export, parts_of

COLIN27 = Path(__file__).parents[2] / "sample_data" / "colin27.nii.gz"
NAME = {"brain": "brain-sdnet-cse", "hippocampus": "hippocampus-unet-scse", "malc": "malc-densenet-sse"}


def checkpoint(run: Path, anatomy: str, *, missing: int = 0, dice: Sequence[float] | None = None) -> nn.Module:
    """A network with checkpoints of all phases in a run folder, the last phase `missing` steps short of its end."""
    training, name = TRAININGS[anatomy], NAME[anatomy]
    model = training.card_of(*parts_of(name, anatomy)).network(seed=3)
    references = training.reference_slices(COLIN27)
    history = History()
    history.keep(0, model, [(references[:, :, :32, :32], torch.zeros(2, 32, 32, dtype=torch.long))], references)
    history.dice[-1] = list(dice or history.dice[-1])
    for phase in training.phases:
        steps = phase.schedule.steps - (missing if phase is training.phases[-1] else 0)
        state = {
            "facts": {"seed": 3},
            "precision": "bfloat16",
            "networks": {name: {"step": steps, "model": model.state_dict(), "history": vars(history)}},
        }
        torch.save(state, run / f"{name}-{phase.name}.pt")
    return model


@pytest.mark.parametrize("anatomy", TRAININGS)
def test_an_exported_network_is_the_one_of_the_checkpoint(anatomy: str, tmp_path: Path) -> None:
    training, name = TRAININGS[anatomy], NAME[anatomy]
    model = checkpoint(tmp_path, anatomy)
    (card,) = export(tmp_path, anatomy, COLIN27, tmp_path / "out")
    loaded = zoo.load(name, tmp_path / "out")
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[key]), key
    assert (card.name, card.anatomy) == (name, anatomy)
    assert card.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert card.training is not None
    assert card.training["crops"] == sum(phase.batch * phase.schedule.steps for phase in training.phases)
    assert (card.training["seed"], card.training["precision"]) == (3, "bfloat16")
    kept = np.load(tmp_path / "out" / f"{name}.history.npz")
    assert kept["references"].shape == training.reference_slices(COLIN27)[:, 0].shape
    assert kept["classes"].tolist() == [structure.name for structure in card.structures]


@pytest.mark.parametrize(
    ("variant", "note"), [("soca", "at most 128 × 128 pixels"), ("scse-r16", "r = 16"), ("nonlocal", "32 × 32")]
)
def test_a_card_of_a_relative_says_what_its_name_does_not(
    variant: str, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NAME, "hippocampus", f"hippocampus-unet-{variant}")
    checkpoint(tmp_path, "hippocampus")
    (card,) = export(tmp_path, "hippocampus", COLIN27, tmp_path / "out")
    assert card.training is not None
    assert note in card.training["note"]
    assert card.reduction == (16 if variant == "scse-r16" else 2)


def test_an_smp_unet_is_exported_with_its_encoder_and_the_blocks_that_a_pass_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NAME, "brain", "brain-smp-unet-scse")
    model = checkpoint(tmp_path, "brain")
    (card,) = export(tmp_path, "brain", COLIN27, tmp_path / "out", "float16")
    assert card == zoo.read_card("brain-smp-unet-scse", tmp_path / "out")
    assert (card.architecture, card.variant, card.encoder) == ("smp-unet", "scse", "tu-regnety_002")
    assert [block.name for block in card.block_table if not block.ran] == ["decoder.blocks.3.attention1.attention"]
    assert sum(block.kind == "channel" for block in card.block_table) == 6, "one in each block of the encoder"
    assert card.training is not None
    assert "from random weights" in card.training["note"]
    weights = (tmp_path / "out" / "brain-smp-unet-scse.safetensors").stat().st_size
    assert weights < 12e6
    kept = np.load(tmp_path / "out" / "brain-smp-unet-scse.history.npz")
    assert "encoder.model.s1.b1.se/channel_gate" in kept
    loaded = zoo.load(card.name, tmp_path / "out")
    with torch.no_grad():
        x = torch.rand(1, 1, 50, 60)
        torch.testing.assert_close(loaded(x), model.eval()(x), atol=0.02, rtol=0.02)


def test_a_hippocampus_card_says_whose_data_it_was_and_under_which_licence() -> None:
    facts = TRAININGS["hippocampus"].facts
    assert "Antonelli" in facts["method"]
    assert facts["licence"].startswith("CC-BY-SA-4.0")


def test_a_malc_card_names_both_sources_the_mask_and_the_licence() -> None:
    facts = TRAININGS["malc"].facts
    assert "OASIS" in facts["data"]
    assert "Neuromorphometrics, Inc." in facts["data"]
    assert "under academic subscription" in facts["data"]
    assert "mask made from these labels" in facts["data"]
    assert facts["licence"].startswith("CC BY-NC")


def test_a_run_folder_gives_only_what_is_asked_for_and_done(tmp_path: Path) -> None:
    checkpoint(tmp_path, "hippocampus", missing=1)
    checkpoint(tmp_path, "brain")
    assert export(tmp_path, "hippocampus", COLIN27, tmp_path / "out") == []
    assert [card.name for card in export(tmp_path, "brain", COLIN27, tmp_path / "out")] == [NAME["brain"]]


def test_the_cost_of_storing_in_16_bits_is_on_the_card_or_stops_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def export_with(before: Sequence[float]) -> list[zoo.Card]:
        checkpoint(tmp_path, "hippocampus", dice=before)
        return export(tmp_path, "hippocampus", COLIN27, tmp_path / "out", "float16", data=tmp_path)

    def measured(model: nn.Module, batches: Sequence[tuple[Tensor, Tensor]]) -> tuple[float, Tensor]:
        assert torch.equal(model.classifier.bias, model.classifier.bias.half().float()), "not what was stored"
        return 0.2, torch.tensor([0.99, 0.9, 0.8])

    monkeypatch.setitem(
        TRAININGS, "hippocampus", exporting.replace(TRAININGS["hippocampus"], validation=lambda data: [()])
    )
    monkeypatch.setattr(exporting, "validate", measured)
    (card,) = export_with([0.99, 0.902, 0.801])
    assert card.training is not None
    assert card.training["stored"] == {
        "dtype": "float16",
        "validation_dice_float32": 0.8515,
        "validation_dice": 0.85,
    }
    with pytest.raises(ValueError, match=r"as float16 Dice falls from 0\.8550 to 0\.8500; choose float32"):
        export_with([0.99, 0.91, 0.8])
