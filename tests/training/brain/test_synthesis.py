"""Images made from labels: aligned with them, at the intensities of the priors, the same for one seed."""

from dataclasses import replace

import torch
from torch import Generator

from scse_viz.training.brain.atlas import Atlas
from scse_viz.training.brain.synthesis import FLUID, SynthesisRecipe, paint, render, synthesise, tilted_labels

PLAIN = SynthesisRecipe(
    t1=1.0, stripped=0.0, coarse=0.0, blur=(0.05, 0.05), bias=0.0, noise=0.0, gamma=0.0, window=(1.0, 1.0)
)


def test_one_seed_gives_the_same_crops_and_another_gives_others(atlas: Atlas) -> None:
    first, again, other = (synthesise(atlas, 4, 32, Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_every_tissue_lies_at_the_mean_of_its_prior_relative_to_the_others(atlas: Atlas) -> None:
    labels = atlas.heads[0, :, :, 24].long().expand(64, -1, -1)
    image = render(atlas, labels, torch.zeros(64, dtype=torch.bool), Generator().manual_seed(0), PLAIN)[:, 0]
    rows = labels.unique().tolist()
    means = torch.stack([image[labels == row].mean() for row in rows])
    prior = atlas.means[0][atlas.tissues[rows]]
    # Percentile scaling is linear, so means = a prior + b; labels vary by 5 around the prior, 64 crops by 5 / 8.
    a, b = torch.linalg.lstsq(torch.stack([prior, torch.ones(len(rows))], dim=1), means[:, None]).solution[:, 0]
    assert a > 0
    assert (means - (a * prior + b)).abs().max() < 3 * a


def test_image_edges_lie_where_the_labels_change(atlas: Atlas) -> None:
    image, classes = synthesise(atlas, 16, 48, Generator().manual_seed(1), PLAIN)
    white, cortex = image[:, 0][classes == 1], image[:, 0][classes == 2]
    assert white.quantile(0.05) > cortex.quantile(0.95), (
        "no pixel of white matter is as dark as cortex when nothing blurs"
    )


def test_stripped_heads_are_black_outside_the_brain(atlas: Atlas) -> None:
    recipe = SynthesisRecipe(t1=1.0, stripped=1.0, noise=0.0, blur=(0.05, 0.05))
    image, classes = synthesise(atlas, 8, 48, Generator().manual_seed(2), recipe)
    outside = classes == 0
    assert image[:, 0][outside].median() == 0
    assert outside.any()


def test_a_mask_made_by_a_threshold_leaves_out_dark_fluid_and_nothing_else(atlas: Atlas) -> None:
    plain = replace(PLAIN, stripped=1.0)
    solid, classes = synthesise(atlas, 16, 48, Generator().manual_seed(4), plain)
    hollow, same = synthesise(atlas, 16, 48, Generator().manual_seed(4), replace(plain, hollow=1.0))
    assert torch.equal(classes, same), "the labels stay"
    fluid = torch.isin(classes, FLUID)
    assert fluid.any()
    assert (solid[:, 0][fluid] == 0).float().mean() < 0.1
    assert 0.3 < (hollow[:, 0][fluid] == 0).float().mean() < 0.9
    assert (hollow[:, 0][~fluid & (classes > 0)] > 0).float().mean() > 0.98


def test_bright_fluid_and_whole_heads_are_not_hollow(atlas: Atlas) -> None:
    recipe = replace(PLAIN, hollow=1.0)
    labels = atlas.heads[0, :, :, 24].long().expand(4, -1, -1)
    for level, stripped in ((255.0, True), (10.0, False)):
        mean = torch.full((4, len(atlas.classes)), 100.0)
        mean[:, torch.isin(atlas.classes, FLUID)] = level
        fluid = torch.isin(atlas.classes, FLUID)
        levels = torch.stack([mean, mean * 0])
        who = torch.full((4,), stripped)
        with_it = paint(labels, levels, who, Generator().manual_seed(0), recipe, fluid=fluid)
        without = paint(labels, levels, who, Generator().manual_seed(0), PLAIN)
        assert torch.equal(with_it, without)


def test_sampled_labels_are_upright_when_nothing_tilts(atlas: Atlas) -> None:
    still = SynthesisRecipe(focused=0.0, tilt=0.0, turn=0.0, bend=0.0)
    labels = tilted_labels(atlas, 200, 96, Generator().manual_seed(0), still)
    classes = atlas.classes[labels]
    rows = torch.arange(96.0)
    # The hippocampus of the test head is anterior: in axial slices, at the top; nowhere is it below the white matter.
    offsets = [
        float(rows[(crop == 10).any(dim=1)].mean() - rows[(crop == 1).any(dim=1)].mean())
        for crop in classes
        if (crop == 10).any() and (crop == 1).any()
    ]
    assert len(offsets) > 20
    assert min(offsets) < -3
    assert max(offsets) < 3
