"""Slices through networks: windows, millimetres, batches, gates; and a real brain."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn

from scse_viz import zoo
from scse_viz.analysis import dice
from scse_viz.analysis.gates import named_arrays
from scse_viz.attention import record
from scse_viz.inference import LARGEST, input_size, network_input, segment_slice, segment_slices, window
from scse_viz.scans import ScanError, read_labels, read_scan, slice_of
from scse_viz.scans.samples import in_groups, samples
from scse_viz.zoo import Window
from tests.cards import TINY

CARD = replace(TINY, window=Window(0, 100, 1.5))


@pytest.fixture(scope="module")
def model():
    return CARD.network(seed=0).eval().requires_grad_(False)


class Threshold(nn.Module):
    """Class 1 where the input is above 0.5: a network whose answer can be said beforehand."""

    def forward(self, x):
        return torch.cat([0.5 - x, x - 0.5], dim=1) * 20


def scan_of(tmp_path, voxels, spacing=(1, 1, 1)):
    path = tmp_path / "scan.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(voxels, dtype=np.float32), np.diag([*spacing, 1])), path)
    return read_scan(path)


def noise(*shape):
    return np.random.default_rng(0).random(shape)


def test_the_window_is_the_percentiles_of_the_whole_scan_and_not_of_a_slice(tmp_path):
    voxels = noise(12, 13, 14)
    voxels[:, :, 7] += 100

    expected = np.percentile(voxels, [2, 95])
    limits = window(scan_of(tmp_path, voxels), replace(CARD, window=Window(2, 95, 1.5)))
    np.testing.assert_allclose(limits, expected, rtol=1e-5)


def test_one_wild_voxel_does_not_move_the_window(tmp_path):
    voxels = noise(30, 30, 30)
    voxels[3, 4, 5] = 1e30

    low, high = window(scan_of(tmp_path, voxels), replace(CARD, window=Window()))
    assert 0 <= low < 0.01
    assert 0.99 < high <= 1


def test_the_window_of_a_thinned_scan_is_that_of_all_its_voxels(tmp_path, monkeypatch):
    scan = scan_of(tmp_path, noise(60, 60, 60) ** 3)
    card = replace(CARD, window=Window(5, 95, 1))
    whole = window(scan, card)
    monkeypatch.setattr("scse_viz.inference.inputs.SAMPLE", 10_000)

    assert whole != window(scan, card)
    np.testing.assert_allclose(window(scan, card), whole, atol=0.03)


def test_a_scan_that_is_nearly_empty_is_windowed_by_its_extremes(tmp_path):
    voxels = np.zeros((20, 20, 20))
    voxels[10, 10, 10] = 7

    assert window(scan_of(tmp_path, voxels), replace(CARD, window=Window())) == (0, 7)


@pytest.mark.parametrize("value", [0, -3, 1e30])
def test_a_constant_scan_is_black_and_finite(value, tmp_path, model):
    scan = scan_of(tmp_path, np.full((5, 6, 7), value))
    x = network_input(scan, CARD, "axial", [3], window(scan, CARD))

    assert (x == 0).all()
    assert np.isfinite(segment_slice(scan.slice("axial", 3), model, CARD).confidence).all()


def test_intensities_that_span_all_of_float32_stay_finite(tmp_path):
    scan = scan_of(tmp_path, np.linspace(-3e38, 3e38, 60).reshape(3, 4, 5))
    x = network_input(scan, CARD, "coronal", [0, 1], window(scan, CARD))

    assert x.isfinite().all()
    assert (x.min(), x.max()) == pytest.approx((0, 0.8), abs=0.2)


def test_values_are_cut_at_zero_and_at_the_maximum(tmp_path):
    scan = scan_of(tmp_path, np.arange(60).reshape(3, 4, 5))
    x = network_input(scan, CARD, "sagittal", [0, 1, 2], levels=(20, 30))

    assert x.min() == 0
    assert x.max() == 1.5
    assert x.shape == (3, 1, 5, 4)
    np.testing.assert_allclose(x[1, 0], ((slice_of(scan.voxels, "sagittal", 1) - 20) / 10).clip(0, 1.5), rtol=1e-6)


@pytest.mark.parametrize(("spacing", "size"), [(1.04, (30, 20)), (0.96, (30, 20)), (2, (60, 40)), (0.5, (15, 10))])
def test_a_slice_is_resampled_only_when_its_pixels_differ_by_more_than_five_percent(spacing, size, tmp_path):
    scan = scan_of(tmp_path, noise(20, 30, 2), (spacing, spacing, 1))

    assert input_size(scan, CARD, "axial") == size


def test_each_side_is_resampled_by_its_own_spacing_and_the_field_of_view_is_kept(tmp_path, model):
    scan = scan_of(tmp_path, noise(21, 31, 3), (1, 0.7, 5))
    result = segment_slice(scan.slice("coronal", 30), model, CARD)

    assert input_size(scan, CARD, "axial") == (22, 21)
    assert result.labels.shape == (3, 21)
    assert result.pixel_mm == pytest.approx((1, 1))  # 3 rows of 5 mm are 15 of 1 mm
    assert segment_slice(scan.slice("axial", 0), model, CARD).pixel_mm == pytest.approx((31 * 0.7 / 22, 1))


@pytest.mark.parametrize("spacing", [(2, 2, 2), (0.5, 0.5, 0.5), (1, 3, 0.7), (0.3, 1, 2.5)])
@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_bright_block_is_segmented_where_it_lies_whatever_the_size_of_voxels(spacing, plane, tmp_path):
    voxels = np.zeros((36, 40, 44), dtype=np.float32)
    voxels[9:19, 12:30, 5:24] = 1
    scan = scan_of(tmp_path, voxels, spacing)
    reference = slice_of(voxels, plane, 14)
    result = segment_slice(scan.slice(plane, 14), Threshold(), CARD)

    assert dice(result.labels, reference.astype(np.uint8), 2)[1] > 0.9
    for axis in (0, 1):  # a shift by half a pixel would show
        centre, wanted = (np.mean(np.nonzero(mask)[axis]) for mask in (result.labels, reference))
        assert centre == pytest.approx(wanted, abs=0.26)


@pytest.mark.parametrize("spacing", [2, 0.5, 0.8])
def test_every_input_pixel_shows_the_scan_at_its_own_millimetre(spacing, tmp_path):
    columns = (np.arange(40) + 0.5) * spacing  # mm from the edge of the image to the centres of its pixels
    scan = scan_of(tmp_path, np.broadcast_to(columns[:, None, None], (40, 8, 2)), (spacing, 1, 1))
    x = network_input(scan, CARD, "axial", [0], levels=(0, 100))[0, 0, 0].numpy() * 100

    inner = slice(3, -3)  # the outermost pixels see no further than the image
    np.testing.assert_allclose(x[inner], (np.arange(len(x)) + 0.5)[inner], atol=0.05)


def test_shrinking_averages_what_it_drops(tmp_path):
    stripes = np.tile([0.0, 1.0], 32)[:, None, None] * np.ones((64, 32, 2))
    x = network_input(scan_of(tmp_path, stripes, (0.25, 0.25, 1)), CARD, "axial", [0], (0, 1))

    assert x.shape[-2:] == (8, 16)
    torch.testing.assert_close(x[..., 1:-1], torch.full((1, 1, 8, 14), 0.5), atol=0.05, rtol=0)


@pytest.mark.parametrize("shape", [(2, 2, 1), (2, 3, 1), (17, 5, 1), (33, 47, 1), (512, 512, 1)])
def test_slices_of_any_size_come_back_on_their_own_grid(shape, tmp_path, model):
    result = segment_slice(scan_of(tmp_path, noise(*shape)).slice("axial", 0), model, CARD)

    assert result.labels.shape == result.confidence.shape == (shape[1], shape[0])
    assert result.labels.dtype == np.uint8
    assert ((result.confidence >= 0.5) & (result.confidence <= 1)).all()  # the winner of two


def test_confidence_is_the_probability_of_the_label(tmp_path, model):
    scan = scan_of(tmp_path, noise(16, 16, 2))
    result = segment_slice(scan.slice("axial", 1), model, CARD)
    probability = model(network_input(scan, CARD, "axial", [1], window(scan, CARD))).softmax(dim=1)[0].numpy()

    np.testing.assert_array_equal(result.labels, probability.argmax(axis=0))
    np.testing.assert_allclose(result.confidence, probability.max(axis=0), rtol=1e-5)


def test_entropy_is_that_of_all_probabilities_over_its_largest(tmp_path, model):
    scan = scan_of(tmp_path, noise(20, 24, 8))
    result = segment_slice(scan.slice("axial", 3), model, TINY)
    with torch.no_grad():
        logits = model(network_input(scan, TINY, "axial", [3], window(scan, TINY)))
    shares = torch.distributions.Categorical(logits=logits[0].movedim(0, -1))
    assert result.entropy == pytest.approx((shares.entropy() / np.log(logits.shape[1])).numpy(), abs=1e-5)


@pytest.mark.parametrize("variant", ["none", "cse", "sse", "scse"])
def test_gates_are_those_that_record_finds_in_the_order_of_the_blocks(variant, tmp_path):
    card = replace(CARD, variant=variant)
    model = card.network(seed=0).eval()
    scan = scan_of(tmp_path, noise(19, 21, 23), (2, 1, 1))
    blocks = record(model, network_input(scan, card, "coronal", [4], window(scan, card))).blocks
    expected = {
        f"{name}/{kind}": getattr(block, kind)[0].numpy()
        for name, block in blocks.items()
        for kind in ("channel_gate", "spatial_gate", "activation")
        if getattr(block, kind) is not None
    }

    arrays = named_arrays(segment_slice(scan.slice("coronal", 4), model, card).gates)
    assert list(arrays) == list(expected)
    for name, gate in arrays.items():
        assert gate.dtype == np.float32
        np.testing.assert_array_equal(gate, expected[name])


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_batch_gives_what_single_slices_give(batch, tmp_path, model):
    scan = scan_of(tmp_path, noise(18, 20, 7), (1.5, 1, 1))
    results = dict(segment_slices(scan, model, CARD, "axial", batch=batch))

    assert list(results) == list(range(7))
    for index, result in results.items():
        alone = segment_slice(scan.slice("axial", index), model, CARD)
        clear = alone.confidence > 0.5001
        np.testing.assert_array_equal(result.labels[clear], alone.labels[clear])
        np.testing.assert_allclose(result.confidence, alone.confidence, atol=1e-5)
        assert result.pixel_mm == alone.pixel_mm
        gates = named_arrays(result.gates)
        for name, gate in named_arrays(alone.gates).items():
            np.testing.assert_allclose(gates[name], gate, atol=1e-5)


def test_only_the_slices_that_are_asked_for_run(tmp_path, model):
    scan = scan_of(tmp_path, noise(6, 6, 9))

    assert [index for index, _ in segment_slices(scan, model, CARD, "axial", indices=[7, 2, 5], batch=2)] == [7, 2, 5]


def test_a_kept_result_does_not_keep_its_batch(tmp_path, model):
    _, result = next(segment_slices(scan_of(tmp_path, noise(6, 6, 9)), model, CARD, "axial"))

    assert all(array.base is None for array in (result.labels, result.confidence, *named_arrays(result.gates).values()))


def test_a_plane_that_a_flat_image_lacks_is_refused(tmp_path, model):
    scan = scan_of(tmp_path, noise(8, 9, 1))

    with pytest.raises(ScanError, match=r"scan\.nii\.gz: no coronal slices in this image; choose axial"):
        segment_slice(scan.slice("coronal", 0), model, CARD)


@pytest.mark.parametrize(
    ("shape", "spacing", "size"), [((1024, 1025, 1), 0.01, "1025 × 1024"), ((40, 50, 1), 30, "1500 × 1200")]
)
def test_slices_beyond_the_limit_are_refused_by_their_size(shape, spacing, size, tmp_path, model):
    scan = scan_of(tmp_path, np.zeros(shape), (spacing, spacing, 1))

    with pytest.raises(ScanError, match=f"slices of {size} pixels; the limit is {LARGEST:,} pixels"):
        segment_slice(scan.slice("axial", 0), model, CARD)


def test_a_slice_beyond_the_scan_is_an_error_of_the_program(tmp_path, model):
    with pytest.raises(IndexError, match="axial slice 4 of 4; choose 0 to 3"):
        segment_slice(scan_of(tmp_path, noise(8, 9, 4)).slice("axial", 4), model, CARD)


def test_a_network_of_colour_sees_the_gray_slice_in_every_channel(tmp_path):
    card = replace(CARD, in_channels=3)
    x = network_input(scan_of(tmp_path, noise(8, 9, 4)), card, "axial", [1, 2], (0, 1))

    assert x.shape == (2, 3, 9, 8)
    assert torch.equal(x[:, 0], x[:, 2])
    assert segment_slice(
        scan_of(tmp_path, noise(8, 9, 4)).slice("axial", 1), card.network(seed=0), card
    ).labels.shape == (
        9,
        8,
    )


def test_the_hippocampus_of_a_real_brain_lies_where_the_atlas_says():
    sample = samples()["colin27"]
    scan = read_scan(sample.scan)
    atlas = read_labels(sample.labels, scan)
    name = "brain-unet-scse"
    band = [index for index in range(0, atlas.shape[1], 4) if (slice_of(atlas, "coronal", index) == 10).sum() > 100]
    slices = segment_slices(scan, zoo.load(name), zoo.read_card(name), "coronal", indices=band)
    prediction = np.stack([in_groups(result.labels, sample.groups) for _, result in slices])
    reference = np.stack([slice_of(atlas, "coronal", index) for index in band])

    assert len(band) >= 5
    assert dice(prediction, reference, 18)[10] > 0.5
