"""Two scans of one subject: brought to one grid by their affines, and compared gate by gate."""

from dataclasses import replace

import numpy as np
import pytest

from scse_viz.inference.belief.believe import MAP, WEIGHTS
from scse_viz.inference.belief.repeat import Retest, registered, repeated
from scse_viz.scans import Scan, ScanError, read_scan
from tests.cards import TINY
from tests.scan_files import nifti, npy

CARD = replace(TINY, variant="scse")
BLOB = np.add.outer(np.add.outer(np.arange(20.0) ** 2, np.arange(24.0)), np.arange(18.0) ** 1.5).astype(np.float32)


def scan(voxels: np.ndarray, affine: np.ndarray | None = None, name: str = "scan.nii") -> Scan:
    return read_scan(nifti(voxels.astype(np.float32), np.eye(4) if affine is None else affine), name=name)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((32, 20, 36)) * 100


def test_a_scan_with_other_axes_and_origin_comes_to_the_same_place():
    affine = np.diag([-1.0, 1, 1, 1])
    affine[0, 3] = 19  # mirrored, and cut by two voxels on the left
    moved = registered(scan(BLOB[2:][::-1], affine), scan(BLOB))
    assert moved.voxels.shape == BLOB.shape
    assert moved.voxels[2:] == pytest.approx(BLOB[2:], abs=1e-2)
    assert moved.voxels[:2] == pytest.approx(np.zeros_like(moved.voxels[:2]), abs=1e-4)
    assert moved.digest != scan(BLOB).digest


def test_half_voxels_are_interpolated():
    affine = np.eye(4)
    affine[0, 3] = 0.5
    moved = registered(scan(BLOB, affine), scan(BLOB))
    assert moved.voxels[1:, 3, 4] == pytest.approx((BLOB[1:, 3, 4] + BLOB[:-1, 3, 4]) / 2, rel=1e-4)


def test_scans_that_do_not_lie_together_or_say_nowhere_are_refused():
    affine = np.eye(4)
    affine[:3, 3] = 15
    with pytest.raises(ScanError, match=r"covers 2% of scan\.nii; register"):
        registered(scan(BLOB, affine), scan(BLOB))
    with pytest.raises(ScanError, match="does not say where it lies"):
        registered(read_scan(npy(BLOB), name="b.npy"), scan(BLOB))


def test_a_subject_is_like_itself_and_unlike_others():
    model = CARD.network(seed=0).eval().requires_grad_(False)
    first, second = scan(noise(0)), scan(noise(0) + 0.5 * noise(1))
    other = scan(noise(2))
    agreement = repeated(Retest(first, second, [other]), model, CARD, "coronal", [5, 10], [CARD.network(seed=0)])
    assert len(agreement) == 2 * len(CARD.block_table)
    gate = agreement["encoder1", MAP]
    assert gate.within > gate.between + 0.3
    assert gate.seeds == pytest.approx(1), "the same seed again"
    assert np.isnan(agreement["encoder1", WEIGHTS].seeds), "channels of other seeds have no common order"
    same = repeated(Retest(first, first), model, CARD, "coronal", [5])["encoder1", MAP]
    assert same.within == pytest.approx(1)
    assert same.between < 0.5, "other slices, where there are no other subjects"
