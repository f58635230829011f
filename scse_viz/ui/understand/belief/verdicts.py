"""The tests of gates as a table, as a figure and in words."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from scse_viz.analysis.belief import Belief, GateTests, judge
from scse_viz.figures.belief import verdict_table
from scse_viz.inference.belief import Readout

KINDS = {"map": "map", "weights": "channel weights"}


def gate_table(tests_of_gate: Mapping[Readout, GateTests], structure: str) -> pd.DataFrame:
    """A row a gate: every test with its null and verdict, and the sentence."""
    rows = []
    for (block, kind), tests in tests_of_gate.items():
        judged = judge(tests, structure=structure)
        row: dict[str, object] = {"block": block, "gate": KINDS[kind], "what follows": judged.sentence}
        for name, finding in judged.findings.items():
            row |= {name: finding.value, f"{name}, by chance": finding.null, f"{name}, passed": finding.passed}
        rows.append(row)
    return pd.DataFrame(rows).set_index(["block", "gate"])


def findings_table(beliefs: Mapping[str, Belief]) -> go.Figure:
    """A figure with rows of gates against the tests, each cell with the number and its null."""
    columns = list(next(iter(beliefs.values())).findings)
    passed = {
        row: {name: finding.passed for name, finding in judged.findings.items()} for row, judged in beliefs.items()
    }
    texts = {
        row: {name: _text(name, finding.value, finding.null) for name, finding in judged.findings.items()}
        for row, judged in beliefs.items()
    }
    return verdict_table(passed, texts, columns=columns)


def advice(judged: Mapping[str, Belief]) -> str:
    """What follows: one line for every sentence, after the gates that it is about."""
    said: dict[str, list[str]] = {}
    for gate, belief in judged.items():
        said.setdefault(belief.sentence, []).append(gate)
    return "\n".join(f"- {'; '.join(gates)}: {sentence}." for sentence, gates in said.items())


def _text(name: str, value: float, null: float) -> str:
    """A number and its null; shares of a map's mass in percent, since a small structure holds little of it."""
    if np.isnan(value):
        return ""
    if name == "inside":
        return f"{value:.1%}" if np.isnan(null) else f"{value:.1%} ({null:.1%})"
    return f"{value:.2f}" if np.isnan(null) else f"{value:.2f} ({null:.2f})"
