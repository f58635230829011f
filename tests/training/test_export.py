"""A checkpoint becomes weights and cards that the zoo opens."""

from pathlib import Path

import numpy as np
import torch

from scse_viz import zoo
from scse_viz.anatomy import BRAIN
from scse_viz.models import build
from scse_viz.training import brain
from scse_viz.training.export import export
from scse_viz.training.growth import Growth

ROOT = Path(__file__).parents[2]


def test_an_exported_network_is_the_one_of_the_checkpoint(tmp_path: Path) -> None:
    name = "brain-unet-cse"
    model = build("unet", "cse", classes=len(BRAIN), widths=brain.WIDTHS, seed=3)
    references = brain.reference_slices(ROOT / "sample_data" / "colin27.nii.gz")
    growth = Growth()
    growth.keep(0, model, [(references[:, :, :32, :32], torch.zeros(2, 32, 32, dtype=torch.long))], references)
    state = {"step": 10, "plan": {"seed": 3}, "models": {name: model.state_dict()}, "growth": {name: vars(growth)}}
    for stage in brain.STAGES:
        torch.save(state, tmp_path / f"{name}-{stage.name}.pt")
    (card,) = export(tmp_path, ROOT / "sample_data" / "colin27.nii.gz", tmp_path / "out")
    loaded = zoo.load(name, tmp_path / "out")
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[key]), key
    assert card.training is not None
    assert card.training["crops"] == 10 * sum(stage.batch for stage in brain.STAGES)
    assert card.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert np.load(tmp_path / "out" / f"{name}.growth.npz")["references"].shape == (2, *brain.REFERENCE_SIZE)
