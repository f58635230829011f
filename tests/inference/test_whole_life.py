"""Each variant in each architecture, tiny: a step of training, a recording, every change, export and a report."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn

from scse_viz import report, zoo
from scse_viz.analysis.gates import named_arrays
from scse_viz.blocks import RELATIVES, VARIANTS
from scse_viz.inference import segment_slice
from scse_viz.inference.slices import changed_pass, prepared_slice
from scse_viz.intervention import Change, Invert, Mean, Off, Region, Shuffle, Shut, Strength
from scse_viz.models import ARCHITECTURES
from scse_viz.scans import ScanSlice, read_scan
from scse_viz.training.engine.learner import learner
from scse_viz.training.engine.schedule import Schedule
from tests.cards import TINY

EVERY_GATE = (Off(), Mean(), Invert(), Shuffle(), Strength(0.5))
SIDE, WIDTH = 32, 8


@pytest.fixture(scope="module")
def scan_slice() -> ScanSlice:
    voxels = np.random.default_rng(0).random((SIDE, SIDE, 1), dtype=np.float32)
    return read_scan(nib.Nifti1Image(voxels, np.eye(4)).to_bytes(), name="noise.nii").slice("axial", 0)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("variant", [*RELATIVES, "scse", "scse-max"])
def test_a_block_is_trained_recorded_changed_stored_and_reported(architecture, variant, scan_slice, tmp_path):
    name = f"tiny-{architecture}-{variant}"
    card = replace(TINY, name=name, architecture=architecture, variant=variant, widths=(WIDTH,) * 5)
    model = _trained(card.network(seed=0))
    card = zoo.save(model, card, tmp_path)
    made = segment_slice(scan_slice, zoo.load(name, tmp_path), card)
    again = segment_slice(scan_slice, model, card)
    np.testing.assert_array_equal(made.labels, again.labels)

    arrays = named_arrays(made.gates)
    with np.load(_file(tmp_path, report.npz(arrays))) as opened:
        assert set(opened.files) == set(arrays)
        for key, array in arrays.items():
            np.testing.assert_array_equal(opened[key], array)
    drawn = made.gates["encoder1"].map
    picture = {} if drawn is None else {"encoder1": report.overlay(np.zeros(drawn.shape, np.uint8), drawn)}
    assert name.encode() in report.page(report.Report(name, {"network": name}, picture))

    x = prepared_slice(scan_slice, card)
    plain = changed_pass(model, x, {}).output
    for change in _changes(made.gates["encoder1"].changeable):
        changed = changed_pass(model, x, {"encoder1": change}).output
        assert changed.isfinite().all()
        assert not torch.equal(changed, plain), change


def _trained(model: nn.Module) -> nn.Module:
    """Three steps, which change every part of a block: the scale of a non-local block starts at 0.

    Of tiny blocks some are dead by chance, so each part need only change in one stage.
    """
    before = {key: value.detach().clone() for key, value in model.named_parameters() if key.startswith("blocks.")}
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, 1, SIDE, SIDE, generator=generator)
    task = learner(model, model, Schedule(steps=9, warmup=1, rate=0.01, decay=0.0))
    for _ in range(3):
        task.learn((x, (x[:, 0] > 0.5).long()), torch.ones(2), "float32")
    parameters = dict(model.named_parameters())
    parts = {key.split(".", 2)[2] for key in before}
    changed = {key.split(".", 2)[2] for key, value in before.items() if not torch.equal(parameters[key], value)}
    assert changed == parts
    return model.eval().requires_grad_(False)


def _changes(gates: tuple[str, ...]) -> list[Change]:
    """Every change of a block with these gates that the library has."""
    changes = [Change(strength=0), Change(strength=0.5), Change(without=(0, 1))]
    for gate in gates:
        if gate == "attention":
            changes.append(Change(attention=Mean()))
            continue
        changes += [Change(**{gate: change}) for change in EVERY_GATE]
        if gate == "channel_gate":
            changes.append(Change(channel_gate=Shut(tuple(range(WIDTH)))))
        if gate == "spatial_gate":
            changes.append(Change(spatial_gate=Region(torch.ones(SIDE // 2, SIDE), 0.0)))
    return changes


def _file(folder, content: bytes):
    path = folder / "arrays.npz"
    path.write_bytes(content)
    return path


def test_the_table_of_variants_is_covered():
    assert {*RELATIVES, "scse", "scse-max"} < set(VARIANTS)
