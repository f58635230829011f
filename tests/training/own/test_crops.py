"""Crops: image and labels stay one picture, a step is a step, and slices are those of inference."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from scse_viz.inference import network_input, window
from scse_viz.scans import read_scan, slice_of
from scse_viz.training.own.arrays import slice_images, slice_labels
from scse_viz.training.own.classes import Paints
from scse_viz.training.own.crops import Augmentation, Crops, default_size, painted, whole_slices
from scse_viz.training.own.data import Data, Wishes, read_data

PAINTS = Paints((0, 17, 500), (0, 1, 2))
STILL = Augmentation(focused=0, turn=0, scale=(1, 1), mirror=0, gain=0, gamma=0, noise=0)


@pytest.fixture
def data(plain: Callable[..., Path]) -> Data:
    return read_data(plain(), Wishes())


def crops_of(data: Data, **changes: object) -> Crops:
    return replace(Crops(data.training, data.card, batch=4, size=16, seed=1), **changes)


def test_the_bright_box_is_bright_and_the_dark_one_dark_wherever_a_crop_lies(data: Data) -> None:
    image, classes = (torch.cat(parts) for parts in zip(*map(crops_of(data).of_step, range(8)), strict=True))
    levels = [image[:, 0][classes == number].mean() for number in range(3)]
    assert levels[1] > 0.85
    assert levels[2] < 0.2
    assert 0.3 < image[:, 0][classes == 0].median() < 0.6
    # Turned, scaled and mirrored alike: a shift by a pixel would spoil far more than the edges.
    assert ((image[:, 0] > 0.75) == (classes == 1)).float().mean() > 0.95


def test_a_step_gives_the_same_crops_whenever_it_is_asked_for_and_however_many_ask(data: Data) -> None:
    crops = crops_of(data)
    image, classes = crops.of_step(5)
    assert torch.equal(image, crops.of_step(5)[0])
    assert not torch.equal(image, crops.of_step(6)[0])
    assert not torch.equal(image, replace(crops, seed=2).of_step(5)[0])
    for rank in range(2):
        part = crops.of_step(5, rank, 2)
        assert torch.equal(part[0], image[rank::2])
        assert torch.equal(part[1], classes[rank::2])


def test_a_crop_without_augmentation_as_large_as_a_slice_is_the_slice(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scse_viz.training.own.crops._centre", lambda share, side, size, random: side / 2)
    card = replace(data.card, planes=("axial",))
    crops = Crops(data.training[:1], card, batch=1, size=24, seed=0, augmentation=STILL)
    image, classes = crops.of_step(0)
    assert image[0, 0, :, :2].max() < 1e-5, "beyond the slice of 20 columns"
    slices = slice_images(data.training[0], card, "axial", range(16))
    matches = [index for index in range(16) if torch.allclose(image[0, :, :, 2:22], slices[index], atol=1e-5)]
    assert len(matches) == 1
    assert torch.equal(
        classes[0, :, 2:22], slice_labels(data.training[0].classes, data.training[0], card, "axial", matches[0])
    )


def test_crops_about_structures_show_one(data: Data) -> None:
    everywhere = crops_of(data, augmentation=Augmentation(focused=1))
    assert all((crop > 0).any() for step in range(6) for crop in everywhere.of_step(step)[1])


def test_a_slice_is_windowed_and_resampled_as_at_inference(plain: Callable[..., Path]) -> None:
    folder = plain(spacing=(1, 1.3, 0.9))
    data = read_data(folder, Wishes(pixel_mm=1.1))
    volume = data.training[0]
    scan = read_scan(folder / "images" / f"{volume.name}.nii.gz")
    expected = network_input(scan, data.card, "sagittal", [3, 7], window(scan, data.card))
    assert expected.shape[-2:] != slice_of(scan.voxels, "sagittal", 3).shape
    torch.testing.assert_close(slice_images(volume, data.card, "sagittal", [3, 7]), expected, atol=2e-3, rtol=0)


def test_a_painted_image_gives_every_label_an_intensity_of_its_own() -> None:
    numbers = torch.zeros(32, 32, dtype=torch.long)
    numbers[:16], numbers[:, 20:] = 17, 500
    contrasts = set()
    for seed in range(12):
        image = painted(numbers, PAINTS, np.random.default_rng(seed))
        assert image.shape == (1, 32, 32)
        assert 0 <= image.min() <= image.max() <= 1.5
        contrasts.add(bool(image[0, :14, :18].mean() > image[0, :, 22:].mean()))
    assert contrasts == {True, False}, "now brighter, now darker"
    first, again = (painted(numbers, PAINTS, np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(first, again)


def test_validation_slices_are_whole_and_the_same_every_time(data: Data) -> None:
    once, again = (list(whole_slices(data.validation, data.card, 10)) for _ in range(2))
    assert len(once) == 10
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(once, again, strict=True))
    assert {tuple(image.shape[-2:]) for image, _ in once} <= {(16, 24), (16, 20), (24, 20)}


def test_a_crop_shows_about_what_a_slice_shows(data: Data) -> None:
    assert default_size(data.training, data.card) == 32  # slices have 24 or 20 pixels on their longer side
    assert default_size(data.training, replace(data.card, pixel_mm=0.05)) == 256
