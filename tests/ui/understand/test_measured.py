"""Results on the paper's own data as the page shows them, from files made by hand: three seeds, fifteen heads."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz.training.evaluation.comparisons import compare
from scse_viz.ui.shell import cached
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.zoo import scores
from scse_viz.zoo.scores import MALC, Measured, NetworkResults, Score

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.understand import page
sidebar.begin()
page.page()
"""
HEADS = 15
DICE = {"none": 0.85, "cse": 0.86, "sse": 0.855, "scse": 0.88}
CACHES = (cached.network_results, understand_cached.other_seeds, understand_cached.comparisons)


def network(anatomy: str, variant: str, seed: int, gain: float = 0.0) -> NetworkResults:
    """Results on fifteen heads; Dice of the variant, 0.01 a seed lower, each head with noise of its own."""
    noise = np.random.default_rng(len(variant) + 10 * seed).normal(scale=0.002, size=HEADS)
    dice = DICE[variant] + gain - 0.01 * seed + noise - noise.mean()
    heads = {
        f"malc-{number}": {"coronal": {"putamen": Score(float(value), float(10 * (1 - value)))}}
        for number, value in enumerate(dice)
    }
    name = f"{anatomy}-unet-{variant}"
    measured = {MALC: Measured("MALC, real heads with manual labels", ("coronal",), heads)}
    return NetworkResults(name, anatomy, "unet", variant, seed, "", 1, 0.0, 1, (8, 8), 1.0, measured)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The app reads its results here."""
    for kept in CACHES:
        kept.clear()
    for module in (cached, understand_cached):
        monkeypatch.setattr(module, "PRETRAINED", tmp_path)
    yield tmp_path
    for kept in CACHES:
        kept.clear()


def write(folder: Path, shipped: list[NetworkResults], seeds: list[NetworkResults]) -> None:
    place = folder / scores.FOLDER
    for results in shipped:
        scores.write(place / f"{results.name}.json", results)
    scores.write(place / f"malc{scores.SEEDS_SUFFIX}", seeds)
    scores.write(place / scores.COMPARISONS, compare({results.name: results for results in shipped}, seeds))


def lesson(**address: str) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=120)
    app.query_params.update({"understand": "Learn", "understand_lesson": "The paper and ours", **address})
    app.run()
    assert not app.exception
    assert not app.error
    return app


def test_seeds_tests_distances_and_signs_stand_beside_the_papers_figures(folder):
    shipped = [*(network("malc", variant, 0) for variant in DICE), network("brain", "none", 0, gain=-0.1)]
    write(folder, shipped, [network("malc", variant, seed) for seed in (1, 2) for variant in DICE])
    app = lesson()
    dice, distance, tests = (table.value for table in app.dataframe[2:])
    assert list(dice.columns) == ["none", "cSE", "sSE", "scSE"]
    assert dice.loc["U-Net, MALC", "scSE"].startswith("0.870 ± 0.00")
    assert dice.loc["U-Net, MALC", "scSE"].endswith("(3 seeds: 0.860 to 0.880)")
    assert dice.loc["U-Net, synthetic heads", "none"].startswith("0.750 ± 0.002")
    assert dice.loc["paper, unchecked: U-Net"].tolist() == ["0.763", "0.825", "0.837", "0.843"]
    assert distance.loc["U-Net, MALC", "none"].endswith("(3 seeds: 1.50 to 1.70)")
    assert tests.loc["malc-unet-scse", "Dice minus none"] == "higher: +0.030 (p < 0.001)"
    assert tests.loc["malc-unet-cse", "Dice minus scSE"] == "lower: -0.020 (p < 0.001)"
    assert list(tests.index) == ["brain-unet-none", *(f"malc-unet-{variant}" for variant in DICE)]
    assert tests.loc["malc-unet-none", "HD95, mm"].startswith("1.60 ± 0.0")
    assert tests.loc["malc-unet-none", "seeds, their Dice"] == "3: 0.830 to 0.850"
    assert tests.loc["brain-unet-none", "seeds, their Dice"] == "1"
    text = "\n".join(element.value for element in app.markdown)
    assert "15 test heads of MALC" in text
    signs = "+0.030 with seed 0, +0.030 with seed 1, +0.030 with seed 2"
    assert f"**scSE minus none**, mean Dice: U-Net, MALC: {signs}." in text


def test_one_seed_has_no_range_and_its_tests_say_no_number_of_seeds(folder):
    write(folder, [network("malc", variant, 0) for variant in DICE], [])
    app = lesson()
    dice, _, tests = (table.value for table in app.dataframe[2:])
    assert "seeds" not in dice.to_string()
    assert tests.loc["malc-unet-scse", "Dice minus none"] == "higher: +0.030 (p < 0.001)"


def test_a_test_over_fewer_seeds_than_a_network_has_says_so(folder):
    write(folder, [network("malc", variant, 0) for variant in DICE], [network("malc", "scse", 1)])
    tests = lesson().dataframe[4].value
    assert tests.loc["malc-unet-scse", "Dice minus none"] == "higher: +0.030 (p < 0.001, seeds in common: 1)"


def test_without_results_on_the_papers_heads_nothing_is_said_of_them(folder):
    app = lesson()
    assert "test heads of MALC" not in "\n".join(element.value for element in app.markdown)
    assert len(app.dataframe) == 2
