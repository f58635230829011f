"""The loop: resumable to the bit, fair between variants, and able to learn."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from scse_viz.models import build
from scse_viz.training.brain.atlas import Atlas
from scse_viz.training.brain.synthesis import synthesise
from scse_viz.training.engine.loop import Schedule, train

WIDTHS = (4, 4, 4, 4, 4)
WEIGHTS = torch.ones(18)


def networks(*variants: str) -> dict[str, nn.Module]:
    return {variant: build("unet", variant, classes=18, widths=WIDTHS, seed=1) for variant in variants}


def run(
    models: dict[str, nn.Module], atlas: Atlas, schedule: Schedule, checkpoint: Path, stop: int | None = None
) -> None:
    """Train; with `stop`, break off before that step as a person would."""

    def batch(step: int) -> tuple[Tensor, Tensor]:
        if step == stop:
            raise KeyboardInterrupt
        return synthesise(atlas, 2, 32, Generator().manual_seed(step))

    validation = [synthesise(atlas, 2, 32, Generator().manual_seed(99))]
    references = torch.rand(2, 1, 32, 32, generator=Generator().manual_seed(5))
    train(models, batch, schedule, weights=WEIGHTS, validation=validation, references=references, checkpoint=checkpoint)


@pytest.mark.parametrize("settle", [0, 2])
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(atlas: Atlas, tmp_path: Path, settle: int) -> None:
    schedule = Schedule(steps=8, warmup=2, checkpoint_every=3, settle=settle)
    whole = networks("none", "scse")
    run(whole, atlas, schedule, tmp_path / "whole.pt")
    with pytest.raises(KeyboardInterrupt):
        run(networks("none", "scse"), atlas, schedule, tmp_path / "resumed.pt", stop=5)
    resumed = networks("none", "scse")
    run(resumed, atlas, schedule, tmp_path / "resumed.pt")
    for variant, model in whole.items():
        for key, tensor in model.state_dict().items():
            assert torch.equal(tensor, resumed[variant].state_dict()[key]), f"{variant} {key}"


def test_normalisation_settles_on_the_mean_statistics_of_the_last_batches(atlas: Atlas, tmp_path: Path) -> None:
    trained = networks("scse")
    run(trained, atlas, Schedule(steps=6, warmup=0, settle=4), tmp_path / "run.pt")

    first, normalise = (trained["scse"].get_submodule(f"encoder.1.{place}") for place in (0, 1))
    images = [synthesise(atlas, 2, 32, Generator().manual_seed(step))[0] for step in range(2, 6)]
    with torch.no_grad():
        features = [first(image) for image in images]
    mean = torch.stack([each.mean(dim=(0, 2, 3)) for each in features]).mean(dim=0)
    variance = torch.stack([each.var(dim=(0, 2, 3)) for each in features]).mean(dim=0)
    torch.testing.assert_close(normalise.running_mean, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(normalise.running_var, variance, rtol=1e-4, atol=1e-5)
    assert normalise.momentum == 0.1


def test_training_beside_another_variant_changes_nothing(atlas: Atlas, tmp_path: Path) -> None:
    schedule = Schedule(steps=3, warmup=0)
    together, alone = networks("cse", "sse"), networks("sse")
    run(together, atlas, schedule, tmp_path / "together.pt")
    run(alone, atlas, schedule, tmp_path / "alone.pt")
    for key, tensor in alone["sse"].state_dict().items():
        assert torch.equal(tensor, together["sse"].state_dict()[key]), key


def test_a_checkpoint_of_another_plan_is_refused(atlas: Atlas, tmp_path: Path) -> None:
    schedule = Schedule(steps=2, warmup=0)
    run(networks("none"), atlas, schedule, tmp_path / "run.pt")
    with pytest.raises(ValueError, match=r"run\.pt belongs to another schedule"):
        run(networks("none"), atlas, replace(schedule, seed=7), tmp_path / "run.pt")


def test_a_tiny_network_overfits_four_crops(atlas: Atlas, tmp_path: Path) -> None:
    model = build("unet", "scse", classes=18, widths=(8, 8, 8, 8, 8), seed=0)
    crops = synthesise(atlas, 4, 32, Generator().manual_seed(0))
    history = train(
        {"scse": model},
        lambda step: crops,
        Schedule(steps=150, rate=1e-2, warmup=5),
        weights=WEIGHTS,
        validation=[crops],
        references=crops[0][:2],
        checkpoint=tmp_path / "run.pt",
        bfloat16=False,
    )["scse"]
    assert history.validation_loss[-1] < 0.15 * history.validation_loss[0]
    found = model.eval()(crops[0]).argmax(dim=1)
    assert (found == crops[1]).float().mean() > 0.97


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    schedule = Schedule(steps=1000, rate=1.0, warmup=10, power=1.0)
    assert schedule.rate_at(0) == pytest.approx(0.1)
    assert schedule.rate_at(10) == pytest.approx(0.99)
    assert schedule.rate_at(500) == pytest.approx(0.5)
    assert schedule.rate_at(999) == pytest.approx(0.001)
