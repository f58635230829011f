"""How a slice becomes the input of a network of another library, and its output classes on the slice."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from scse_viz.inference import segment_slice, segment_slices
from scse_viz.inference.ablation import predict_without, region
from scse_viz.inference.inputs import prepared_slice
from scse_viz.inference.tiling import tiling_of
from scse_viz.scans import Scan, ScanError, ScanSlice, read_scan, stacked
from scse_viz.zoo import Card, Preprocessing, Window
from scse_viz.zoo.foreign import Draft, described
from scse_viz.zoo.structures import numbered
from tests import smp_files

VALUES = np.random.default_rng(0).gamma(2, 40, (30, 45, 3)).astype(np.float32)


class Gated(nn.Module):
    """Two convolutions of one pixel with a spatial gate at half resolution between them."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.enter, self.gate, self.leave = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, 1, 1), nn.Conv2d(4, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        u = F.avg_pool2d(self.enter(x), 2)
        return self.leave(F.interpolate(u * self.gate(u).sigmoid(), scale_factor=2.0))


@pytest.fixture(scope="module")
def scan() -> Scan:
    return read_scan(nib.Nifti1Image(VALUES, np.diag([2, 2, 3, 1])).to_bytes(), name="noise.nii")


def opened(preprocessing: Preprocessing, outputs: int = 3, head: str = "softmax") -> tuple[nn.Module, Card]:
    structures = numbered(outputs + (head == "sigmoid"))
    draft = Draft("gated", "code", {}, preprocessing, head, structures)
    network = described(Gated(preprocessing.in_channels, outputs), draft, "sha")
    return network.model, network.card


def shown(scan: Scan) -> ScanSlice:
    return scan.slice("axial", 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scaling": "none"}, lambda v: v),
        ({"scaling": "8-bit"}, lambda v: v / 255),
        ({"scaling": "z-score"}, lambda v: (v - VALUES.mean()) / VALUES.std()),
        ({"window": Window(1, 90, 1)}, lambda v: ((v - LOW) / (HIGH - LOW)).clip(0, 1)),
        ({"scaling": "8-bit", "mean": (0.5,), "std": (0.25,)}, lambda v: (v / 255 - 0.5) / 0.25),
    ],
    ids=str,
)
def test_intensities_are_scaled_as_the_network_was_trained(changes, expected, scan):
    _, card = opened(Preprocessing(multiple=2, **changes))
    x = prepared_slice(shown(scan), card).x[0, 0, :45, :30].numpy()
    np.testing.assert_allclose(x, expected(shown(scan).pixels), rtol=1e-4, atol=1e-5)


LOW, HIGH = np.percentile(VALUES, (1, 90))


def test_one_slice_fills_three_channels_each_with_its_own_mean(scan):
    _, card = opened(Preprocessing(3, scaling="none", mean=(1, 2, 3), std=(1, 2, 4), multiple=2))
    x = prepared_slice(shown(scan), card).x[0, :, :45, :30].numpy()
    for channel, (mean, std) in enumerate([(1, 1), (2, 2), (3, 4)]):
        np.testing.assert_allclose(x[channel], (shown(scan).pixels - mean) / std, rtol=1e-5)


def test_padding_at_the_bottom_and_right_is_cut_off_again(scan):
    model, card = opened(Preprocessing(scaling="8-bit", multiple=16))
    prepared = prepared_slice(shown(scan), card)
    assert prepared.x.shape == (1, 1, 48, 32)
    assert torch.equal(prepared.x[..., 45:, :], prepared.x[..., 44:45, :].expand(-1, -1, 3, -1))
    result = segment_slice(shown(scan), model, card)
    x = torch.from_numpy(shown(scan).pixels / 255)[None, None]
    with torch.no_grad():
        expected = model(F.pad(x, (0, 2, 0, 3), mode="replicate"))[0, :, :45, :30].argmax(dim=0)
    np.testing.assert_array_equal(result.labels, expected)
    assert result.pixel_mm == pytest.approx((2, 2))
    (gates,) = result.gates.values()
    assert gates.spatial_gate.shape == (24, 16)
    assert gates.map_mm == pytest.approx((4, 4))


def test_slices_are_resampled_to_the_pixel_size_of_the_network_and_to_its_fixed_size(scan):
    _, card = opened(Preprocessing(pixel_mm=1.0, multiple=2))
    assert prepared_slice(shown(scan), card).x.shape == (1, 1, 90, 60)
    model, card = opened(Preprocessing(size=(64, 48), multiple=16))
    assert prepared_slice(shown(scan), card).x.shape == (1, 1, 64, 48)
    assert segment_slice(shown(scan), model, card).labels.shape == (45, 30)


def test_a_sigmoid_head_is_background_where_every_structure_is_below_one_half(scan):
    model, card = opened(Preprocessing(scaling="8-bit", multiple=2), outputs=2, head="sigmoid")
    x = F.pad(torch.from_numpy(shown(scan).pixels / 255)[None, None], (0, 0, 0, 1), mode="replicate")
    with torch.no_grad():  # one output is above 0 where values are high, the other where they are low
        model.leave.bias -= model(x).median(dim=-1).values.median(dim=-1).values[0]
        model.leave.weight[1] *= -1
        model.leave.bias[1] *= -1
        model.leave.bias -= model(x).std() / 2
    result = segment_slice(shown(scan), model, card)
    with torch.no_grad():
        yes = model(x)[0, :, :45].sigmoid().numpy()
    expected = np.where(yes.max(axis=0) < 0.5, 0, 1 + yes.argmax(axis=0))
    assert len(np.unique(expected)) == 3
    np.testing.assert_array_equal(result.labels, expected)


def test_one_output_gives_its_own_probability(scan):
    model, card = opened(Preprocessing(scaling="8-bit", multiple=2), outputs=1, head="sigmoid")
    result = segment_slice(shown(scan), model, card)
    x = F.pad(torch.from_numpy(shown(scan).pixels / 255)[None, None], (0, 0, 0, 1), mode="replicate")
    with torch.no_grad():
        yes = model(x)[0, 0, :45].sigmoid().numpy()
    np.testing.assert_allclose(result.confidence, np.maximum(yes, 1 - yes), atol=1e-5)
    np.testing.assert_array_equal(result.labels, yes > 0.5)


def test_tiles_of_a_network_that_sees_single_pixels_give_what_the_whole_slice_gives(scan):
    whole_model, whole_card = opened(Preprocessing(scaling="8-bit", multiple=2))
    model, card = opened(Preprocessing(scaling="8-bit", multiple=4, size=(16, 20), fit="tile", overlap=0.3))
    whole, tiled = segment_slice(shown(scan), whole_model, whole_card), segment_slice(shown(scan), model, card)
    np.testing.assert_allclose(tiled.confidence, whole.confidence, atol=1e-5)
    (one,), (other,) = whole.gates.values(), tiled.gates.values()
    rows, columns = one.spatial_gate.shape
    np.testing.assert_allclose(other.spatial_gate[:rows, :columns], one.spatial_gate, atol=1e-5)
    assert other.map_mm == one.map_mm
    several = [result.labels for _, result in segment_slices(scan, model, card, "axial", batch=3)]
    np.testing.assert_array_equal(several[1], tiled.labels)


@pytest.mark.parametrize("shape", [(7, 5), (16, 20), (45, 30), (100, 21)])
def test_tiles_cover_an_image_and_join_to_it_at_every_scale(shape):
    tiling = tiling_of(shape, (16, 20), 0.25, 4)
    x = torch.rand(2, 3, *shape)
    joined = tiling.join(tiling.cut(x))
    torch.testing.assert_close(joined[..., : shape[0], : shape[1]], x)
    assert all(start % 4 == 0 for start in (*tiling.tops, *tiling.lefts))
    halves = tiling.join(F.avg_pool2d(tiling.cut(x), 2))
    torch.testing.assert_close(halves[..., : shape[0] // 2, : shape[1] // 2], F.avg_pool2d(x, 2))


def test_what_needs_a_slice_whole_says_so_of_tiles(scan):
    model, card = opened(Preprocessing(multiple=4, size=(16, 20), fit="tile"))
    (block,) = (block.name for block in card.block_table)
    with pytest.raises(ScanError, match=r"gated: reads the slice in \d+ tiles, and knocking out channels"):
        next(predict_without(shown(scan), model, card, block, [0]))
    with pytest.raises(ScanError, match="and a region needs it whole"):
        region(np.ones((45, 30), bool), 1.0, shown(scan), card)


def test_a_network_that_takes_no_image_of_this_size_says_why(scan):
    model, card = opened(Preprocessing(multiple=2))
    card = replace(card, input=replace(card.preprocessing, multiple=1))
    with pytest.raises(ScanError, match="gated: does not take an image of 45 × 30 pixels"):
        segment_slice(shown(scan), nn.Sequential(model, nn.Conv2d(3, 3, 99)).eval(), card)


def test_a_stage_that_a_small_image_lacks_is_there_without_a_map():
    draft = Draft("small", "Linknet", {}, Preprocessing(multiple=32), "softmax", numbered(3))
    network = described(smp_files.network("Linknet"), draft, "sha")
    small = read_scan(nib.Nifti1Image(VALUES[:20, :24], np.eye(4)).to_bytes(), name="small.nii")
    result = segment_slice(small.slice("axial", 1), network.model, network.card)
    assert list(result.gates) == [block.name for block in network.card.block_table]
    assert not all(gates.ran for gates in result.gates.values())


def test_channels_are_scans_on_one_grid_each_with_its_own_window(scan):
    other = read_scan(nib.Nifti1Image(VALUES**2, np.diag([2, 2, 3, 1])).to_bytes(), name="other.nii")
    _, card = opened(Preprocessing(2, ("T1", "T2"), scaling="z-score", multiple=2))
    x = prepared_slice(shown(stacked([scan, other])), card).x[0, :, :45].numpy()
    for channel, channel_scan in zip(x, (scan, other), strict=True):
        expected = (shown(channel_scan).pixels - channel_scan.voxels.mean()) / channel_scan.voxels.std()
        np.testing.assert_allclose(channel, expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(ScanError, match=r"noise.nii: a single volume, and gated sees 2 at once \(T1, T2\)"):
        prepared_slice(shown(scan), card)
    assert stacked([scan, other]).digest not in (scan.digest, other.digest)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"in_channels": 0}, "in_channels 0 is not 1 to 64"),
        ({"in_channels": 2, "channels": ("T1",)}, "1 channels are named"),
        ({"scaling": "log"}, "scaling 'log'"),
        ({"fit": "crop"}, "fit 'crop'"),
        ({"mean": (0.5,)}, "mean and std need a number"),
        ({"mean": (0.5,), "std": (0.0,)}, "std above 0"),
        ({"overlap": 1}, "overlap"),
        ({"size": (0, 5)}, "size and multiple"),
        ({"pixel_mm": -1}, "pixel_mm"),
    ],
)
def test_preprocessing_that_cannot_be_is_refused(facts, sentence):
    with pytest.raises(ValueError, match=sentence):
        Preprocessing(**facts)
