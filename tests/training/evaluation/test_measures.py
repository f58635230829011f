"""Measures worked by hand: Dice, distances in mm, cost, and the signed-rank test."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn

from scse_viz.inference import segment_slices
from scse_viz.scans import PLANES, Scan, read_scan, slice_of
from scse_viz.scans.samples import Group
from scse_viz.training.evaluation import measures
from scse_viz.zoo.scores import Score
from tests.cards import TINY

SPACING = (1.0, 2.0, 3.0)
DARWIN = (6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75)
"""Crossed less self-fertilised Zea mays, eighths of an inch: Darwin 1876."""


def cube(low: int, side: int = 4, size: int = 14) -> np.ndarray:
    mask = np.zeros((size,) * 3, dtype=bool)
    mask[(slice(low, low + side),) * 3] = True
    return mask


@pytest.fixture(scope="module")
def scan() -> Scan:
    voxels = np.random.default_rng(0).random((9, 20, 17)).astype(np.float32)
    return read_scan(nib.Nifti1Image(voxels, np.diag([1.0, 1.5, 1.0, 1.0])).to_bytes(), name="head.nii")


@pytest.mark.parametrize(("axis", "mm"), [(0, 3.0), (1, 6.0), (2, 9.0)])
def test_a_cube_moved_by_three_voxels_is_at_three_times_their_side_in_mm(axis: int, mm: float) -> None:
    assert measures.hausdorff95(np.roll(cube(5), 3, axis=axis), cube(5), SPACING) == pytest.approx(mm)


def test_five_percent_of_the_surface_may_lie_anywhere() -> None:
    reference = cube(2, side=8, size=40)  # 8 ** 3 - 6 ** 3 = 296 voxels of surface
    far = reference.copy()
    far[36:38, 36:38, 36:38] = True  # 8 more: 2.6 %
    assert measures.hausdorff95(far, reference, (1, 1, 1)) == 0
    far[30:38, 30:38, 36:38] = True  # 128: over 5 %
    assert measures.hausdorff95(far, reference, (1, 1, 1)) > 30


def test_the_larger_of_both_ways_counts() -> None:
    small, large = cube(6, side=2), cube(2, side=10)
    assert measures.hausdorff95(small, large, SPACING) == measures.hausdorff95(large, small, SPACING)
    assert measures.hausdorff95(small, large, (1, 1, 1)) == pytest.approx(np.sqrt(48), rel=0.1)


def test_nothing_has_no_distance() -> None:
    assert measures.hausdorff95(cube(5) & False, cube(5), SPACING) is None
    assert measures.hausdorff95(cube(5), cube(5) & False, SPACING) is None


def test_scores_are_those_of_groups() -> None:
    groups = (Group(1, "white", (1, 4)), Group(2, "grey", (2,)), Group(3, "stem", (3,)), Group(4, "none", (7,)))
    labels = np.array([1, 4, 2, 2, 0, 0])[:, None, None]
    reference = np.array([1, 1, 1, 2, 9, 3])[:, None, None]
    assert measures.scores(labels, reference, groups, (2.0, 1.0, 1.0)) == {
        "white": Score(0.8, pytest.approx(2 * 0.9, abs=0.01)),  # distances 0, 0 and 0, 0, 1 voxel of 2 mm
        "grey": Score(0.6667, pytest.approx(2 * 0.95, abs=0.01)),
        "stem": Score(0.0, None),
        "none": Score(None, None),
    }


def test_the_signed_rank_test_is_that_of_the_books() -> None:
    first = {str(number): float(value) for number, value in enumerate(DARWIN)}
    second = dict.fromkeys(first, 0.0)
    assert measures.paired_p(first, second) == pytest.approx(0.04126, abs=1e-5)
    assert measures.paired_p(second, first) == measures.paired_p(first, second)


def test_four_subjects_cannot_give_a_smaller_p_than_an_eighth() -> None:
    first, second = (
        {name: value + shift for name, value in zip("abcd", (1, 2, 4, 8), strict=True)} for shift in (0, 9)
    )
    assert measures.smallest_p(4) == 0.125
    first["d"], first["c"], first["b"] = 8.3, 4.2, 2.1  # no ties
    assert measures.paired_p(first, second) == 0.125
    assert measures.smallest_p(1) == 1


def test_only_subjects_of_both_are_compared() -> None:
    assert measures.paired_p({"a": 1.0, "b": 2.0}, {"b": 1.0, "c": 3.0}) is None
    assert measures.paired_p({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0}) == 1


@pytest.mark.parametrize("plane", PLANES)
def test_a_volume_is_segmented_as_the_app_segments_its_slices(plane: str, scan: Scan) -> None:
    model = TINY.network(seed=1).eval().requires_grad_(False)
    volume = measures.segment_volume(scan, model, TINY, plane)
    assert volume.shape == scan.voxels.shape
    for index, result in segment_slices(scan, model, TINY, plane):
        clear = result.confidence > 0.501
        assert np.array_equal(slice_of(volume, plane, index)[clear], result.labels[clear])


def test_blocks_add_the_parameters_of_their_layers() -> None:
    widths = [*TINY.widths, *reversed(TINY.widths[:4])]
    sse = sum(width + 1 for width in widths)
    plain = sum(parameter.numel() for parameter in replace(TINY, variant="none").network().parameters())
    assert measures.parameters_added(replace(TINY, variant="sse")) == pytest.approx(100 * sse / plain)
    assert measures.parameters_added(replace(TINY, variant="none")) == 0


def test_multiply_adds_are_those_of_the_convolutions() -> None:
    card, counted = replace(TINY, variant="none"), []
    model = card.network().eval()
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.register_forward_hook(
                lambda layer, given, made: counted.append(
                    layer.weight.numel() * (given[0] if isinstance(layer, nn.ConvTranspose2d) else made)[0, 0].numel()
                )
            )
    model(torch.zeros(1, 1, 32, 48))
    assert measures.multiply_adds(card, (32, 48)) == sum(counted)


def test_a_network_takes_as_long_as_itself() -> None:
    threads = torch.get_num_threads()
    ratio = measures.time_ratio(replace(TINY, variant="none"), (64, 64), passes=15)
    assert ratio == pytest.approx(1, abs=0.3)
    assert torch.get_num_threads() == threads
