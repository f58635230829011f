"""Hippocampus training: who is on which side of the split, pictures as at inference, batches that can be repeated."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from scse_viz.training.augmentation import Slices
from scse_viz.training.engine.schedule import Phase, Schedule
from scse_viz.training.hippocampus import __main__ as command
from scse_viz.training.hippocampus import recipe as hippocampus
from scse_viz.training.hippocampus.recipe import batch_of
from scse_viz.training.hippocampus.split import TEST, TRAINING, VALIDATION
from tests.crop_files import CROPS

COLIN27 = Path(__file__).parents[3] / "sample_data" / "colin27.nii.gz"
PHASES = (
    Phase("slices", 4, ((32, 32), (16, 32)), Schedule(steps=6, warmup=1, checkpoint_every=2, snapshots=3)),
    Phase("calm", 4, ((32, 32),), Schedule(steps=2, warmup=1, snapshots=2)),
)


def test_the_split_is_complete_and_no_subject_is_on_two_sides_of_it() -> None:
    everyone = [*TRAINING, *VALIDATION, *TEST]
    assert (len(TRAINING), len(VALIDATION), len(TEST)) == (160, 20, 40)
    assert len(set(everyone)) == len(everyone)
    people = [(number + 1) // 2 for number in everyone]
    for number in (*VALIDATION, *TEST):
        assert people.count((number + 1) // 2) == 1, f"the other side of crop {number} is in the split as well"


def test_the_split_names_every_crop_of_the_data_set(decathlon: Path) -> None:
    named = sorted(name for names in hippocampus.split().values() for name in names)
    assert named == sorted(path.name for path in (decathlon / "images").iterdir())


def test_crops_of_one_person_are_known_by_the_steps_of_their_intensities(decathlon: Path) -> None:
    def step(number: int) -> float:
        values = np.unique(nib.load(decathlon / "images" / f"hippocampus_{number:03d}.nii.gz").get_fdata())
        return float(np.diff(values[:5]).min())

    assert step(35) == pytest.approx(step(36), rel=1e-3)
    assert step(37) == pytest.approx(step(38), rel=1e-3)
    assert step(36) != pytest.approx(step(37), rel=1e-3)


def test_a_batch_depends_on_seed_phase_and_step_alone(slices: Slices) -> None:
    first, last = hippocampus.PHASES
    image, classes = batch_of(slices, 3, first, 8)
    again = batch_of(slices, 3, first, 8)
    assert torch.equal(image, again[0])
    assert torch.equal(classes, again[1])
    for other in (batch_of(slices, 4, first, 8), batch_of(slices, 3, first, 16), batch_of(slices, 3, last, 8)):
        assert not torch.equal(image, other[0][: len(image)])
    assert image.shape == (first.batch, 1, *first.sizes[0])
    assert batch_of(slices, 3, first, 9)[0].shape == (first.batch, 1, *first.sizes[1])
    assert 0 <= image.min() <= image.max() <= 1.5


def test_rare_classes_weigh_a_little_more_at_first_and_not_at_all_in_the_end(slices: Slices) -> None:
    first, last = (hippocampus.class_weights(slices, 0, phase) for phase in hippocampus.PHASES)
    assert first[0] < 0.8 < 0.9 < first[1:].min()
    assert last.tolist() == [1, 1, 1]


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(
    crop_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hippocampus, "PHASES", PHASES)
    monkeypatch.setattr(hippocampus, "split", lambda: {"train": CROPS, "validation": CROPS[:1], "test": []})
    monkeypatch.setattr(hippocampus, "WIDTHS", {"unet": (4, 4, 4, 4, 4)})
    monkeypatch.setattr(hippocampus, "class_weights", lambda *of: torch.ones(3))  # asks for batches as well

    def run(where: str) -> dict[str, Tensor]:
        options = ["--data", str(crop_folder), "--reference", str(COLIN27), "--run", str(tmp_path / where)]
        assert command.main([*options, "--precision", "float32", "--variants", "none", "scse"]) == 0
        state = torch.load(tmp_path / where / "hippocampus-unet-none-scse-calm.pt", weights_only=True)
        return {
            f"{name} {key}": tensor
            for name, saved in state["networks"].items()
            for key, tensor in saved["model"].items()
        }

    whole = run("whole")
    batches = hippocampus.batch_of

    def broken_off(slices: Slices, seed: int, phase: Phase, step: int) -> tuple[Tensor, Tensor]:
        if step == 5:
            raise KeyboardInterrupt
        return batches(slices, seed, phase, step)

    with monkeypatch.context() as at_first:
        at_first.setattr(hippocampus, "batch_of", broken_off)
        with pytest.raises(KeyboardInterrupt):
            run("resumed")
    resumed = run("resumed")
    for key, tensor in whole.items():
        assert torch.equal(tensor, resumed[key]), key


def test_the_three_architectures_are_of_one_size_and_cost() -> None:
    sizes, costs = [], []
    for architecture in hippocampus.WIDTHS:
        model = hippocampus.card_of(architecture, "none").network().eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(torch.zeros(1, 1, 48, 64))
        sizes.append(sum(parameter.numel() for parameter in model.parameters()))
        costs.append(counter.get_total_flops())
    assert max(sizes) < 1.08 * min(sizes)
    assert max(costs) < 1.08 * min(costs)


def test_the_reference_slices_run_through_colin27s_hippocampus() -> None:
    references = hippocampus.reference_slices(COLIN27)
    assert references.shape == (2, 1, 48, 56)
    labels = nib.load(COLIN27.with_name("colin27-labels.nii.gz"))
    at = np.linalg.inv(labels.affine) @ [*hippocampus.REFERENCE_MM, 1]
    x, y, z = np.round(at[:3]).astype(int)
    assert labels.dataobj[x, y, z] == 10
