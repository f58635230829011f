"""The folder pretrained/results/belief/: whether the maps of the networks can be believed, one file a network."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from scse_viz.analysis.belief import GateTests, pooled
from scse_viz.zoo.scores import FOLDER as RESULTS
from scse_viz.zoo.scores import ResultsError

FOLDER = f"{RESULTS}/belief"
DIGITS = 4


@dataclass(frozen=True)
class BeliefRow:
    """The tests of one gate for one structure on slices of one scan.

    `kind` is "map" or "weights"; `survived` is the mean |rho| after every depth of `BeliefResults.depths`.
    """

    block: str
    kind: str
    structure: str
    scan: str
    plane: str
    slices: tuple[int, ...]
    tests: GateTests
    survived: tuple[float, ...]

    @property
    def gate(self) -> tuple[str, str]:
        """The block and the kind."""
        return self.block, self.kind


@dataclass(frozen=True)
class BeliefResults:
    """The rows of the network whose weights have this `sha256`; `depths` are its depths, top down.

    `date` (ISO 8601) and `commit` are those of the last measurement.
    """

    network: str
    sha256: str
    depths: tuple[str, ...]
    rows: tuple[BeliefRow, ...] = ()
    date: str = ""
    commit: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def has(self, scan: str, structure: str) -> bool:
        """Whether a scan was measured for a structure."""
        return any((row.scan, row.structure) == (scan, structure) for row in self.rows)

    def with_rows(self, rows: Iterable[BeliefRow]) -> "BeliefResults":
        """These results with `rows` added."""
        return replace(self, rows=(*self.rows, *rows))

    def by_gate(self, structure: str | None = None) -> dict[tuple[str, str], GateTests]:
        """The numbers of every gate, pooled over scans, of one structure or over all."""
        tests_of_gate: dict[tuple[str, str], list[GateTests]] = {}
        for row in self.rows:
            if structure in (None, row.structure):
                tests_of_gate.setdefault(row.gate, []).append(row.tests)
        return {gate: pooled(tests) for gate, tests in tests_of_gate.items()}

    @property
    def structures(self) -> tuple[str, ...]:
        """The structures that were measured, in order."""
        return tuple(dict.fromkeys(row.structure for row in self.rows))

    @property
    def scans(self) -> tuple[str, ...]:
        """The scans that were measured, in order."""
        return tuple(dict.fromkeys(row.scan for row in self.rows))


def read_beliefs(folder: Path) -> dict[str, BeliefResults]:
    """The results of a folder of networks such as pretrained/, by network. Raises ResultsError for a damaged file."""
    measured = [read_belief(path) for path in sorted((folder / FOLDER).glob("*.json"))]
    return {results.network: results for results in measured}


def read_belief(path: Path) -> BeliefResults:
    """The results of one file. Raises ResultsError."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        rows = tuple(_row(entry) for entry in facts.pop("rows"))
        return BeliefResults(**{**facts, "depths": tuple(facts["depths"]), "rows": rows})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path.name}: cannot be read ({error}); run `scse-viz believe` again") from error


def write_belief(path: Path, results: BeliefResults) -> None:
    """Write the results of a network to a file atomically, numbers to four digits, null for nan."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(_rounded(asdict(results)), indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def _row(facts: Mapping[str, Any]) -> BeliefRow:
    tests = {name: math.nan if value is None else value for name, value in facts["tests"].items()}
    survived = tuple(math.nan if value is None else value for value in facts["survived"])
    return BeliefRow(**{**facts, "slices": tuple(facts["slices"]), "tests": GateTests(**tests), "survived": survived})


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, DIGITS)
    if isinstance(value, Mapping):
        return {key: _rounded(element) for key, element in value.items()}
    return (
        [_rounded(element) for element in value]
        if isinstance(value, Sequence) and not isinstance(value, str)
        else value
    )
