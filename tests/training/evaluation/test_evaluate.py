"""Tiny networks measured on tiny crops: results, cards and the page, and what stays when weights change."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from scse_viz.scans.samples import Group
from scse_viz.training.engine.losses import NO_CLASS
from scse_viz.training.evaluation import evaluate, measures
from scse_viz.training.evaluation.comparisons import compare
from scse_viz.training.evaluation.subjects import Sources, data_sets
from scse_viz.training.hippocampus.recipe import split
from scse_viz.training.malc import recipe as malc
from scse_viz.zoo import Card, cards, read_card, save, scores
from scse_viz.zoo.scores import Measured, NetworkResults, ResultsError, Score
from scse_viz.zoo.structures import BRAIN, HIPPOCAMPUS
from tests.cards import TINY
from tests.crop_files import CROPS
from tests.training.malc.files import write_heads

NAMES = ("hippocampus-unet-none", "hippocampus-unet-scse")


@pytest.fixture(scope="module")
def forty_crops(crop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all forty test crops look alike."""
    folder = tmp_path_factory.mktemp("test-crops")
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
        for name in split()["test"]:
            shutil.copy(crop_folder / kind / CROPS[0], folder / kind / name)
    return folder


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    for name in NAMES:
        _save(tmp_path, name, seed=3)
    return tmp_path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scse_viz.training.evaluation.measures.PASSES", 1)


def _save(folder: Path, name: str, seed: int) -> Card:
    card = replace(
        TINY,
        name=name,
        anatomy="hippocampus",
        variant=name.rpartition("-")[2],
        structures=HIPPOCAMPUS,
        training={"seed": seed, "crops": 800},
    )
    return save(card.network(seed=seed).eval(), card, folder)


@pytest.mark.usefixtures("quick")
def test_a_network_is_measured_on_every_crop_and_its_card_says_what_it_reaches(
    networks: Path, forty_crops: Path
) -> None:
    evaluate.evaluate(networks, None, Sources(crops=forty_crops))
    measured = scores.results(networks)
    assert list(measured) == list(NAMES)
    test, halves = measured[NAMES[1]].data.values()
    assert len(test.subjects) == 40
    assert test.planes == ("sagittal",)
    assert set(test.subjects["hippocampus_003"]) == {"sagittal", "coronal", "axial"}
    assert test.structures == ("anterior hippocampus", "posterior hippocampus")
    assert list(halves.subjects) == ["colin27-hippocampus-left", "colin27-hippocampus-right"]

    figures = read_card(NAMES[1], networks).figures
    assert figures is not None
    mean = sum(test.by_subject().values()) / 40
    assert figures["mean_dice"] == pytest.approx(mean, abs=5e-5)
    assert "40 test crops" in figures["measured_on"]
    left = halves.subjects["colin27-hippocampus-left"]["axial"]["hippocampus"].dice
    assert figures["dice"]["colin27-hippocampus-left"]["axial"] == {"hippocampus": left, "mean": left}
    assert len(figures["check"]["slices"]) == evaluate.CHECKED

    page = (networks / "README.md").read_text()
    assert evaluate.MARK in page
    assert "## Hippocampus: test crops" in page
    assert "| U-Net | " in page
    compared = {(comparison.data, comparison.measure): comparison for comparison in scores.comparisons(networks)}
    assert compared["test", "dice"].subjects == 40
    assert compared["test", "dice"].tests == 1


@pytest.mark.usefixtures("quick")
def test_results_on_what_is_not_there_stay_as_long_as_the_weights_do(networks: Path, forty_crops: Path) -> None:
    evaluate.evaluate(networks, [NAMES[0]], Sources(crops=forty_crops))
    first = scores.results(networks)[NAMES[0]]
    evaluate.evaluate(networks, [NAMES[0]])
    assert scores.results(networks)[NAMES[0]].data == first.data
    assert list(scores.results(networks)) == [NAMES[0]], "the other was not asked for"

    _save(networks, NAMES[0], seed=4)
    evaluate.make_page(networks)
    assert "test crops" not in (networks / "README.md").read_text(), "results of other weights are none of these"
    evaluate.evaluate(networks, [NAMES[0]])
    assert list(scores.results(networks)[NAMES[0]].data) == ["colin27-hippocampus"]


@pytest.mark.usefixtures("quick")
def test_brain_networks_are_measured_on_the_challenges_test_heads_in_its_plane_alone(tmp_path: Path) -> None:
    heads, folder = tmp_path / "malc", tmp_path / "networks"
    heads.mkdir()
    write_heads(heads)
    card = replace(TINY, name="brain-unet-none", anatomy="brain", variant="none", structures=BRAIN)
    card = save(card.network(seed=0), card, folder)
    [_, challenge, *_] = data_sets(Sources(malc=heads))["brain"]
    assert [subject.name for subject in challenge.subjects] == ["malc-6"], "the five others are for training"
    written = list(evaluate.measure(card, evaluate.loaded(card.name, folder), [challenge], evaluate.begun(card)))
    assert [len(results.data) for results in written] == [0, 1], "written before and after the one head"
    measured = written[-1].data["malc"]
    assert list(measured.subjects["malc-6"]) == ["coronal"]
    assert measured.date is not None
    [again] = evaluate.measure(card, card.network(), [challenge], written[-1], missing=True)
    assert again == written[-1], "nothing was missing"


@pytest.mark.usefixtures("quick")
def test_networks_trained_on_the_challenge_are_measured_on_its_test_heads_first_and_claim_on_a_masked_sample(
    tmp_path: Path,
) -> None:
    write_heads(tmp_path)
    card = replace(malc.card_of("unet", "none"), widths=TINY.widths, training={"seed": 0})
    model = card.network(seed=0).eval()
    challenge, masked = data_sets(Sources(malc=tmp_path))["malc"]
    assert [subject.name for subject in masked.subjects] == ["colin27-brain"]
    *_, results = evaluate.measure(card, model, [challenge], evaluate.begun(card))
    assert list(results.data) == ["malc"]
    assert evaluate.card_figures(results)["measured_on"].startswith(
        "1 MALC, real heads with manual labels; slice by slice"
    )
    claim = evaluate.check(card, model)
    assert (claim["sample"], claim["plane"]) == ("colin27-brain", "coronal")
    assert "thalamus" in claim["dice"]


def test_voxels_without_a_class_count_neither_for_nor_against_a_structure() -> None:
    reference = np.array([[[1, 1, NO_CLASS, 0]]])
    groups = (Group(1, "white", (1,)),)
    spacing = (1.0, 1.0, 1.0)
    assert measures.scores(np.array([[[1, 1, 1, 0]]], np.uint8), reference, groups, spacing)["white"].dice == 1
    assert measures.scores(np.array([[[1, 1, 0, 1]]], np.uint8), reference, groups, spacing)["white"].dice == 0.8


def test_a_folder_that_is_not_the_challenges_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"subjects\.csv missing; give the folder of the challenge"):
        data_sets(Sources(malc=tmp_path))


@pytest.mark.usefixtures("quick")
def test_other_seeds_are_added_to_those_that_were_kept(
    networks: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other, later = tmp_path_factory.mktemp("seed"), tmp_path_factory.mktemp("later")
    _save(other, NAMES[0], seed=8)
    evaluate.evaluate(networks, None)
    with pytest.raises(ResultsError, match="holds no results"):
        evaluate.collect_seeds(networks, [other])
    evaluate.evaluate(other, None)
    evaluate.collect_seeds(networks, [other])
    assert [(results.name, results.seed) for results in scores.other_seeds(networks)] == [(NAMES[0], 8)]
    page = (networks / "README.md").read_text()
    assert "Effect of the seed: U-Net" in page
    assert "| 8 | " in page

    _save(later, NAMES[1], seed=8)
    again = _save(later, NAMES[0], seed=8)
    evaluate.evaluate(later, None)
    old = scores.other_seeds(networks)[0]
    newer = scores.results(later)[again.name]
    scores.write(later / scores.FOLDER / f"{again.name}.json", replace(newer, parameters=old.parameters + 1))
    evaluate.collect_seeds(networks, [later])
    kept = {(results.name, results.seed): results for results in scores.other_seeds(networks)}
    assert list(kept) == [(NAMES[0], 8), (NAMES[1], 8)], "one of each network and seed"
    assert kept[NAMES[0], 8].parameters == old.parameters + 1, "the newer of the same seed"


def test_a_page_of_another_origin_is_not_replaced(networks: Path) -> None:
    (networks / "README.md").write_text("# Mine")
    for act in _acts(networks):
        with pytest.raises(ResultsError, match="was not written by this command"):
            act()
    assert (networks / "README.md").read_text() == "# Mine"
    assert not (networks / scores.FOLDER).exists()


def test_a_network_of_another_anatomy_is_refused(networks: Path) -> None:
    save(TINY.network(seed=0), TINY, networks)
    with pytest.raises(ResultsError, match="tiny-unet-scse: no scans of tiny are known"):
        evaluate.evaluate(networks, None)
    with pytest.raises(ResultsError, match=r"gone: no such network .* networks are hippocampus-unet-none"):
        evaluate.evaluate(networks, ["gone"])


def _on_heads(name: str, dice: dict[str, float], seed: int = 0) -> NetworkResults:
    scores = {subject: {"axial": {"white": Score(value, 1 / value)}} for subject, value in dice.items()}
    _, architecture, variant = name.split("-", 2)
    data = {"heads": Measured("heads", ("axial",), scores)}
    return NetworkResults(name, "brain", architecture, variant, seed, "", 1, 0.0, 1, (8, 8), 1.0, data)


PLAIN = {"a": 0.5, "b": 0.6, "c": 0.7, "d": 0.8}


def test_variants_are_compared_with_none_and_scse_of_their_architecture_over_common_subjects() -> None:
    networks = [
        _on_heads("brain-unet-none", PLAIN),
        _on_heads("brain-unet-scse", {"a": 0.61, "b": 0.72, "c": 0.83, "e": 0.1}),
        _on_heads("brain-unet-scse-r16", {"a": 0.4, "b": 0.61, "c": 0.7, "d": 0.8}),
        _on_heads("brain-sdnet-cse", PLAIN),
    ]
    made = compare({results.name: results for results in networks})
    compared = {(comparison.network, comparison.against, comparison.measure): comparison for comparison in made}
    assert set(compared) == {
        (network, against, measure)
        for network, against in (
            ("brain-unet-scse", "none"),
            ("brain-unet-scse-r16", "none"),
            ("brain-unet-scse-r16", "scse"),
        )
        for measure in ("dice", "hd95_mm")
    }, "none is not tested against scSE again, and SD-Net has neither here"
    scse, distance = compared["brain-unet-scse", "none", "dice"], compared["brain-unet-scse", "none", "hd95_mm"]
    assert (scse.other, scse.subjects, scse.better, scse.tests) == ("brain-unet-none", 3, 3, 2)
    assert scse.difference == pytest.approx(0.12)
    assert (scse.p, scse.smallest_p) == (0.25, 0.25)
    assert distance.better == 3, "a smaller distance is better"
    assert distance.difference < 0
    assert compared["brain-unet-scse-r16", "none", "dice"].better == 1
    against_scse = compared["brain-unet-scse-r16", "scse", "dice"]
    assert (against_scse.other, against_scse.better, against_scse.tests) == ("brain-unet-scse", 0, 1)
    assert against_scse.difference == pytest.approx(-0.15)


def test_means_over_the_seeds_that_both_have_are_compared() -> None:
    shipped = [_on_heads("brain-unet-none", PLAIN), _on_heads("brain-unet-scse", dict.fromkeys(PLAIN, 0.9))]
    others = [
        _on_heads("brain-unet-none", {name: value + 0.1 for name, value in PLAIN.items()}, seed=1),
        _on_heads("brain-unet-none", dict.fromkeys(PLAIN, 0.0001), seed=2),
        _on_heads("brain-unet-scse", dict.fromkeys(PLAIN, 0.5), seed=1),
    ]
    compared = {
        comparison.measure: comparison for comparison in compare({results.name: results for results in shipped}, others)
    }
    assert compared["dice"].seeds == 2, "scSE lacks seed 2"
    assert compared["dice"].difference == pytest.approx(0.7 - 0.7)
    assert compared["dice"].better == 2, "0.7 in the mean over seeds against 0.55, 0.65, 0.75 and 0.85"


def test_brain_networks_have_what_the_page_needs() -> None:
    card = replace(TINY, anatomy="brain", structures=BRAIN)
    claim = evaluate.check(card, card.network(seed=0).eval())
    assert claim["sample"] == "synthetic"
    assert {"cerebral cortex", "putamen"} < set(claim["dice"]) < {structure.name for structure in BRAIN[1:]}
    assert torch.tensor([value for value in claim["dice"].values() if value is not None]).max() <= 1


def _acts(folder: Path) -> list[Callable[[], None]]:
    return [
        lambda: evaluate.evaluate(folder, None),
        lambda: evaluate.make_page(folder),
        lambda: evaluate.collect_seeds(folder, [folder]),
    ]


def test_cards_of_the_folder_stay_readable(networks: Path) -> None:
    (networks / scores.FOLDER).mkdir()
    (networks / scores.FOLDER / "x.json").write_text("{}")
    assert list(cards(networks)) == list(NAMES)
