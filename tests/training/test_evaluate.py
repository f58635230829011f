"""Figures of a card: worked by hand, and those of a shipped network measured again."""

import numpy as np
import pytest

from scse_viz.samples import Group, Sample, in_groups, samples
from scse_viz.scans import read_labels, read_scan
from scse_viz.training.evaluate import group_dice, segment_volume
from scse_viz.zoo import cards, load


def test_groups_are_compared_and_csf_does_not_count_in_the_mean() -> None:
    sample = samples()["synthetic"]
    groups = (Group(1, "white", (1, 4)), Group(2, "grey", (2,)), Group(3, "extra-cerebral CSF", (17,)))
    sample = Sample(**{**vars(sample), "groups": groups})
    labels = np.array([1, 4, 2, 2, 17, 0])
    truth = np.array([1, 1, 1, 2, 0, 3])
    scores = group_dice(labels, truth, sample)
    assert scores == {
        "white": pytest.approx(0.8),
        "grey": pytest.approx(2 / 3, abs=1e-4),
        "extra-cerebral CSF": 0.0,
        "mean": pytest.approx((0.8 + 2 / 3) / 2, abs=1e-4),
    }
    assert in_groups(labels, groups).tolist() == [1, 1, 2, 2, 3, 0]


def test_a_shipped_card_claims_what_its_network_does() -> None:
    card = cards()["brain-unet-scse"]
    assert card.figures is not None
    sample = samples()["colin27"]
    scan = read_scan(sample.scan)
    labels = segment_volume(scan, load(card.name), card, "sagittal")
    scores = group_dice(labels, read_labels(sample.labels, scan), sample)
    assert scores == pytest.approx(card.figures["dice"]["colin27"]["sagittal"], abs=0.01)
