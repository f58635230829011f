"""Slices as at inference, and still on their labels however they are moved."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from scse_viz.inference import network_input, window
from scse_viz.scans import PLANES, slice_of
from scse_viz.training.augmentation import INSIDE, SliceAugmentation, Slices, augmented, chosen, plane_slices
from scse_viz.training.hippocampus.recipe import card_of, read_subject
from tests.crop_files import CROP_SHAPE, CROPS

CARD = card_of("unet", "none")
UNSHADED = {"gamma": 0.0, "gain": (1.0, 1.0), "offset": 0.0, "bias": 0.0, "blurred": 0.0, "noise": 0.0}
STILL = SliceAugmentation(mirrored=0.0, turn=0.0, zoom=(1.0, 1.0), stretch=0.0, bend=0.0, beyond=0.0, **UNSHADED)


@pytest.mark.parametrize("name", CROPS)
@pytest.mark.parametrize("plane", PLANES)
def test_a_slice_left_as_it_is_is_the_input_of_inference_with_its_labels(
    crop_folder: Path, slices: Slices, name: str, plane: str
) -> None:
    scan, labels = read_subject(crop_folder, name)
    row = slices.first[CROPS.index(name), list(PLANES).index(plane)] + 7
    height, width = (int(side) for side in slices.sizes[row])
    image, classes = augmented(slices, row[None], (height, width), Generator().manual_seed(0), STILL)
    torch.testing.assert_close(
        image, network_input(scan, CARD, plane, [7], window(scan, CARD)), atol=1e-3, rtol=0, msg="stored as float16"
    )
    assert np.array_equal(classes[0], slice_of(labels, plane, 7))


def test_both_crops_give_the_same_pictures_whatever_their_type_and_orientation(crop_folder: Path) -> None:
    first, second = (plane_slices(*read_subject(crop_folder, name), CARD, "coronal") for name in CROPS)
    torch.testing.assert_close(first[0], second[0], atol=1e-5, rtol=0)
    assert torch.equal(first[1], second[1])


def test_beyond_its_edge_a_slice_continues_with_its_border(slices: Slices) -> None:
    still = SliceAugmentation(**{**vars(STILL), "beyond": 3.0})
    image, classes = augmented(slices, slices.first[:1, 0] + 8, (40, 48), Generator().manual_seed(1), still)
    rows = (image[0, 0, 1:] != image[0, 0, :-1]).any(dim=1).sum() + 1
    columns = (image[0, 0, :, 1:] != image[0, 0, :, :-1]).any(dim=0).sum() + 1
    assert CROP_SHAPE[2] <= rows <= CROP_SHAPE[2] + 1  # in between two pixels where the shift is not whole
    assert CROP_SHAPE[1] <= columns <= CROP_SHAPE[1] + 1
    assert (classes > 0).sum() == 6 * 2 * 5


def test_classes_stay_on_what_they_name_however_a_slice_is_moved(slices: Slices) -> None:
    image, classes = augmented(
        slices, slices.inside[0][0].repeat(20) + 2, (32, 32), Generator().manual_seed(2), SliceAugmentation(**UNSHADED)
    )
    means = [float(image[:, 0][classes == number].median()) for number in range(3)]
    assert means[0] < means[1] - 0.1 < means[2] - 0.3
    middle = (means[1] + means[2]) / 2
    assert (image[:, 0][classes == 2] > middle).float().mean() > 0.9
    assert (image[:, 0][classes != 2] < middle).float().mean() > 0.97


def test_most_slices_cut_the_hippocampus(slices: Slices) -> None:
    rows = chosen(slices, 2000, Generator().manual_seed(0))
    cut = (slices.classes[rows] > 0).any(dim=(1, 2)).float().mean()
    everywhere = (slices.classes > 0).any(dim=(1, 2)).float().mean()
    expected = INSIDE + (1 - INSIDE) * everywhere
    assert cut == pytest.approx(float(expected), abs=0.03)
