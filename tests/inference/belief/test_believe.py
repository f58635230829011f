"""Networks made by hand: a gate that is the structure passes every test; the picture's edges and noise do not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from scse_viz.analysis.belief import judge
from scse_viz.inference.belief import SliceCase, believe, case_of, grad_cam, joined, slices_with
from scse_viz.inference.belief.believe import GRADCAM, MAP, WEIGHTS
from scse_viz.inference.belief.case import enlarged
from scse_viz.inference.belief.removal import curves
from scse_viz.scans import ScanError, read_scan
from tests import handmade
from tests.cards import TINY
from tests.scan_files import npy


def judged(model: nn.Module):
    [(gate, tests)] = joined([believe(handmade.case(), model, ["block"])]).items()
    assert gate == ("block", MAP)
    return judge(tests)


def test_a_gate_that_is_the_structure_passes_every_test():
    verdict = judged(handmade.of_structure())
    assert {name: finding.passed for name, finding in verdict.findings.items()} == dict.fromkeys(verdict.findings, True)
    assert verdict.believed


def test_a_gate_that_is_the_edges_of_the_picture_survives_the_loss_of_all_weights():
    verdict = judged(handmade.of_edges())
    assert not verdict.believed
    assert verdict.findings["randomisation"].value > 0.9
    assert [name for name, finding in verdict.findings.items() if finding.passed] == ["repeatability"]
    assert "filter of the picture" in verdict.sentence


def test_a_gate_that_is_noise_is_not_repeated():
    torch.manual_seed(0)
    verdict = judged(handmade.of_noise())
    assert not verdict.believed
    assert verdict.findings["repeatability"].value < 0.1
    assert verdict.findings["repeatability"].passed is False


class Threshold(nn.Module):
    """Class 1 where a pixel is brighter than 0.9."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.full_like(x, 0.9), x], dim=1)


def test_deletion_and_insertion_on_four_pixels_by_hand():
    x = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    case = SliceCase(x, 1, x[0, 0].numpy() > 0, np.ones((2, 2), dtype=bool), torch.zeros(1, 1, 2, 2))
    # Of four pixels, 0 0 1 1 2 3 4 are gone at the shares of SHARES; one of two pixels segmented has Dice 2/3.
    removed = curves(case, Threshold(), np.array([[4.0, 3.0], [2.0, 1.0]]))
    assert removed.deletion == pytest.approx([1, 1, 2 / 3, 2 / 3, 0, 0, 0])
    assert removed.insertion == pytest.approx([0, 0, 2 / 3, 2 / 3, 1, 1, 1])
    assert removed.areas == pytest.approx((0.3, 0.8))


def test_seg_grad_cam_is_beside_the_gate_and_leaves_nothing_on_the_network():
    model, case = handmade.of_structure(), handmade.case()
    cam = grad_cam(case, model, "block")
    assert cam[case.structure].mean() > 5 * cam[~case.structure].mean()
    assert not any(module._forward_hooks for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert GRADCAM in believe(case, model, ["block"]).removal["block"].rivals


def test_without_captum_everything_else_is_tested(monkeypatch):
    monkeypatch.setattr("scse_viz.inference.belief.gradcam.find_spec", lambda name: None)
    measured = believe(handmade.case(), handmade.of_structure(), ["block"])
    assert (measured.cams, list(measured.removal["block"].rivals)) == ({}, ["edges of the picture"])
    [tests] = joined([measured]).values()
    assert np.isnan(tests.deleted_gradcam)
    assert judge(tests).believed


def test_the_network_itself_keeps_its_weights_and_two_runs_agree():
    model = handmade.of_structure()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, again = (joined([believe(handmade.case(), model, ["block"])]) for _ in range(2))
    assert first == again
    assert all((value == before[name]).all() for name, value in model.state_dict().items())


def test_both_gates_of_our_blocks_are_tested_and_removal_only_where_asked():
    card = replace(TINY, variant="scse")
    model = card.network(seed=0).eval().requires_grad_(False)
    scan = read_scan(npy((np.random.default_rng(0).random((40, 12, 44)) * 100).astype(np.float32)), name="noise.npy")
    labels = np.zeros((40, 12, 44), dtype=int)
    labels[10:20, 2:9, 10:20] = 1
    assert slices_with(labels, "coronal", 1, 3) == [4, 5, 6]
    shares: list[float] = []
    assert case_of(scan.slice("coronal", 11), model, card, 1, labels) is None, "the slice lacks the structure"
    case = case_of(scan.slice("coronal", 5), model, card, 1, labels)
    measured = believe(case, model, ["encoder2"], shares.append)
    assert len(measured.spread) == 2 * len(card.block_table)
    assert measured.depths == ("classifier", *(block.name for block in reversed(card.block_table)))
    assert len(measured.survived["decoder1", WEIGHTS]) == len(measured.depths)
    assert set(measured.removal) == {"encoder2"}
    assert measured.survived["encoder1", MAP][0] == pytest.approx(1), "the classifier does not change what is before it"
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_map_covers_its_input_from_the_top_left():
    coarse = np.arange(6.0).reshape(2, 3)
    assert enlarged(np.arange(16.0)[None].repeat(16, axis=0), (224, 224))[0, [13, 14, 223]].tolist() == [0, 1, 15]
    assert enlarged(coarse, (3, 5)).tolist() == [[0, 0, 1, 1, 2], [0, 0, 1, 1, 2], [3, 3, 4, 4, 5]]


def test_a_network_that_does_not_segment_is_refused():
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten())
    with pytest.raises(ScanError, match="returns no segmentation"):
        curves(handmade.case(), model, np.zeros((48, 48)))
