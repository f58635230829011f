"""Understand, can the map be believed: what was measured of the shipped networks, and the same tests on this slice."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.belief import judge
from scse_viz.figures.belief import verdict_table
from scse_viz.scans import ScanError
from scse_viz.ui.shell import export, sidebar
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import verbatim
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand import shortcuts
from scse_viz.ui.understand.belief import live
from scse_viz.ui.understand.belief.verdicts import KINDS, advice, findings_table, gate_table
from scse_viz.zoo import Card, WeightsError
from scse_viz.zoo.beliefs import BeliefResults
from scse_viz.zoo.titles import variant_title

STRUCTURE = "understand_believed_structure"
HELP = """\
**Randomisation**: |rho| of the map with that of the same network after all its weights were redrawn; beside it that of
shifted copies of the map. Passed below halfway from those to 1.
**Deletion, insertion**: area under the Dice of the structure while pixels are removed, or brought back, in the map's
order; beside it the mean of random orders. Passed by beating every random order and the picture's own edges.
**Inside**: the share of the map's mass on the structure; beside it that of shifted copies of the structure. Passed with
p < 0.05.
**Repeatability**: correlation with the gate on the shifted, flipped and noisy slice; beside it that with other slices.
Passed above halfway from those to 1.
"""


def draw(view: View) -> None:
    """Results of the networks that were measured, then the tests of one block on the slice of the sidebar."""
    card = sidebar.choose_network(view)
    block = sidebar.choose_block(card)
    shortcuts.choose_variants(view, card)
    st.markdown(
        "A map over an image always looks as if it meant something. These tests can come out otherwise, and each "
        "number is shown with what chance would give.",
        help=HELP,
    )
    tables: dict[str, pd.DataFrame] = {}
    drawn: dict[str, go.Figure] = {}
    _draw_shipped(view, card, drawn, tables)
    try:
        tested = live.draw(view, card, block)
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
        return
    export.offer(
        view,
        export.ExportContents(
            page="understand-belief",
            models=[card],
            figures={**drawn, **tested.figures},
            tables={**tables, **tested.tables},
            maps=tested.maps,
            arrays=tested.arrays,
            documents=tested.documents,
            code=_code(view, block, tested.number),
        ),
    )


def _draw_shipped(view: View, card: Card, drawn: dict[str, go.Figure], tables: dict[str, pd.DataFrame]) -> None:
    st.markdown("##### Which gates pass")
    family = {
        name: results
        for name, results in understand_cached.beliefs().items()
        if (other := view.networks.get(name)) is not None
        and other.architecture == card.architecture
        and other.sha256 == results.sha256
    }
    if not family:
        st.caption(
            "Not measured yet for the networks of this architecture: `scse-viz believe MODEL` does that, and one slice "
            "can be tested below."
        )
        return
    structure = _choose_structure(family)
    drawn["tests passed by variant"] = _overview(view, family, structure)
    export.chart(drawn["tests passed by variant"], key="understand_passes")
    if card.name in family:
        _draw_measured(family[card.name], structure, drawn, tables)


def _choose_structure(family: Mapping[str, BeliefResults]) -> str:
    structures = list(dict.fromkeys(name for results in family.values() for name in results.structures))
    if st.session_state.get(STRUCTURE, structures[0]) not in structures:
        del st.session_state[STRUCTURE]
    return st.segmented_control(
        "Structure that was tested",
        structures,
        default=structures[0],
        required=True,
        key=STRUCTURE,
        bind="query-params",
        help="Each structure was tested on slices of several scans; the numbers are means over scans.",
    )


def _draw_measured(
    measured: BeliefResults, structure: str, drawn: dict[str, go.Figure], tables: dict[str, pd.DataFrame]
) -> None:
    """Draw the tests of every gate of one network, and add figure and table to `drawn` and `tables`."""
    of_gates = measured.by_gate(structure)
    if not of_gates:
        return
    judged = {f"{block}, {KINDS[kind]}": judge(tests, structure=structure) for (block, kind), tests in of_gates.items()}
    where = ", ".join(measured.scans)
    st.markdown(
        f"**{measured.network}** on {verbatim(where)}: the number, in brackets what chance gives; orange failed."
    )
    drawn["tests by gate"] = findings_table(judged)
    export.chart(drawn["tests by gate"], key="understand_verdicts")
    st.markdown(advice(judged))
    tables["shipped results"] = gate_table(of_gates, structure)
    st.caption(
        f"Measured {measured.date}"
        + (f" with commit {measured.commit}" if measured.commit else "")
        + "; `results/belief` has every number by scan."
    )


def _overview(view: View, family: Mapping[str, BeliefResults], structure: str) -> go.Figure:
    """Blocks x gates of variants: how many of the tests that apply were passed, blue where all."""
    passed: dict[str, dict[str, bool | None]] = {}
    texts: dict[str, dict[str, str]] = {}
    columns = []
    for name, results in ((name, family[name]) for name in view.networks if name in family):
        title = variant_title(view.networks[name].variant)
        for (block, kind), tests in results.by_gate(structure).items():
            column = f"{title}, {KINDS[kind]}"
            columns.append(column)
            judged = judge(tests)
            applied = [finding.passed for finding in judged.findings.values() if finding.passed is not None]
            passed.setdefault(block, {})[column] = judged.believed
            constant = judged.sentence.startswith("the same everywhere")
            texts.setdefault(block, {})[column] = "constant" if constant else f"{sum(applied)} of {len(applied)}"
    titles = ("gate, and the tests that it passed", "block")
    return verdict_table(passed, texts, columns=list(dict.fromkeys(columns)), titles=titles)


def _code(view: View, block: str, number: int) -> str:
    return f"""
from scse_viz.analysis.belief import judge
from scse_viz.inference.belief import believe, case_of, joined

case = case_of(scan.slice({view.plane!r}, {view.index}), model, card, {number})  # the class number of the structure
tests = joined([believe(case, model, [{block!r}])])  # (block, "map" or "weights") -> numbers
judge(tests[{block!r}, "map"])
"""
