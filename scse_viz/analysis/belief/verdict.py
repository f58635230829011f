"""What the four tests of a gate say together: numbers pooled over slices, each passed or not, and one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from scse_viz.analysis.health import CONSTANT

BEYOND = 0.5
"""A test by correlation turns at half of the way from what chance gives to 1."""
SIGNIFICANT = 0.05
SAME = 0.95
"""Channel weights of different slices that correlate by more have nearly one order."""
NAN = float("nan")


@dataclass(frozen=True)
class GateTests:
    """The tests of one gate on slices of one scan, as means over the slices; nan where a test does not apply.

    `spread` is the standard deviation over pixels or channels. `survived` is |rho| with the map of a network redrawn
    throughout, `survived_by_chance` that of shifted copies. Areas under Dice: `deleted` in the map's order,
    `deleted_random` the mean and `deleted_random_best` the smallest over random orders, `deleted_edges` in the order of
    the picture's own gradient and `deleted_gradcam` in that of Seg-Grad-CAM; `inserted` likewise, the best being the
    largest. `inside`, `border` and `leakage` are shares of the map's mass, `inside_by_chance` that of shifted copies of
    the structure and `inside_p` the share of copies that reach it; `hit` and `hit_by_chance` tell how often the highest
    pixel lies on the structure. `repeated` is the correlation under shifts, a flip and noise, `between` that with other
    slices.
    """

    spread: float = NAN
    survived: float = NAN
    survived_by_chance: float = NAN
    deleted: float = NAN
    deleted_random: float = NAN
    deleted_random_best: float = NAN
    deleted_edges: float = NAN
    deleted_gradcam: float = NAN
    inserted: float = NAN
    inserted_random: float = NAN
    inserted_random_best: float = NAN
    inserted_edges: float = NAN
    inserted_gradcam: float = NAN
    inside: float = NAN
    border: float = NAN
    leakage: float = NAN
    inside_by_chance: float = NAN
    inside_p: float = NAN
    hit: float = NAN
    hit_by_chance: float = NAN
    repeated: float = NAN
    between: float = NAN


@dataclass(frozen=True)
class Finding:
    """One test: its number, its null, and whether it was passed; None where it does not apply."""

    value: float
    null: float
    passed: bool | None


@dataclass(frozen=True)
class Belief:
    """The tests of a gate by name, whether all that apply were passed, and what follows for a reader of the map."""

    findings: Mapping[str, Finding]
    believed: bool
    sentence: str


def pooled(tests: Sequence[GateTests]) -> GateTests:
    """The mean over scans, number by number, of those that are not nan."""
    means = {}
    for field in fields(GateTests):
        values = [value for of_scan in tests if not np.isnan(value := getattr(of_scan, field.name))]
        means[field.name] = float(np.mean(values)) if values else NAN
    return GateTests(**means)


def judge(tests: GateTests, *, structure: str = "the structure") -> Belief:
    """Numbers -> a verdict on each test and on the gate; `structure` is named in the sentence."""
    findings = {
        "randomisation": _below_halfway(tests.survived, tests.survived_by_chance),
        "deletion": _removal(tests.deleted, tests.deleted_random, tests.deleted_random_best, tests.deleted_edges, -1),
        "insertion": _removal(
            tests.inserted, tests.inserted_random, tests.inserted_random_best, tests.inserted_edges, 1
        ),
        "inside": _inside(tests),
        "repeatability": _above_halfway(tests.repeated, tests.between),
    }
    if not np.isnan(tests.spread) and tests.spread < CONSTANT:
        return Belief(findings, believed=False, sentence="the same everywhere: a scale, nothing to read in it")
    verdicts = [finding.passed for finding in findings.values() if finding.passed is not None]
    lower = tests.inside_p > 1 - SIGNIFICANT
    return Belief(findings, bool(verdicts) and all(verdicts), _sentence(findings, structure, lower=lower))


def _below_halfway(value: float, null: float) -> Finding:
    return Finding(value, null, None if np.isnan(value) else bool(value < null + BEYOND * (1 - null)))


def _above_halfway(value: float, null: float) -> Finding:
    floor = 0.0 if np.isnan(null) else null
    return Finding(value, null, None if np.isnan(value) else bool(value > floor + BEYOND * (1 - floor)))


def _removal(value: float, mean: float, best: float, edges: float, sign: int) -> Finding:
    """Passed by an area better than that of every random order and that of the picture's edges."""
    if np.isnan(value):
        return Finding(value, mean, None)
    rivals = [rival for rival in (best, edges) if not np.isnan(rival)]
    return Finding(value, mean, all(sign * (value - rival) > 0 for rival in rivals))


def _inside(tests: GateTests) -> Finding:
    passed = None if np.isnan(tests.inside_p) else bool(tests.inside_p < SIGNIFICANT)
    return Finding(tests.inside, tests.inside_by_chance, passed)


def _sentence(findings: Mapping[str, Finding], structure: str, *, lower: bool) -> str:
    failed = {name for name, finding in findings.items() if finding.passed is False}
    removal_applies = findings["deletion"].passed is not None
    if not any(finding.passed is not None for finding in findings.values()):
        return "no test applies: nothing can be said"
    if "repeatability" in failed:
        return "changes when the picture is moved by two pixels: do not compare slices or persons by it"
    if "randomisation" in failed:
        return "an untrained network shows nearly the same: read it as a filter of the picture, such as its edges"
    if np.isnan(findings["inside"].value):
        fixed = findings["repeatability"].null > SAME
        more = ", in nearly the same order on every slice: a ranking of filters" if fixed else " to compare slices by"
        return f"learned and repeatable weights{more}"
    if lower:
        return f"learned and repeatable, and lower on {structure} than elsewhere: it shuts it out or leaves it alone"
    if "inside" in failed:
        return f"learned and repeatable, yet no higher on {structure} than elsewhere: do not read it as its location"
    if not removal_applies:
        return f"learned and repeatable, and higher on {structure} than elsewhere"
    if failed & {"deletion", "insertion"}:
        return f"lies on {structure}, yet the prediction rests no more on it than on other pixels: a by-product"
    return f"passes every test: it may be read as attention to {structure}"
