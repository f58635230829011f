"""The folder pretrained/results/: measurements of each network, subject by subject, and comparisons of variants."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

FOLDER = "results"
"""Beside the cards; holds a file NAME.json for each network."""
COMPARISONS = "comparisons.json"
SEEDS_SUFFIX = "-seeds.json"
"""ANATOMY-seeds.json: results of networks trained with other seeds, which are not shipped."""
EXPERIMENTS_SUFFIX = "-experiments.json"
"""NETWORKS-experiments.json: measured once, to explain a result or to choose a recipe."""
MALC = "malc"
"""The data set of the paper: its test heads. The first of the MALC networks, one of the brain networks' as well."""
TRAINED_ON = {"malc": "trained on MALC", "brain": "trained on synthetic heads"}
"""Anatomy -> how tables of results on that data set call its networks."""
FOUR = ("none", "cse", "sse", "scse")
"""The variants of the paper's table, in its order."""
REFERENCES = ("none", "scse")
"""The variants that the others of an architecture are compared with."""
NOT_COUNTED = "extra-cerebral CSF"
"""Excluded from means: it is the remainder between brain and skull, on which no two atlases agree."""

PAPER_DICE: Mapping[str, Mapping[str, float]] = {
    "densenet": {"none": 0.842, "cse": 0.865, "sse": 0.876, "scse": 0.882},
    "sdnet": {"none": 0.771, "cse": 0.790, "sse": 0.860, "scse": 0.862},
    "unet": {"none": 0.763, "cse": 0.825, "sse": 0.837, "scse": 0.843},
}
"""Architecture -> variant -> global Dice of the paper on the brains of the Multi-Atlas Labelling Challenge."""
CITATION = (
    "Roy, Navab, Wachinger, Concurrent Spatial and Channel Squeeze & Excitation in Fully Convolutional Networks, "
    "MICCAI 2018 (arXiv 1803.02579)"
)
PAPER_UNCHECKED = (
    "Only abstracts of the paper could be found when this was written, not its table, so these figures are unchecked; "
    "the journal version, which reports a rise of Dice by 4 to 9 % in U-Net, agrees with them."
)
"""Shown wherever figures of PAPER_DICE are."""


class ResultsError(ValueError):
    """Results that cannot be read, or not be produced as asked; the message is a sentence for users."""


@dataclass(frozen=True)
class Score:
    """Accuracy for one structure: Dice in 0 to 1, and the 95th-percentile Hausdorff distance in mm.

    `dice` is None where neither labels nor prediction have the structure, `hd95_mm` where either lacks it.
    """

    dice: float | None
    hd95_mm: float | None


@dataclass(frozen=True)
class Measured:
    """A network on a data set: `subjects` are subject -> plane -> structure -> Score.

    A volume is segmented slice by slice in a plane; the mean over `planes` stands for the network. `date` (ISO 8601)
    and `commit` of the code are those of the last measurement; None where they were not kept.
    """

    title: str
    planes: tuple[str, ...]
    subjects: Mapping[str, Mapping[str, Mapping[str, Score]]]
    date: str | None = None
    commit: str | None = None

    @property
    def structures(self) -> tuple[str, ...]:
        """Names of the structures, in order."""
        return tuple(dict.fromkeys(name for scores in self._scores() for name in scores))

    def by_subject(
        self, measure: str = "dice", *, planes: Iterable[str] | None = None, structure: str | None = None
    ) -> dict[str, float]:
        """Subject -> mean of a measure ("dice", "hd95_mm") over planes and structures, or of one structure alone.

        `planes` default to those that stand for the network. Subjects without a value are left out.
        """
        wanted = tuple(planes or self.planes)
        names = (structure,) if structure else [name for name in self.structures if name != NOT_COUNTED]
        values = {
            subject: [
                value
                for plane in wanted
                for name in names
                if (value := getattr(by_plane.get(plane, {}).get(name), measure, None)) is not None
            ]
            for subject, by_plane in self.subjects.items()
        }
        return {subject: fmean(known) for subject, known in values.items() if known}

    def missed(self) -> int:
        """The number of structures missed completely, over subjects and the planes that stand for the network."""
        scores = [
            score for by_structure in self._scores() for name, score in by_structure.items() if name != NOT_COUNTED
        ]
        return sum(score.dice == 0 and score.hd95_mm is None for score in scores)

    def _scores(self) -> list[Mapping[str, Score]]:
        return [by_plane[plane] for by_plane in self.subjects.values() for plane in self.planes if plane in by_plane]


@dataclass(frozen=True)
class NetworkResults:
    """The measurements of a network whose weights have this `sha256`.

    `parameters_added`, in percent, and `time_ratio`, of a pass, are relative to the same network without blocks;
    `multiply_adds` are those of convolutions and linear layers for one slice of `input_size` pixels. `data` is data set
    -> Measured.
    """

    name: str
    anatomy: str
    architecture: str
    variant: str
    seed: int | None
    sha256: str
    parameters: int
    parameters_added: float
    multiply_adds: int
    input_size: tuple[int, int]
    time_ratio: float
    data: Mapping[str, Measured]


@dataclass(frozen=True)
class Comparison:
    """A network against the one of its architecture with the variant `against`, on the same subjects of a data set.

    `difference` is the mean over subjects of network - other, `better` the number of subjects in which the network is
    better; `p` that of the two-sided Wilcoxon signed-rank test over subjects, None for one subject; `smallest_p` the
    smallest possible with this number of subjects; `tests` the number of comparisons with that variant on
    the data set: `p` is not corrected. With several `seeds`, the values of a subject are means over them.
    """

    network: str
    other: str
    data: str
    measure: str
    subjects: int
    better: int
    difference: float
    p: float | None
    smallest_p: float
    tests: int
    against: str = "none"
    seeds: int = 1

    @property
    def can_show(self) -> bool:
        """Whether this number of subjects suffices to show a difference at 0.05, corrected for all tests
        (Bonferroni)."""
        return self.smallest_p * self.tests < 0.05

    @property
    def significant(self) -> bool:
        """Whether the difference is significant at 0.05, corrected for all tests (Bonferroni)."""
        return self.p is not None and self.p * self.tests < 0.05


@dataclass(frozen=True)
class Experiment:
    """What was measured under some conditions: `rows` are condition -> variant, or another column -> value.

    Values are mean Dice, or what `title` says; `note` says what follows, and what does not.
    """

    name: str
    title: str
    rows: Mapping[str, Mapping[str, float | None]]
    note: str = ""

    def behind(self, variant: str) -> tuple[float, ...]:
        """How far a variant scores below none, in every row that has both."""
        pairs = ((row.get("none"), row.get(variant)) for row in self.rows.values())
        return tuple(plain - other for plain, other in pairs if plain is not None and other is not None)


def results(folder: Path) -> dict[str, NetworkResults]:
    """The results of the networks in a folder such as pretrained/, by name; empty where none were measured.

    Raises ResultsError for a file that cannot be read.
    """
    paths = sorted((folder / FOLDER).glob("*.json"))
    contents = [
        _read(path)
        for path in paths
        if path.name != COMPARISONS and not path.name.endswith((SEEDS_SUFFIX, EXPERIMENTS_SUFFIX))
    ]
    return {network.name: network for facts in contents for network in [_network(facts)]}


def readable_results(folder: Path) -> dict[str, NetworkResults]:
    """`results`; empty where a file cannot be read."""
    try:
        return results(folder)
    except ResultsError:
        return {}


def other_seeds(folder: Path) -> list[NetworkResults]:
    """The results of the same networks trained with other seeds, or none. Raises ResultsError."""
    paths = sorted((folder / FOLDER).glob(f"*{SEEDS_SUFFIX}"))
    return [_network(facts) for path in paths for facts in _read(path)]


def comparisons(folder: Path) -> list[Comparison]:
    """The comparisons of variants with none and with scSE, or no comparison. Raises ResultsError."""
    path = folder / FOLDER / COMPARISONS
    return [Comparison(**facts) for facts in _read(path)] if path.is_file() else []


def experiments(folder: Path) -> dict[str, Experiment]:
    """The experiments that explain the results, by name; empty where there are none. Raises ResultsError."""
    known: dict[str, Experiment] = {}
    for path in sorted((folder / FOLDER).glob(f"*{EXPERIMENTS_SUFFIX}")):
        try:
            known |= {facts["name"]: Experiment(**facts) for facts in _read(path)}
        except (KeyError, TypeError) as error:
            raise ResultsError(f"{path.name}: cannot be read ({error}); restore the file") from error
    return known


def write(path: Path, content: Any) -> None:
    """Write results, or a list of them, to a file of the folder atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = [asdict(row) for row in content] if isinstance(content, list) else asdict(content)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)


def mean_and_deviation(values: Mapping[str, float]) -> tuple[float, float | None] | None:
    """Mean and standard deviation (n - 1) over subjects; None without subjects, no deviation for one."""
    if not values:
        return None
    return fmean(values.values()), stdev(values.values()) if len(values) > 1 else None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path.name}: cannot be read ({error}); run `scse-viz evaluate` again") from error


def _network(facts: Mapping[str, Any]) -> NetworkResults:
    try:
        data = {name: _measured(measured) for name, measured in facts["data"].items()}
        return NetworkResults(**{**facts, "data": data, "input_size": tuple(facts["input_size"])})
    except (KeyError, TypeError, AttributeError) as error:
        name = facts.get("name") if isinstance(facts, dict) else None
        raise ResultsError(
            f"results of {name or 'a network'}: cannot be read ({error}); run `scse-viz evaluate` again"
        ) from error


def _measured(facts: Mapping[str, Any]) -> Measured:
    subjects = {
        subject: {plane: {name: Score(**score) for name, score in scores.items()} for plane, scores in by_plane.items()}
        for subject, by_plane in facts["subjects"].items()
    }
    return Measured(facts["title"], tuple(facts["planes"]), subjects, facts.get("date"), facts.get("commit"))
