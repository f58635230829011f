"""What Volume says of the maps of a block: gates, full gates, attention, activations, each by name and scale."""

from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest

from scse_viz.inference import segment_slice
from scse_viz.inference.jobs import Job
from scse_viz.models import BLOCK_NAMES, build
from scse_viz.scans import read_scan
from scse_viz.ui.volume import cached as volume_cached
from scse_viz.ui.volume import run
from tests.cards import TINY

VIEW = SimpleNamespace(plane="axial", index=1)


def job_of(variant: str) -> Job:
    """Two of three slices of noise through a fresh network."""
    voxels = np.random.default_rng(0).random((32, 48, 3), dtype=np.float32)
    scan = read_scan(nib.Nifti1Image(voxels, np.eye(4)).to_bytes(), name="noise.nii")
    model = build("unet", variant, classes=2, widths=TINY.widths, seed=0).eval()
    job = Job("axial", 3, 2)
    for index in (0, 1):
        job.keep(index, segment_slice(scan.slice("axial", index), model, TINY))
    return job


@pytest.mark.parametrize(
    ("variant", "title", "scale"),
    [
        ("scse", "spatial gate", "viridis"),
        ("cbam", "spatial gate", "viridis"),
        ("pe", "full gate, mean over channels", "viridis"),
        ("nonlocal", "attention, × an even share", "rose"),
        ("none", "mean |activation|, a.u.", "copper"),
    ],
)
def test_a_map_is_called_what_it_is_on_a_scale_that_holds_it(variant, title, scale):
    job = job_of(variant)
    legend = volume_cached.map_legend(job.gates["encoder2"], "encoder2")
    assert legend.title == f"encoder2, {title}"
    shown = job.gates["encoder2"].map
    assert legend.span == ((0.0, 1.0) if "gate" in title else (0.0, float(shown.max())))
    assert legend.scale == scale


def test_a_full_gate_and_attention_have_heat_maps_of_their_own():
    (title,) = (note.text for note in run.heat_map(VIEW, job_of("pe"), run.MEAN).layout.annotations)
    assert title == "full gates"
    job = job_of("nonlocal")
    figure = run.heat_map(VIEW, job, run.MEAN)
    (title,) = (note.text for note in figure.layout.annotations)
    assert title == "attention: the pixel that is looked at most, as a share of the block's largest"
    table = figure.data[0].z
    assert table.shape == (len(BLOCK_NAMES), 3)
    peaks = job.gates["encoder2"].attention[:2].max(axis=(1, 2))
    row = list(BLOCK_NAMES).index("encoder2")
    np.testing.assert_allclose(table[row, :2], peaks / peaks.max(), atol=1e-5)
    assert np.isnan(table[row, 2]), "this slice has not been run"
