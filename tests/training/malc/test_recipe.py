"""MALC training: what a label means, who is held out, whole slices of a head, batches that can be repeated."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import Tensor

from scse_viz.inference import network_input, window
from scse_viz.training.engine.losses import NO_CLASS
from scse_viz.training.engine.schedule import Phase, Schedule
from scse_viz.training.malc import __main__ as command
from scse_viz.training.malc import recipe as malc
from scse_viz.training.malc.recipe import Heads
from scse_viz.zoo.structures import BRAIN
from tests.training.malc.files import EXTERIOR, HEADS, write_heads

ICBM = Path(__file__).parents[3] / "sample_data" / "icbm2009a.nii.gz"
SIZES = ((32, 32), (16, 32))
PHASES = (
    Phase("rare", 2, SIZES, Schedule(steps=6, warmup=1, checkpoint_every=2, snapshots=3)),
    Phase("even", 2, SIZES, Schedule(steps=3, warmup=1, snapshots=2, settle=2)),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("malc")
    write_heads(folder)
    return folder


@pytest.fixture(scope="module")
def heads(folder: Path) -> Heads:
    return malc.load_heads(folder, HEADS[:2])


def test_every_structure_has_labels_and_no_label_has_two() -> None:
    assert list(malc.NUMBERS) == [structure.name for structure in BRAIN[1:]]
    numbers = [number for some in malc.NUMBERS.values() for number in some]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("label", "structure"),
    [
        (4, "third ventricle"),
        (11, "fourth ventricle"),
        (23, "accumbens"),
        (35, "brain stem"),
        (46, "extra-cerebral CSF"),
        (50, "lateral ventricle"),
        (73, "cerebellar cortex"),
        (100, "cerebral cortex"),
        (207, "cerebral cortex"),
    ],
)
def test_a_label_is_the_structure_that_the_table_of_the_data_says(label: int, structure: str) -> None:
    assert BRAIN[int(malc.classes_of(np.array([label]))[0])].name == structure


def test_labels_without_a_class_are_no_background() -> None:
    assert malc.classes_of(np.array([0, 15, 42, 43, 63, 64, 69, 75, 76])).tolist() == [0, *[NO_CLASS] * 8]


def test_the_heads_held_out_are_training_heads(folder: Path) -> None:
    assert malc.split(folder, "train") == list(HEADS)
    assert malc.split(folder, "test") == ["6"]
    assert malc.held_out(folder) == ["4"]


def test_a_slice_is_cut_to_the_head_and_windowed_as_the_whole_scan(folder: Path) -> None:
    scan, classes = malc.read_subject(folder, "1")
    image, target = malc.head_slices(scan, classes)
    assert target.shape == (16, 17 + 2 * malc.ROOM, 17 + 2 * malc.ROOM)
    whole = network_input(scan, malc.card_of("unet", "none"), "coronal", [8], window(scan, malc.card_of("unet", "sse")))
    top, left = 26 - 1 - 20 - malc.ROOM, 30 - 1 - 22 - malc.ROOM  # rows go inferior; stored from right to left
    rows, columns = slice(top, top + target.shape[1]), slice(left, left + target.shape[2])
    torch.testing.assert_close(image[8], whole[0, :, rows, columns])
    assert whole.sum() == pytest.approx(float(image[8].sum()))


def test_a_batch_depends_on_seed_and_step_alone(heads: Heads) -> None:
    phase, later = malc.PHASES
    image, classes = malc.batch_of(heads, 3, phase, 8)
    again = malc.batch_of(heads, 3, phase, 8)
    assert torch.equal(image, again[0])
    assert torch.equal(classes, again[1])
    for other in (
        malc.batch_of(heads, 4, phase, 8),
        malc.batch_of(heads, 3, phase, 12),
        malc.batch_of(heads, 3, later, 8),
    ):
        assert not torch.equal(image, other[0])
    assert image.shape == (phase.batch, 1, *phase.sizes[0])
    assert malc.batch_of(heads, 3, phase, 9)[0].shape == (phase.batch, 1, *phase.sizes[1])
    assert 0 <= image.min() <= image.max() <= 1.5
    assert {0, 1, 2, 6, NO_CLASS} >= set(classes.unique().tolist()) >= {0, 1, 2}


def test_a_rare_structure_is_seen_more_often_than_its_slices_are_many(heads: Heads) -> None:
    phase = malc.PHASES[0]
    batches = [malc.batch_of(heads, 0, phase, step)[1] for step in range(60)]
    seen = torch.cat([(classes == 6).any(dim=2).any(dim=1) for classes in batches]).float().mean()
    slices = heads.slices.classes
    rare, inside = ((slices == 6).any(dim=2).any(dim=1), (slices > 0).any(dim=2).any(dim=1))
    assert seen > 1.15 * rare.sum() / inside.sum()


def test_validation_slices_are_whole(folder: Path) -> None:
    ((image, classes),) = malc.validation_batches(folder, ["4"])
    assert image.shape == (2, 1, 26, 30)
    assert classes.shape == (2, 26, 30)


def test_pixels_without_a_class_are_not_counted_for_the_weights(heads: Heads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malc, "PHASES", PHASES)
    weights = malc.class_weights(heads, 0, PHASES[0])
    assert weights.shape == (malc.CLASSES,)
    assert weights[0] < weights[1] < weights[6] < weights[17] == 4  # the fewer pixels, the more; none of CSF
    assert malc.class_weights(heads, 0, PHASES[1]).tolist() == [1] * malc.CLASSES


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(malc, "PHASES", PHASES)
    monkeypatch.setattr(malc, "WIDTHS", {"unet": (4, 4, 4, 4, 4)})
    monkeypatch.setattr(malc, "class_weights", lambda *of: torch.ones(18))  # asks for batches as well

    def run(where: str, *more: str) -> dict[str, Tensor]:
        options = ["--data", str(folder), "--reference", str(ICBM), "--run", str(tmp_path / where), *more]
        assert command.main([*options, "--precision", "float32", "--variants", "none", "scse"]) == 0
        state = torch.load(tmp_path / where / "malc-unet-none-scse-even.pt", weights_only=True)
        return {
            f"{name} {key}": tensor
            for name, saved in state["networks"].items()
            for key, tensor in saved["model"].items()
        }

    whole = run("whole")
    batches = malc.batch_of

    def broken_off(heads: Heads, seed: int, phase: Phase, step: int) -> tuple[Tensor, Tensor]:
        if step == 5:
            raise KeyboardInterrupt
        return batches(heads, seed, phase, step)

    with monkeypatch.context() as at_first:
        at_first.setattr(malc, "batch_of", broken_off)
        with pytest.raises(KeyboardInterrupt):
            run("resumed")
    resumed = run("resumed")
    for key, tensor in whole.items():
        assert torch.equal(tensor, resumed[key]), key
    fewer = run("fewer", "--heads", "12")
    assert any(not torch.equal(tensor, fewer[key]) for key, tensor in whole.items())


def test_networks_fit_in_three_megabytes_of_float16() -> None:
    for architecture in malc.WIDTHS:
        card = malc.card_of(architecture, "scse")
        assert card.planes == ("coronal",)
        assert sum(tensor.numel() for tensor in card.network().state_dict().values()) * 2 < 3_000_000


def test_the_reference_slices_show_a_head_in_the_middle() -> None:
    references = malc.reference_slices(ICBM)
    assert references.shape == (2, 1, *malc.REFERENCE_SIZE)
    for image in references[:, 0]:
        seen = np.argwhere(image.numpy() > 0.2)
        margins = [*seen.min(axis=0), *(np.array(image.shape) - 1 - seen.max(axis=0))]
        assert min(margins) >= 2
        assert max(margins) < 30


def test_the_exterior_of_the_tiny_heads_is_without_a_class(folder: Path) -> None:
    labels = nib.load(folder / "labels" / "1.nii.gz").get_fdata()
    classes = malc.read_subject(folder, "1")[1]
    assert np.count_nonzero(classes == NO_CLASS) == np.count_nonzero(labels == EXTERIOR) > 0
