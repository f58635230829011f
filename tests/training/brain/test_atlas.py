"""Label maps: read in RAS whatever the file's axes, with the classes of the project."""

from pathlib import Path

import numpy as np
import torch

from scse_viz.training.brain.atlas import CLASS_OF_LABEL, Atlas, load_atlas
from scse_viz.zoo.structures import BRAIN


def test_heads_are_in_ras_whatever_the_axes_of_the_file(atlas: Atlas) -> None:
    hippocampus = (atlas.classes[atlas.heads[0].long()] == 10).nonzero().float().mean(dim=0)
    middle = (torch.tensor(atlas.heads.shape[1:]) - 1) / 2
    off_centre = hippocampus - middle
    assert off_centre[1] > 5, "the hippocampus of the file is anterior: y must grow towards it"
    assert off_centre[[0, 2]].abs().max() <= 0.5


def test_every_class_but_background_has_a_label_and_left_and_right_are_merged() -> None:
    assert set(CLASS_OF_LABEL.values()) == {structure.number for structure in BRAIN} - {0}
    assert CLASS_OF_LABEL[17] == CLASS_OF_LABEL[53] == 10
    assert BRAIN[10].name == "hippocampus"


def test_points_of_a_class_lie_in_it_and_last_are_those_of_the_head(atlas: Atlas) -> None:
    x, y, z = atlas.points[0, 10].long().unbind(-1)
    assert (atlas.classes[atlas.heads[0, x, y, z].long()] == 10).all()
    x, y, z = atlas.points[0, -1].long().unbind(-1)
    assert (atlas.heads[0, x, y, z] > 0).all()


def test_a_cached_atlas_is_the_same(label_folder: Path, atlas: Atlas, tmp_path: Path) -> None:
    load_atlas(label_folder, [1, 2], tmp_path)
    again = load_atlas(label_folder, [1, 2], tmp_path)
    assert torch.equal(again.heads, atlas.heads)
    assert torch.equal(again.points, atlas.points)
    assert np.array_equal(again.means, atlas.means)
