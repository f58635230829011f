"""The loop: resumable to the bit, fair between variants, and able to learn."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, nn

from scse_viz.models import build
from scse_viz.training.brain.atlas import Atlas
from scse_viz.training.brain.synthesis import synthesise
from scse_viz.training.engine.checkpoint import CheckpointError
from scse_viz.training.engine.loop import Stopped, Task, Trained, train
from scse_viz.training.engine.losses import Batch
from scse_viz.training.engine.machine import machine_for
from scse_viz.training.engine.schedule import Schedule

WIDTHS = (4, 4, 4, 4, 4)


def networks(*variants: str) -> dict[str, nn.Module]:
    return {variant: build("unet", variant, classes=18, widths=WIDTHS, seed=1) for variant in variants}


def task_of(atlas: Atlas, schedule: Schedule) -> Task:
    return Task(
        batch=lambda step: synthesise(atlas, 2, 32, Generator().manual_seed(step)),
        schedule=schedule,
        weights=torch.ones(18),
        classes=[str(number) for number in range(18)],
        validation=[synthesise(atlas, 2, 32, Generator().manual_seed(99))],
        references=torch.rand(2, 1, 32, 32, generator=Generator().manual_seed(5)),
    )


def run(models: dict[str, nn.Module], task: Task, checkpoint: Path, **machine: Any) -> Trained:
    return train(models, task, checkpoint, machine_for("cpu", **{"precision": "float32", **machine}))


def broken_off(task: Task, at: int) -> Task:
    """The same task, killed before the batch of a step is made."""

    def batch(step: int) -> Batch:
        if step == at:
            raise KeyboardInterrupt
        return task.batch(step)

    return replace(task, batch=batch)


def assert_same(models: dict[str, nn.Module], others: dict[str, nn.Module]) -> None:
    for name, model in models.items():
        for key, tensor in model.state_dict().items():
            assert torch.equal(tensor, others[name].state_dict()[key]), f"{name} {key}"


@pytest.mark.parametrize("settle", [0, 2])
@pytest.mark.parametrize("machine", [{}, {"parallel": 2}, {"workers": 1}, {"precision": "bfloat16"}])
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    atlas: Atlas, tmp_path: Path, settle: int, machine: dict[str, Any]
) -> None:
    task = task_of(atlas, Schedule(steps=8, warmup=2, checkpoint_every=3, settle=settle))
    whole, resumed = networks("none", "scse"), networks("none", "scse")
    first = run(whole, task, tmp_path / "whole.pt", **machine)
    with pytest.raises(KeyboardInterrupt):
        run(networks("none", "scse"), broken_off(task, 5), tmp_path / "resumed.pt", **{**machine, "workers": 0})
    again = run(resumed, task, tmp_path / "resumed.pt", **machine)
    assert_same(whole, resumed)
    assert again.histories["scse"].steps == first.histories["scse"].steps == list(range(9))
    assert again.histories["scse"].validation_loss == first.histories["scse"].validation_loss


def test_normalisation_settles_on_the_mean_statistics_of_the_last_batches(atlas: Atlas, tmp_path: Path) -> None:
    trained = networks("scse")
    run(trained, task_of(atlas, Schedule(steps=6, warmup=0, settle=4)), tmp_path / "run.pt")

    first, normalise = (trained["scse"].get_submodule(f"encoder.1.{place}") for place in (0, 1))
    images = [synthesise(atlas, 2, 32, Generator().manual_seed(step))[0] for step in range(2, 6)]
    with torch.no_grad():
        features = [first(image) for image in images]
    mean = torch.stack([batch.mean(dim=(0, 2, 3)) for batch in features]).mean(dim=0)
    variance = torch.stack([batch.var(dim=(0, 2, 3)) for batch in features]).mean(dim=0)
    torch.testing.assert_close(normalise.running_mean, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(normalise.running_var, variance, rtol=1e-4, atol=1e-5)
    assert normalise.momentum == 0.1


@pytest.mark.parametrize("parallel", [1, 2])
def test_training_beside_another_variant_changes_nothing(atlas: Atlas, tmp_path: Path, parallel: int) -> None:
    task = task_of(atlas, Schedule(steps=3, warmup=0))
    together, alone = networks("cse", "sse"), networks("sse")
    run(together, task, tmp_path / "together.pt", parallel=parallel)
    run(alone, task, tmp_path / "alone.pt")
    assert_same(alone, together)


@pytest.mark.parametrize(
    ("others", "variants", "sentence"),
    [
        ({"schedule": Schedule(steps=2, seed=7)}, ["none"], r"another seed \(0, now 7\)"),
        ({"facts": {"sizes": [32]}}, ["none"], r"another sizes \(None, now \[32\]\)"),
        ({}, ["sse"], r"another networks \(\['none'\], now \['sse'\]\)"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(
    others: dict[str, Any], variants: list[str], sentence: str, atlas: Atlas, tmp_path: Path
) -> None:
    task = task_of(atlas, Schedule(steps=2))
    run(networks("none"), task, tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match=r"run\.pt: holds a training with " + sentence):
        run(networks(*variants), replace(task, **others), tmp_path / "run.pt")


def test_a_stop_request_ends_the_step_and_leaves_a_checkpoint(atlas: Atlas, tmp_path: Path) -> None:
    task, whole, resumed = task_of(atlas, Schedule(steps=4)), networks("cse"), networks("cse")

    def batch(step: int) -> Batch:
        if step == 1:
            signal.raise_signal(signal.SIGTERM)
        return task.batch(step)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped, match="cse: stopped after step 2; the same command resumes the training"):
        run(networks("cse"), replace(task, batch=batch), tmp_path / "resumed.pt")
    assert signal.getsignal(signal.SIGTERM) is before
    run(whole, task, tmp_path / "whole.pt")
    run(resumed, task, tmp_path / "resumed.pt")
    assert_same(whole, resumed)


def test_reports_come_beside_snapshots(atlas: Atlas, tmp_path: Path) -> None:
    rows: list[float] = []
    task = task_of(atlas, Schedule(steps=8, snapshots=3, report_every=3))
    task = replace(task, measured=lambda name, all_rows: rows.append(all_rows[-1]["step"]))
    trained = run(networks("none"), task, tmp_path / "run.pt")
    assert trained.histories["none"].steps == [0, 1, 8]
    assert rows == [0, 1, 3, 6, 8]


def test_a_tiny_network_overfits_four_crops(atlas: Atlas, tmp_path: Path) -> None:
    model = build("unet", "scse", classes=18, widths=(8, 8, 8, 8, 8), seed=0)
    crops = synthesise(atlas, 4, 32, Generator().manual_seed(0))
    task = task_of(atlas, Schedule(steps=150, rate=1e-2, warmup=5, snapshots=3))
    task = replace(task, batch=lambda step: crops, validation=[crops])
    history = run({"scse": model}, task, tmp_path / "run.pt").histories["scse"]
    assert history.validation_loss[-1] < 0.15 * history.validation_loss[0]
    assert len(history.losses) == 3
    labels = model.eval()(crops[0]).argmax(dim=1)
    assert (labels == crops[1]).float().mean() > 0.97
