"""The page and its tables: figures by hand, networks that are missing, what the tests say in words."""

import re
from dataclasses import replace

import pytest

from scse_viz.training.evaluation.markdown import differences_in_words, in_words, paper_form, seed_table, verdict
from scse_viz.training.evaluation.readme import page
from scse_viz.zoo import Card
from scse_viz.zoo.scores import MALC, Comparison, Experiment, Measured, NetworkResults, Score
from scse_viz.zoo.structures import BRAIN
from tests.cards import TINY

FACTS = {"data": "sixteen heads", "method": "Somebody 2023", "licence": "Apache-2.0", "crops": 105_600, "seed": 0}


def network(architecture: str, variant: str, *dice: float, seed: int = 0) -> NetworkResults:
    """Results on as many heads, of one structure; the distance is 10 (1 - Dice) mm."""
    scores = {
        f"head {number}": {"axial": {"white": Score(value, round(10 * (1 - value), 3))}}
        for number, value in enumerate(dice)
    }
    data = {"synthetic": Measured("synthetic heads", ("axial",), scores)}
    name = f"brain-{architecture}-{variant}"
    return NetworkResults(name, "brain", architecture, variant, seed, "", 1000, 1.5, 2_000_000, (256, 256), 1.04, data)


def card(name: str) -> Card:
    _, architecture, variant = name.split("-")
    return replace(
        TINY, name=name, anatomy="brain", architecture=architecture, variant=variant, structures=BRAIN, training=FACTS
    )


MEASURED = {
    results.name: results
    for results in (network("unet", "none", 0.9, 0.85, 0.8), network("unet", "scse", 0.6, 0.7, 0.8))
}
TABLE = {"unet": {results.variant: results for results in MEASURED.values()}}
CARDS = {name: card(name) for name in (*MEASURED, "brain-sdnet-cse")}
COMPARED = [
    Comparison("brain-unet-scse", "brain-unet-none", "synthetic", measure, 3, 0, -0.15, 0.25, 0.25, 1)
    for measure in ("dice", "hd95_mm")
]


def test_the_table_has_the_papers_form_and_dashes_where_there_is_nothing() -> None:
    table = paper_form(TABLE, "synthetic", "dice")
    assert table.splitlines() == [
        "|  | none | cSE | sSE | scSE |",
        "| --- | --- | --- | --- | --- |",
        "| DenseNet | – | – | – | – |",
        "| SD-Net | – | – | – | – |",
        "| U-Net | **0.850 ± 0.050** | – | – | 0.700 ± 0.100 |",
    ]


def test_what_looks_alike_is_equally_good() -> None:
    table = {"unet": {"none": network("unet", "none", 0.8500), "scse": network("unet", "scse", 0.8501)}}
    assert "| U-Net | **0.850** | – | – | **0.850** |" in paper_form(table, "synthetic", "dice")
    assert in_words(table, "synthetic").startswith("Best mean: none and scSE in U-Net. scSE exceeds none in 0 of 1")


def test_words_name_the_comparisons_that_show_a_difference() -> None:
    comparisons = [
        Comparison(name, "none", "test", "dice", 40, 9, -0.01, p, 2.0**-39, 2)
        for name, p in (("unet-cse", 0.001), ("unet-sse", 0.04))
    ]
    assert (
        differences_in_words(comparisons)
        == "The difference to none is significant in 1 of 2 comparisons: `unet-cse` lower."
    )
    assert differences_in_words(comparisons[1:]) == "The difference to none is significant in 0 of 1 comparisons."
    assert differences_in_words([]) == ""


def test_the_best_distance_is_the_smallest() -> None:
    table = paper_form(TABLE, "synthetic", "hd95_mm")
    assert "| **1.50 ± 0.50** | – | – | 3.00 ± 1.00 |" in table


def test_the_page_says_what_is_there_and_renders_without_the_rest() -> None:
    text = page(CARDS, MEASURED, COMPARED, [], "Made by hand")
    assert "Made by hand" in text
    assert "sixteen heads" in text
    assert "| `brain-unet-scse` | 0 | +1.50 % | 2.0 million at 256 × 256 | × 1.04 | 105,600 |" in text
    assert "| `brain-sdnet-cse` | 0 | – | – | – | 105,600 |" in text
    assert "| *paper: U-Net* | *0.763* | *0.825* | *0.837* | *0.843* |" in text
    assert "| `brain-unet-scse` | -0.150 | 0 of 3 | 0.250 | -0.15 | 0.250 | too few subjects (3;" in text
    assert "(3 scans): mean Dice 0.700 to 0.850. Best mean: none in U-Net. " in text
    assert "3 subjects are too few to show a difference." in text
    assert "Best mean: none in U-Net. scSE exceeds none in 0 of 1 architectures." in text
    assert "| white | 0.850 (1.50) | 0.700 (3.00) |" in text
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_experiments_stand_at_the_end_with_what_follows_from_them() -> None:
    rows = {"as it is": {"none": 0.9, "cse": 0.8}, "cropped": {"none": 0.7}}
    text = page(CARDS, MEASURED, COMPARED, [], "Made by hand", [Experiment("e", "one trial", rows, note="No more.")])
    table = "|  | none | cSE |\n| --- | --- | --- |\n| as it is | 0.900 | 0.800 |\n| cropped | 0.700 | – |"
    assert text.endswith(f"### One trial\n\n{table}\n\nNo more.\n")
    assert "## Experiments" not in page(CARDS, MEASURED, COMPARED, [], "Made by hand")


def test_a_folder_without_results_has_a_page_without_tables_of_them() -> None:
    text = page(CARDS, {}, [], [], "Made by hand")
    assert "`brain-unet-none`" in text
    assert "## Brain" not in text


def test_seeds_are_compared_with_variants() -> None:
    others = [network("unet", "none", 0.80, 0.80, seed=1), network("unet", "scse", 0.75, 0.75, seed=1)]
    table = seed_table([*MEASURED.values(), *others], "synthetic")
    assert "| 0 | 0.850 | – | – | 0.700 |" in table
    assert "| 1 | 0.800 | – | – | 0.750 |" in table
    assert "| **mean** | 0.825 | – | – | 0.725 |" in table
    assert "| range | 0.050 | – | – | 0.050 |" in table
    assert "by up to 0.050; the means over seeds of none and scSE differ by more, 0.100." in table
    text = page(CARDS, MEASURED, COMPARED, others, "Made by hand")
    assert "### Effect of the seed: U-Net, synthetic heads" in text


def test_relatives_stand_below_none_and_scse_and_are_tested_against_both() -> None:
    relative = network("unet", "eca", 0.7, 0.8, 0.9)
    measured = {results.name: results for results in (*MEASURED.values(), relative)}
    compared = [*COMPARED, *(
        Comparison(relative.name, other, "synthetic", measure, 3, 2, 0.1, 0.5, 0.25, 1, against)
        for measure in ("dice", "hd95_mm")
        for other, against in (("brain-unet-none", "none"), ("brain-unet-scse", "scse"))
    )]  # fmt: skip
    text = page({**CARDS, relative.name: card(relative.name)}, measured, compared, [], "Made by hand")
    rows = [line for line in text.splitlines() if line.startswith("| U-Net")]
    assert rows[0] == "| U-Net | **0.850 ± 0.050** | – | – | 0.700 ± 0.100 |", "the paper's table has its four alone"
    assert rows[2:5] == [
        "| U-Net, none | 0.850 ± 0.050 | 1.50 ± 0.50 | +1.50 % |",
        "| U-Net, scSE | 0.700 ± 0.100 | 3.00 ± 1.00 | +1.50 % |",
        "| U-Net, ECA | 0.800 ± 0.100 | 2.00 ± 1.00 | +1.50 % |",
    ]
    none, scse = (
        text.partition(f"| against `{reference}` |")[2].partition("\n\n")[0] for reference in ("none", "scse")
    )
    assert "`brain-unet-scse`" in none
    assert "`brain-unet-eca`" in none
    assert "`brain-unet-scse`" not in scse
    assert "`brain-unet-eca` | +0.100 | 2 of 3 |" in scse
    assert "3 subjects are too few to show a difference." in text


def test_variants_with_one_seed_are_named_and_left_out_of_means_over_seeds() -> None:
    others = [network("unet", "none", 0.80, 0.80, seed=1), network("unet", "eca", 0.9, 0.9)]
    table = seed_table([*MEASURED.values(), *others], "synthetic")
    assert "| **mean** | 0.825 | – | – | – | – |" in table
    assert "One seed alone so far: scSE; ECA." in table


def on_malc(anatomy: str, variant: str, *dice: float, seed: int = 0) -> NetworkResults:
    results = network("unet", variant, *dice, seed=seed)
    data = {MALC: replace(results.data["synthetic"], title="MALC", date="2026-01-02", commit="abc")}
    return replace(results, name=f"{anatomy}-unet-{variant}", anatomy=anatomy, data=data)


def test_the_papers_heads_have_a_table_of_their_own_with_rows_by_training_and_ranges_over_seeds() -> None:
    measured = [on_malc("malc", "none", 0.88, 0.90), on_malc("malc", "scse", 0.90, 0.92), on_malc("brain", "none", 0.7)]
    others = [on_malc("malc", "scse", 0.86, 0.88, seed=1)]
    cards = {
        results.name: replace(card("brain-unet-none"), name=results.name, anatomy=results.anatomy)
        for results in measured
    }
    text = page(cards, {results.name: results for results in measured}, [], others, "Made by hand")
    assert "over 2 test heads" in text
    assert "| U-Net, trained on MALC | 0.890 ± 0.014 | – | – | 0.890 ± 0.014 (2 seeds: 0.870 to 0.910) |" in text
    assert "| U-Net, trained on synthetic heads | 0.700 | – | – | – |" in text
    assert text.count("*paper: U-Net*") == 1, "beside ours on its own data alone"
    assert "## MALC networks: MALC\n\nThe test heads of the MICCAI 2012" in text
    assert "Measured 2026-01-02 (commit `abc`)." in text
    assert "- U-Net, trained on MALC: +0.020 with seed 0" in text
    assert "for the best network (reached, 0.890), 0.86 for every one with scSE (reached, 0.890)" in text
    assert "no structure under 0.70 (reached, 0.870: white of `malc-unet-scse`)" in text
    assert "`results/malc-seeds.json`" in text


@pytest.mark.parametrize(
    ("difference", "p", "subjects", "said"),
    [
        (0.01, 0.0001, 40, "higher"),
        (-0.01, 0.0001, 40, "lower"),
        (0.01, 0.03, 40, "no significant difference"),
        (-0.07, 0.125, 4, "too few subjects (4; p cannot fall below 0.125)"),
    ],
)
def test_words_follow_the_test(difference: float, p: float, subjects: int, said: str) -> None:
    comparison = Comparison("a", "b", "test", "dice", subjects, 3, difference, p, 2.0 ** (1 - subjects), tests=9)
    assert verdict(comparison) == said
