"""The lesson on what was measured: the paper's table beside ours, tests of every network, and the paper's own data."""

from collections.abc import Iterable, Mapping
from statistics import fmean

import pandas as pd
import streamlit as st

from scse_viz.ui.shell import cached
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.zoo import Card
from scse_viz.zoo.scores import (
    CITATION,
    FOUR,
    MALC,
    PAPER_DICE,
    PAPER_UNCHECKED,
    REFERENCES,
    TRAINED_ON,
    Comparison,
    NetworkResults,
)
from scse_viz.zoo.seeds import differences, families, over_seeds, signs_in_words
from scse_viz.zoo.titles import ARCHITECTURE_TITLES, VARIANT_TITLES, architecture_title, variant_title

DATA = "understand_data"
WIDE = 460
"""Width of a table in pixels: two fit side by side, or one below the other in a narrow window."""
MEASURES = {"dice": ("Dice", ".3f"), "hd95_mm": ("HD95, mm", ".2f")}
FEWEST = 3
"""The fewest subjects for which tests are shown."""
TESTS_HELP = (
    "Each network against none and against scSE of its architecture on the same subjects, by the two-sided Wilcoxon "
    "signed-rank test; over the means of the seeds that both have. Higher or lower: p times the number of such "
    "comparisons on this data (Bonferroni) is below 0.05."
)


def paper(view: View) -> dict[str, pd.DataFrame]:
    """The paper's table beside ours, our tests, and our results on the paper's own data; returns the tables."""
    st.markdown(
        "### Is it worth it? The paper's results and ours\n"
        "Roy et al. put the three blocks into three networks and measured the Dice coefficient on whole-brain scans: "
        "1 is a perfect segmentation, 0 no overlap. In the table as we have it, every block helps, scSE most."
    )
    tables = {"paper, unchecked": _table(PAPER_DICE)}
    with st.container(horizontal=True, gap="large"):
        with st.container(width=WIDE):
            st.markdown("**The paper** (unchecked): global Dice, brain (MALC data)")
            _draw(tables["paper, unchecked"], "understand_paper")
        with st.container(width=WIDE):
            ours, measured_on, data = _ours(view.networks)
            st.markdown(f"**Ours**: mean Dice, {measured_on}")
            tables["ours"] = _table(ours)
            _draw(tables["ours"], "understand_ours")
    if data not in (None, MALC):
        tables["ours, tested"] = _draw_tests(view.networks, data, f"**Tests**: {measured_on}", "understand_tests")
    tables |= _on_own_data()
    st.markdown(
        "The paper's table and ours cannot be compared number by number. The paper trained and tested on real scans "
        "with manual labels, and larger networks. Ours are smaller, and where no seeds are given they were trained "
        "once: another seed may change the order of the variants. The brain networks were trained on no real scan, "
        "only on images synthesized from label maps. So compare each block with none, and do not trust differences of "
        "0.01 or 0.02. The cards on the page Models say which data each figure was measured on."
    )
    st.caption(f"{CITATION}; extended in IEEE TMI 2019 (arXiv 1808.08127). {PAPER_UNCHECKED}")
    return {name: table for name, table in tables.items() if not table.empty}


def _ours(networks: Mapping[str, Card]) -> tuple[dict[str, dict[str, float]], str, str | None]:
    """Architecture -> variant -> mean Dice, what it was measured on, and that data set; from the cards where results
    are missing."""
    known = {name: results for name, results in cached.network_results().items() if name in networks}
    by_title = {measured.title: data for results in known.values() for data, measured in results.data.items()}
    if not by_title:
        means = {card.name: (card.figures or {}).get("mean_dice") for card in networks.values()}
        return _by_architecture(networks, means), f"{next(iter(networks.values())).anatomy}, as on their cards", None
    if st.session_state.get(DATA) not in by_title:
        st.session_state.pop(DATA, None)  # data of another anatomy
    title = st.selectbox(
        "Measured on",
        list(by_title),
        key=DATA,
        bind="query-params",
        help="Whole volumes that no network was trained on.",
    )
    data = by_title[title]
    means = {
        name: fmean(subjects.values())
        for name, results in known.items()
        if data in results.data and (subjects := results.data[data].by_subject())
    }
    return _by_architecture(networks, means), title, data


def _draw_tests(names: Iterable[str], data: str, heading: str, key: str) -> pd.DataFrame:
    """Draw and return the tests of some networks on a data set; nothing where too few subjects were measured."""
    wanted = list(names)
    tested = {
        (comparison.network, comparison.against): comparison
        for comparison in understand_cached.comparisons()
        if comparison.data == data
        and comparison.measure == "dice"
        and comparison.network in wanted
        and comparison.subjects >= FEWEST
    }
    if not tested:
        return pd.DataFrame()
    seeds, rows = _seeds(data), {}
    for name in (name for name in seeds if name in wanted):
        means = {measure: over_seeds(seeds[name], data, measure) for measure in MEASURES}
        cells: dict[str, str | None] = {
            title: means[measure].spread(form) for measure, (title, form) in MEASURES.items()
        }
        for reference in REFERENCES:
            cells[f"Dice minus {variant_title(reference)}"] = _words(tested.get((name, reference)), len(seeds[name]))
        cells["seeds, their Dice"] = f"{len(seeds[name])}{': ' * (len(seeds[name]) > 1)}{means['dice'].range('.3f')}"
        rows[name] = cells
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("network")
    subjects = max(comparison.subjects for comparison in tested.values())
    st.markdown(f"{heading}, {subjects} subjects, mean ± standard deviation over them", help=TESTS_HELP)
    st.dataframe(table, width="stretch", height="content", placeholder="–", key=key)
    return table


def _seeds(data: str) -> dict[str, list[NetworkResults]]:
    """Network -> its results on a data set, one a seed, the shipped network first; by architecture and variant."""
    seeds: dict[str, list[NetworkResults]] = {}
    for results in (*cached.network_results().values(), *understand_cached.other_seeds()):
        if data in results.data:
            seeds.setdefault(results.name, []).append(results)
    return dict(sorted(seeds.items(), key=lambda entry: _place(entry[1][0])))


def _place(results: NetworkResults) -> tuple[int, str, int]:
    """The place of a network in a table: U-Nets first, variants as the papers came."""
    architectures, variants = list(ARCHITECTURE_TITLES), list(VARIANT_TITLES)
    return architectures.index(results.architecture), results.anatomy, variants.index(results.variant)


def _words(comparison: Comparison | None, seeds: int) -> str | None:
    """A difference, its p, whether it is significant, and over how many seeds, where the network has more."""
    if comparison is None:
        return None
    p = "no p" if comparison.p is None else "p < 0.001" if comparison.p < 0.001 else f"p {comparison.p:.3f}"
    verdict = ("higher: " if comparison.difference > 0 else "lower: ") if comparison.significant else ""
    over = f", seeds in common: {comparison.seeds}" if comparison.seeds < seeds else ""
    return f"{verdict}{comparison.difference:+.3f} ({p}{over})"


def _on_own_data() -> dict[str, pd.DataFrame]:
    """Draw and return what was measured on the test heads of the paper; nothing where no network was."""
    networks = [results for of_seeds in _seeds(MALC).values() for results in of_seeds]
    if not networks:
        return {}
    heads = max(len(results.data[MALC].subjects) for results in networks)
    st.markdown(
        f"#### On the paper's own data\n{heads} test heads of MALC, mean ± standard deviation over heads; where there "
        "are several seeds, of the mean over seeds, and after it the range of their means. Beside each network stands "
        "what it was trained on.",
        help="Real T1-weighted scans of the OASIS project; labels drawn by hand, provided by Neuromorphometrics, Inc. "
        "The skull was taken off with a mask made from these labels, so the outline of the brain is the labels' own. "
        "Structures 1 to 16, coronal slices; `pretrained/README.md` has every structure, distances and tests.",
    )
    tables = {}
    for measure, (title, form) in MEASURES.items():
        table = _by_training(networks, measure, form)
        st.markdown(f"**{title}**" + (" (lower is better)" if measure == "hd95_mm" else ""))
        st.dataframe(table, width="stretch", height="content", placeholder="–", key=f"understand_own_{measure}")
        tables[f"on the paper's own data, {title.partition(',')[0]}"] = table
    signs = [
        f"{_row(architecture, anatomy)}: {said}"
        for (architecture, anatomy), by_variant in families(networks).items()
        if (said := signs_in_words(differences(by_variant, MALC)))
    ]
    if signs:
        st.markdown(f"**scSE minus none**, mean Dice: {'; '.join(signs)}.")
    names = dict.fromkeys(results.name for results in networks)
    tables["on the paper's own data, tested"] = _draw_tests(names, MALC, "**Tests**", "understand_own_tests")
    return tables


def _by_training(networks: Iterable[NetworkResults], measure: str, form: str) -> pd.DataFrame:
    """Architecture and training x variant, in text; below the rows of an architecture the paper's Dice."""
    of_family = families(networks)
    rows: dict[str, dict[str, str]] = {}
    for architecture in dict.fromkeys(architecture for architecture, _ in of_family):
        for (other, anatomy), by_variant in of_family.items():
            if other == architecture:
                rows[_row(architecture, anatomy)] = {
                    variant_title(variant): over_seeds(of_seeds, MALC, measure).text(form)
                    for variant, of_seeds in by_variant.items()
                }
        if measure == "dice" and architecture in PAPER_DICE:
            rows[f"paper, unchecked: {architecture_title(architecture)}"] = {
                variant_title(variant): f"{dice:.3f}" for variant, dice in PAPER_DICE[architecture].items()
            }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("network")
    first = [variant_title(variant) for variant in FOUR]
    return table.reindex(columns=[*first, *(title for title in table.columns if title not in first)])


def _row(architecture: str, anatomy: str) -> str:
    """An architecture and what it was trained on: a narrow window holds four columns beside it."""
    return f"{architecture_title(architecture)}, {TRAINED_ON.get(anatomy, anatomy).removeprefix('trained on ')}"


def _by_architecture(networks: Mapping[str, Card], means: Mapping[str, float | None]) -> dict[str, dict[str, float]]:
    scores: dict[str, dict[str, float]] = {}
    for card in networks.values():
        mean = means.get(card.name)
        if mean is not None:
            scores.setdefault(card.architecture, {})[card.variant] = float(mean)
    return scores


def _table(scores: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Architectures x the paper's four variants."""
    rows = {architecture_title(name): [row.get(variant) for variant in FOUR] for name, row in scores.items()}
    titles = [variant_title(variant) for variant in FOUR]
    return pd.DataFrame.from_dict(rows, orient="index", columns=titles).rename_axis("network")


def _draw(table: pd.DataFrame, key: str) -> None:
    columns = {title: st.column_config.NumberColumn(format="%.3f") for title in table.columns}
    st.dataframe(table, width="stretch", height="content", column_config=columns, placeholder="–", key=key)
