"""The shipped networks: what cards, results and page say is what the weights do."""

from dataclasses import replace

import numpy as np
import pytest

from scse_viz.scans import read_labels, read_scan, slice_of
from scse_viz.scans.samples import samples
from scse_viz.training.evaluation import evaluate, measures
from scse_viz.training.evaluation.markdown import paper_form, relatives_form
from scse_viz.training.evaluation.subjects import data_sets
from scse_viz.zoo import PRETRAINED, cards, scores
from scse_viz.zoo.structures import ANATOMIES

CARDS = cards(PRETRAINED)
RESULTS = scores.results(PRETRAINED)
ROW = "U-Net", "colin27-hippocampus"
LEAST = 0.4
"""Mean Dice of a network that has learned its structures, perhaps on a head of another kind than its own."""


@pytest.mark.parametrize("name", CARDS)
def test_a_network_loads_and_reaches_what_its_card_claims(name: str) -> None:
    card = CARDS[name]
    assert card.structures == ANATOMIES[card.anatomy]
    assert (PRETRAINED / f"{name}.history.npz").is_file()
    model = evaluate.loaded(name, PRETRAINED)  # raises where the hash differs
    assert card.figures is not None
    claim = card.figures["check"]
    sample = samples()[claim["sample"]]
    scan = read_scan(sample.scan)
    labels = read_labels(sample.labels, scan)
    prediction = measures.segment(scan, model, card, claim["plane"], claim["slices"])
    reference = np.stack([slice_of(labels, claim["plane"], index) for index in claim["slices"]])
    dice = measures.group_dice(prediction, reference, [group for group in sample.groups if group.name in claim["dice"]])
    assert dice == {structure: pytest.approx(said, abs=0.01) for structure, said in claim["dice"].items()}
    assert np.mean([value for value in dice.values() if value is not None]) > LEAST


@pytest.mark.parametrize("name", CARDS)
def test_the_figures_on_a_card_are_those_of_its_results(name: str) -> None:
    card, measured = CARDS[name], RESULTS[name]
    assert measured.sha256 == card.sha256, "measured again: scse-viz evaluate"
    assert card.figures is not None
    assert {key: card.figures[key] for key in card.figures if key != "check"} == evaluate.card_figures(measured)
    assert measured.parameters == card.parameters
    assert measured.parameters_added == pytest.approx(measures.parameters_added(card), abs=0.005)
    assert measured.multiply_adds == measures.multiply_adds(card, measured.input_size)
    assert 0.5 < measured.time_ratio < 10  # attention between all pixels alone takes four plain passes


def test_every_subject_was_measured_in_every_plane() -> None:
    wanted = {
        "synthetic": 4,
        "heads": 2,
        "mni152": 1,
        "colin27": 1,
        "icbm2009a": 1,
        "test": 40,
        "colin27-hippocampus": 2,
        "malc": 15,
        "colin27-brain": 1,
    }
    for network in RESULTS.values():
        for data, measured in network.data.items():
            assert len(measured.subjects) == wanted[data], (network.name, data)
            planes = {"coronal"} if data in ("malc", "colin27-brain") else set(CARDS[network.name].planes)
            assert all(set(by_plane) == planes for by_plane in measured.subjects.values())


def test_the_page_and_the_tests_are_made_of_these_results() -> None:
    seeds = scores.other_seeds(PRETRAINED)
    assert scores.comparisons(PRETRAINED) == evaluate.compare({name: RESULTS[name] for name in CARDS}, seeds)
    assert (PRETRAINED / "README.md").read_text(encoding="utf-8") == evaluate.page_text(PRETRAINED)


def test_rows_of_the_tables_come_out_again() -> None:
    """Every U-Net on both hippocampi of Colin27, sagittal: the rows that take seconds."""
    title, data = ROW
    (subjects,) = [data_set.subjects for data_set in data_sets()["hippocampus"] if data_set.name == data]
    remade = {}
    for card in CARDS.values():
        if card.anatomy == "hippocampus" and card.architecture == "unet":
            before = RESULTS[card.name].data[data]
            model = evaluate.loaded(card.name, PRETRAINED)
            again = {}
            for subject in subjects:
                scan, reference = subject.read()
                labels = measures.segment_volume(scan, model, card, "sagittal")
                again[subject.name] = {"sagittal": measures.scores(labels, reference, subject.groups, scan.spacing)}
                assert again[subject.name]["sagittal"] == before.subjects[subject.name]["sagittal"]
            measured = scores.Measured(before.title, before.planes, again)
            remade[card.variant] = replace(RESULTS[card.name], data={data: measured})
    (four,) = [
        line for line in paper_form({"unet": remade}, data, "dice").splitlines() if line.startswith(f"| {title} ")
    ]
    relatives = [
        line for line in relatives_form({"unet": remade}, data).splitlines() if line.startswith(f"| {title}, ")
    ]
    assert len(relatives) == len(remade) - 2  # none and scSE stand above the relatives, cSE and sSE do not
    page = (PRETRAINED / "README.md").read_text(encoding="utf-8")
    assert all(row in page for row in (four, *relatives))
