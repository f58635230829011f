"""Results read as they were written; means and tests by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from scse_viz.zoo import PRETRAINED, scores
from scse_viz.zoo.scores import Comparison, Experiment, Measured, NetworkResults, ResultsError, Score

MEASURED = Measured(
    "two heads",
    ("axial", "coronal"),
    {
        "first": {
            "axial": {"white": Score(0.9, 1.0), "grey": Score(0.7, 2.0), "extra-cerebral CSF": Score(0.1, 9.0)},
            "coronal": {"white": Score(0.8, 1.5), "grey": Score(0.6, 2.5), "extra-cerebral CSF": Score(0.1, 9.0)},
            "sagittal": {"white": Score(0.2, 7.0), "grey": Score(0.2, 7.0), "extra-cerebral CSF": Score(0.1, 9.0)},
        },
        "second": {
            "axial": {"white": Score(0.5, 4.0), "grey": Score(0.0, None)},
            "coronal": {"white": Score(0.7, 2.0), "grey": Score(None, None)},
        },
    },
)
NETWORK = NetworkResults(
    name="brain-unet-scse",
    anatomy="brain",
    architecture="unet",
    variant="scse",
    seed=0,
    sha256="abc",
    parameters=1000,
    parameters_added=1.5,
    multiply_adds=5_000_000,
    input_size=(256, 256),
    time_ratio=1.04,
    data={"heads": MEASURED},
)


def test_the_mean_of_a_subject_is_over_its_planes_and_structures_without_csf() -> None:
    assert MEASURED.by_subject() == pytest.approx({"first": 0.75, "second": 0.4})
    assert MEASURED.by_subject("hd95_mm") == pytest.approx({"first": 1.75, "second": 3.0})
    assert MEASURED.by_subject(planes=["sagittal"]) == pytest.approx({"first": 0.2})
    assert MEASURED.by_subject(structure="grey") == pytest.approx({"first": 0.65, "second": 0.0})
    assert MEASURED.by_subject(structure="extra-cerebral CSF") == pytest.approx({"first": 0.1})
    assert MEASURED.structures == ("white", "grey", "extra-cerebral CSF")


def test_a_structure_that_was_missed_is_counted_and_one_that_is_not_there_is_not() -> None:
    assert MEASURED.missed() == 1


def test_mean_and_deviation_are_over_subjects() -> None:
    assert scores.mean_and_deviation({"a": 1.0, "b": 3.0}) == pytest.approx((2.0, 2**0.5))
    assert scores.mean_and_deviation({"a": 1.0}) == (1.0, None)
    assert scores.mean_and_deviation({}) is None


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    place = tmp_path / scores.FOLDER
    comparison = Comparison("brain-unet-scse", "brain-unet-none", "heads", "dice", 2, 1, -0.01, 0.5, 0.5, 3)
    scores.write(place / "brain-unet-scse.json", NETWORK)
    scores.write(place / f"brain{scores.SEEDS_SUFFIX}", [replace(NETWORK, seed=1), replace(NETWORK, seed=2)])
    scores.write(place / scores.COMPARISONS, [comparison])
    assert scores.results(tmp_path) == {"brain-unet-scse": NETWORK}
    assert [network.seed for network in scores.other_seeds(tmp_path)] == [1, 2]
    assert scores.comparisons(tmp_path) == [comparison]
    assert sorted(path.suffix for path in place.iterdir()) == [".json"] * 3


def test_a_folder_without_results_has_none(tmp_path: Path) -> None:
    assert (scores.results(tmp_path), scores.other_seeds(tmp_path), scores.comparisons(tmp_path)) == ({}, [], [])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x", "data": {"heads": []}, "input_size": [1, 1]}'])
def test_a_results_file_that_is_damaged_says_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / scores.FOLDER / "x.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ResultsError, match="cannot be read"):
        scores.results(tmp_path)


@pytest.mark.parametrize(
    ("p", "smallest", "tests", "shows", "significant"),
    [(0.004, 1e-11, 9, True, True), (0.006, 1e-11, 9, True, False), (0.125, 0.125, 3, False, False)],
)
def test_a_difference_is_shown_where_p_times_the_number_of_tests_is_below_0_05(
    p: float, smallest: float, tests: int, shows: bool, significant: bool
) -> None:
    comparison = Comparison("a", "b", "heads", "dice", 4, 4, 0.1, p, smallest, tests)
    assert (comparison.can_show, comparison.significant) == (shows, significant)
    assert not replace(comparison, p=None).significant


def test_the_papers_table_has_its_three_networks_and_four_variants() -> None:
    assert set(scores.PAPER_DICE) == {"densenet", "sdnet", "unet"}
    for by_variant in scores.PAPER_DICE.values():
        assert list(by_variant) == ["none", "cse", "sse", "scse"]
        assert list(by_variant.values()) == sorted(by_variant.values())


def test_an_experiment_says_how_far_a_variant_is_behind_none_where_both_were_measured() -> None:
    experiment = Experiment("e", "an experiment", {"one": {"none": 0.9, "cse": 0.8}, "other": {"none": 0.7}})
    assert experiment.behind("cse") == pytest.approx([0.1])


def test_the_shipped_experiments_end_with_what_was_measured_of_the_shipped_networks() -> None:
    last = list(scores.experiments(PRETRAINED)["margins"].rows.values())[-1]
    for variant, dice in last.items():
        measured = scores.results(PRETRAINED)[f"brain-unet-{variant}"].data["heads"].by_subject()["samseg-s1"]
        assert dice == pytest.approx(measured, abs=0.0006)
    stages = list(scores.experiments(PRETRAINED)["stages"].rows.values())[-1]
    for variant, dice in stages.items():
        measured = scores.results(PRETRAINED)[f"brain-unet-{variant}"].data["synthetic"].by_subject()["synthetic"]
        assert dice == pytest.approx(measured, abs=0.0006)


def test_experiments_are_read_from_every_file_of_them(tmp_path: Path) -> None:
    for number, networks in enumerate(("brain-unet", "malc-unet")):
        experiment = Experiment(f"e{number}", "an experiment", {"one": {"none": 0.9, "cse": None}}, note="so what")
        scores.write(tmp_path / scores.FOLDER / f"{networks}{scores.EXPERIMENTS_SUFFIX}", [experiment])
    experiments = scores.experiments(tmp_path)
    assert list(experiments) == ["e0", "e1"]
    assert experiments["e1"].note == "so what"
    assert experiments["e0"].behind("cse") == ()
    assert scores.results(tmp_path) == {}, "they are no results of a network"
    (tmp_path / scores.FOLDER / f"x{scores.EXPERIMENTS_SUFFIX}").write_text('[{"name": "x"}]')
    with pytest.raises(ResultsError, match=r"x-experiments\.json: cannot be read"):
        scores.experiments(tmp_path)


def test_the_trial_of_gates_that_can_move_adds_up() -> None:
    """The mean over 16 structures is that of the 15 others and the accumbens, as far as rounding lets it be."""
    rows = scores.experiments(PRETRAINED)["gates"].rows
    assert len(rows) == 4
    for row in rows.values():
        expected = (15 * row["without the accumbens"] + row["accumbens"]) / 16
        assert row["all 16 structures"] == pytest.approx(expected, abs=0.001)


def test_what_is_said_of_the_weakness_of_scse_is_what_was_measured() -> None:
    experiment = scores.experiments(PRETRAINED)["weakness"]
    synthetic, real, *changed = experiment.rows.values()
    assert real["none"] - real["scse"] == pytest.approx(0.025, abs=0.001)
    assert synthetic["none"] - synthetic["scse"] == pytest.approx(0.018, abs=0.001)
    assert max(row["scse"] for row in changed) - real["scse"] == pytest.approx(0.005, abs=0.001)
    tested = {
        (comparison.network, comparison.against): comparison
        for comparison in scores.comparisons(PRETRAINED)
        if (comparison.data, comparison.measure) == (scores.MALC, "dice")
    }
    assert tested["brain-sdnet-scse", "none"].better == 15
    assert all(tested[f"brain-{name}-scse", "none"].difference < 0 for name in ("unet", "densenet"))
