"""From folder to network: what comes out is opened by the zoo and segments, and a stop costs nothing."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from scse_viz import zoo
from scse_viz.analysis import dice
from scse_viz.inference import network_input, resampled, segment_slices, window
from scse_viz.scans import Scan, ScanError, read_channels, read_labels, read_scan, volume_of
from scse_viz.training.engine.checkpoint import CheckpointError
from scse_viz.training.engine.loop import Stopped, train
from scse_viz.training.engine.machine import Machine
from scse_viz.training.own import train as own
from scse_viz.training.own.classes import DataError
from scse_viz.training.own.crops import Crops
from scse_viz.training.own.data import Data, Wishes, read_data
from scse_viz.training.own.train import task_of, train_network
from scse_viz.zoo import Card
from tests.training.own.tiny import SETTINGS


@pytest.fixture(autouse=True)
def few_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "VALIDATION_SLICES", 4)


@pytest.fixture
def data(plain: Callable[..., Path]) -> Data:
    return read_data(plain(3), Wishes(name="Tiny Boxes"))


@dataclass(frozen=True, eq=False)
class OneBatch(Crops):
    """The same crops at every step."""

    def of_step(self, step: int, rank: int = 0, ranks: int = 1) -> tuple[Tensor, Tensor]:
        return super().of_step(0)


@dataclass(frozen=True, eq=False)
class Interrupted(Crops):
    """Crops whose user interrupts the training at step 3."""

    def of_step(self, step: int, rank: int = 0, ranks: int = 1) -> tuple[Tensor, Tensor]:
        if step == 3:
            signal.raise_signal(signal.SIGINT)
        return super().of_step(step, rank, ranks)


def test_the_result_is_a_network_that_the_zoo_opens_and_that_segments(
    data: Data, machine: Machine, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    card = train_network(data, "scse", SETTINGS, out, machine)
    assert zoo.cards(out) == {"tiny-boxes-unet-scse": card}
    assert card.training is not None
    assert card.training["crops"] == 12
    assert card.training["precision"] == "float32"
    assert card.training["validation"] == [volume.name for volume in data.validation]
    assert card.figures is not None
    volume = data.validation[0]
    folder = tmp_path / "plain"
    scan = read_scan(folder / "images" / f"{volume.name}.nii.gz")
    reference = read_labels(folder / "labels" / f"{volume.name}.nii.gz", scan)
    for plane in card.planes:
        slices = [result.labels for _, result in segment_slices(scan, zoo.load(card.name, out), card, plane)]
        scores = dice(volume_of(np.stack(slices), plane), reference, 3)
        claimed = card.figures["dice"]["validation"][plane]
        assert [claimed["label 1"], claimed["label 2"]] == pytest.approx(scores[1:], abs=0.01)


def test_history_metrics_and_split_are_left_beside_it(data: Data, machine: Machine, tmp_path: Path) -> None:
    train_network(data, "cse", SETTINGS, tmp_path, machine)
    history = np.load(tmp_path / "tiny-boxes-unet-cse.history.npz")
    assert (history["steps"][0], history["steps"][-1]) == (0, 6)
    assert history["encoder1/channel_gate"].shape == (len(history["steps"]), 2, 4)
    rows = (tmp_path / "tiny-boxes-unet-cse.run" / "metrics.csv").read_text().splitlines()
    assert rows[0] == "step,training loss,validation loss,mean Dice,Dice label 1,Dice label 2"
    assert [float(row.split(",")[0]) for row in rows[1:]] == [0, 1, 2, 3, 4, 5, 6]
    split = json.loads((tmp_path / "tiny-boxes-unet-cse.run" / "split.json").read_text())
    assert sorted(split["training"] + split["validation"]) == ["case_0", "case_1", "case_2"]


def test_a_stopped_training_resumes_to_the_weights_of_an_uninterrupted_one(
    data: Data, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_network(data, "scse", SETTINGS, tmp_path / "whole", machine)
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(own, "Crops", Interrupted)
        with pytest.raises(Stopped) as stopped:
            train_network(data, "scse", SETTINGS, tmp_path / "resumed", machine)
    assert stopped.value.step == 4
    assert signal.getsignal(signal.SIGINT) is before
    assert list((tmp_path / "resumed").glob("*.safetensors")) == []
    resumed = train_network(data, "scse", SETTINGS, tmp_path / "resumed", machine)
    assert resumed.sha256 == whole.sha256
    for name in ("tiny-boxes-unet-scse.history.npz",):
        once, again = (np.load(tmp_path / part / name) for part in ("whole", "resumed"))
        assert all(np.array_equal(once[key], again[key], equal_nan=key == "dice") for key in once.files)


def test_a_training_with_other_options_is_not_gone_on_with(data: Data, machine: Machine, tmp_path: Path) -> None:
    train_network(data, "sse", SETTINGS, tmp_path, machine)
    with pytest.raises(CheckpointError, match=r"holds a training with another batch \(2, now 3\)"):
        train_network(data, "sse", replace(SETTINGS, batch=3), tmp_path, machine)


def test_two_variants_start_equal_and_see_the_same_crops(data: Data, machine: Machine, tmp_path: Path) -> None:
    kept = {}
    for variant in ("none", "scse"):
        settings = replace(SETTINGS, steps=1, rate=1e-12)
        train_network(data, variant, settings, tmp_path, machine)
        kept[variant] = zoo.load(f"tiny-boxes-unet-{variant}", tmp_path).state_dict()
    shared = [key for key in kept["none"] if not key.startswith("blocks") and "running" not in key]
    assert len(shared) > 40
    for key in shared:
        assert torch.allclose(kept["none"][key], kept["scse"][key], atol=1e-9), key
    first = "encoder.1.1.running_mean"  # of what the first convolution makes of the crops
    assert torch.equal(kept["none"][first], kept["scse"][first])


def test_a_tiny_network_overfits_four_crops(data: Data, machine: Machine, tmp_path: Path) -> None:
    settings = replace(SETTINGS, widths=(8, 8, 8, 8, 8), steps=90, batch=4, rate=1e-2)
    card = replace(data.card, name="tiny", architecture="unet", variant="scse", widths=settings.widths)
    crops = OneBatch(data.training, card, batch=4, size=16, seed=0)
    batch = crops.of_step(0)
    task = replace(task_of(data, crops, settings), weights=torch.ones(3), validation=[batch])
    model = card.network(seed=0)
    history = train({"tiny": model}, task, tmp_path / "checkpoint.pt", machine).histories["tiny"]
    assert history.validation_loss[-1] < 0.2 * history.validation_loss[0]
    assert (model.eval()(batch[0]).argmax(dim=1) == batch[1]).float().mean() > 0.97


def test_several_channels_are_trained_on_and_segmented_where_all_are_given(
    decathlon: Path, machine: Machine, tmp_path: Path
) -> None:
    card = train_network(read_data(decathlon, Wishes()), "scse", SETTINGS, tmp_path / "out", machine)
    assert card.in_channels == 2
    model = zoo.load(card.name, tmp_path / "out")
    file = decathlon / "imagesTr" / "tiny_0.nii.gz"
    with pytest.raises(ScanError, match=r"a single volume, and .* sees 2 at once \(T1, T2\); give a 4-D file"):
        next(segment_slices(read_scan(file, volume=0), model, card, "axial"))
    _, result = next(segment_slices(read_channels(file), model, card, "axial"))
    x = torch.cat([_windowed(read_scan(file, volume=number), card) for number in range(2)], dim=1)
    expected = resampled(model(x), result.labels.shape).argmax(dim=1)[0].numpy()
    np.testing.assert_array_equal(result.labels, expected)


def test_label_maps_alone_are_enough(plain: Callable[..., Path], machine: Machine, tmp_path: Path) -> None:
    data = read_data(plain(3), Wishes(labels_only=True))
    card = train_network(data, "none", SETTINGS, tmp_path / "out", machine)
    assert card.figures is not None
    assert card.figures["measured_on"] == "painted slices of label maps that were held out"
    assert card.training is not None
    assert card.training["data"].startswith("images painted from label maps")
    assert np.load(tmp_path / "out" / f"{card.name}.history.npz")["encoder1/activation"].ndim == 4


def test_names_that_would_hide_a_shipped_network_are_refused(
    plain: Callable[..., Path], machine: Machine, tmp_path: Path
) -> None:
    data = read_data(plain(2), Wishes(name="brain"))
    with pytest.raises(DataError, match="brain-unet-scse is a shipped network; choose another --name"):
        train_network(data, "scse", SETTINGS, tmp_path, machine)


def _windowed(scan: Scan, card: Card) -> torch.Tensor:
    """The first axial slice of one channel as the network was trained on it."""
    single = replace(card, in_channels=1, channels=())
    return network_input(scan, single, "axial", [0], window(scan, single))


def test_a_folder_with_other_tables_in_it_can_hold_networks(decathlon: Path, machine: Machine) -> None:
    card = train_network(read_data(decathlon, Wishes()), "scse", SETTINGS, decathlon, machine)
    listing = zoo.listing(decathlon)
    assert list(listing.cards) == [card.name]
    assert listing.skipped[0].startswith("dataset.json is not a card")
