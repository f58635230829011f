"""The shipped brain networks' training: what a step sees, how classes weigh, and what is said of its phases."""

import pytest
import torch

from scse_viz.training import shipped
from scse_viz.training.brain import recipe as brain
from scse_viz.training.brain.atlas import Atlas


def test_a_batch_depends_on_seed_phase_and_step_alone(atlas: Atlas) -> None:
    slices, last = brain.PHASES[-2:]
    image, classes = brain.batch_of(atlas, 3, last, 5)
    again = brain.batch_of(atlas, 3, last, 5)
    assert torch.equal(image, again[0])
    assert torch.equal(classes, again[1])
    for other in (
        brain.batch_of(atlas, 4, last, 5),
        brain.batch_of(atlas, 3, last, 6),
        brain.batch_of(atlas, 3, slices, 5),
    ):
        assert not torch.equal(image, other[0])
    assert image.shape == (last.batch, 1, *last.sizes[5 % len(last.sizes)])


def test_no_step_of_a_phase_repeats_the_random_numbers_of_another_phase() -> None:
    seeds = [
        shipped.generator_of(brain.PHASES, phase, 1, step).initial_seed()
        for phase in brain.PHASES
        for step in (0, phase.schedule.steps - 1)
    ]
    assert sorted(set(seeds)) == seeds


def test_rare_classes_weigh_more_at_first_and_all_the_same_in_the_end(
    atlas: Atlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "COUNTED", 4)
    first, last = (brain.class_weights(atlas, 0, brain.PHASES[end]) for end in (0, -1))
    white, hippocampus = 1, 10
    assert first[white] < first[hippocampus]
    assert last.tolist() == [1] * brain.CLASSES


def test_the_recipe_of_a_phase_is_that_of_a_phase_there_is() -> None:
    names = {phase.name for phase in brain.PHASES}
    assert set(brain.RECIPES) <= names
    assert set(brain.POWERS) == names


def test_each_architecture_has_about_the_same_number_of_parameters() -> None:
    counts = [
        sum(parameter.numel() for parameter in brain.card_of(architecture, "none").network().parameters())
        for architecture in brain.WIDTHS
    ]
    assert max(counts) < 1.1 * min(counts)
