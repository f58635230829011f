"""Tables of results in Markdown: the paper's form, the tests, by plane, by structure, by seed."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from scse_viz.zoo.scores import MALC, Comparison, Measured, NetworkResults, mean_and_deviation

ARCHITECTURES = {"densenet": "DenseNet", "sdnet": "SD-Net", "unet": "U-Net"}
VARIANTS = {"none": "none", "cse": "cSE", "sse": "sSE", "scse": "scSE"}
"""In the order of the paper's table; other variants follow."""
ABSENT = "–"
DIGITS = {"dice": 3, "hd95_mm": 2}
FORMS = {measure: f".{digits}f" for measure, digits in DIGITS.items()}
Table = Mapping[str, Mapping[str, NetworkResults]]  # architecture -> variant -> results


def paper_form(table: Table, data: str, measure: str, of_paper: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """Architectures x variants, mean ± deviation, the best of a row in bold; below each the paper's row."""
    variants = _variants(table)
    rows = []
    for key, title in ARCHITECTURES.items():
        cells = {
            variant: mean_and_deviation(network.data[data].by_subject(measure))
            for variant, network in table.get(key, {}).items()
        }
        shown = {variant: round(cell[0], DIGITS[measure]) for variant, cell in cells.items() if cell}
        best = (max if measure == "dice" else min)(shown.values(), default=None)
        row = []
        for variant in variants:
            text = _cell(cells.get(variant), FORMS[measure])
            row.append(f"**{text}**" if len(shown) > 1 and shown.get(variant) == best else text)
        rows.append([title, *row])
        if of_paper:
            quoted = [format(of_paper[key][variant], ".3f") if variant in of_paper[key] else "" for variant in variants]
            rows.append([f"*paper: {title}*", *(f"*{text}*" if text else ABSENT for text in quoted)])
    return markdown(["", *map(title_of, variants)], rows)


def own_data_table(
    networks: Sequence[NetworkResults],
    measure: str,
    trained_on: Mapping[str, str],
    of_paper: Mapping[str, Mapping[str, float]],
) -> str:
    """Architectures and what they were trained on x variants on the paper's heads, below each architecture the paper's.

    trained_on: anatomy -> words. Networks of one row and variant are seeds: their mean, and the range of their means.
    """
    seeds: dict[tuple[str, str], dict[str, list[NetworkResults]]] = {}
    for network in networks:
        row = seeds.setdefault((network.architecture, network.anatomy), {})
        row.setdefault(network.variant, []).append(network)
    variants = _variants(
        {
            architecture: {name: of_seeds[0] for name, of_seeds in row.items()}
            for (architecture, _), row in seeds.items()
        }
    )
    rows = []
    for key, title in ARCHITECTURES.items():
        for anatomy, words in trained_on.items():
            by_variant = seeds.get((key, anatomy))
            if by_variant:
                cells = [_over_seeds(by_variant.get(variant, ()), measure) for variant in variants]
                rows.append([f"{title}, {words}", *cells])
        if key in of_paper and any(architecture == key for architecture, _ in seeds):
            quoted = [format(of_paper[key][variant], ".3f") if variant in of_paper[key] else "" for variant in variants]
            rows.append([f"*paper: {title}*", *(f"*{text}*" if text else ABSENT for text in quoted)])
    return markdown(["", *map(title_of, variants)], rows)


def in_words(table: Table, data: str) -> str:
    """The variants with the best mean Dice in each architecture, and whether scSE, the paper's best, exceeds none."""
    means = {
        title: {
            variant: round(fmean(network.data[data].by_subject().values()), DIGITS["dice"])
            for variant, network in table[key].items()
        }
        for key, title in ARCHITECTURES.items()
        if key in table
    }
    best = [
        f"{' and '.join(title_of(variant) for variant, mean in row.items() if mean == max(row.values()))} in {title}"
        for title, row in means.items()
        if len(row) > 1
    ]
    pairs = [row for row in means.values() if {"none", "scse"} <= set(row)]
    above = sum(row["scse"] > row["none"] for row in pairs)
    said = [f"Best mean: {', '.join(best)}."] if best else []
    return " ".join([*said, *([f"scSE exceeds none in {above} of {len(pairs)} architectures."] if pairs else [])])


def differences_in_words(compared: Sequence[Comparison]) -> str:
    """The comparisons with none whose difference in Dice is significant; empty without comparisons."""
    of_dice = [comparison for comparison in compared if comparison.measure == "dice"]
    shown = [f"`{comparison.network}` {verdict(comparison)}" for comparison in of_dice if comparison.significant]
    if not of_dice:
        return ""
    if not any(comparison.can_show for comparison in of_dice):
        return f"{of_dice[0].subjects} subjects are too few to show a difference."
    return f"The difference to none is significant in {len(shown)} of {len(of_dice)} comparisons" + (
        f": {', '.join(shown)}." if shown else "."
    )


def tested(compared: Sequence[Comparison]) -> str:
    """Networks against none: difference, number of subjects in which better, p, and a verdict."""
    by_network: dict[str, dict[str, Comparison]] = {comparison.network: {} for comparison in compared}
    for comparison in compared:
        by_network[comparison.network][comparison.measure] = comparison
    rows = []
    for name, by_measure in by_network.items():
        dice, distance = by_measure["dice"], by_measure.get("hd95_mm")
        rows.append(
            [
                f"`{name}`",
                f"{dice.difference:+.3f}",
                f"{dice.better} of {dice.subjects}",
                _p(dice),
                ABSENT if distance is None else f"{distance.difference:+.2f}",
                ABSENT if distance is None else _p(distance),
                verdict(dice),
            ]
        )
    if not rows:
        return ""
    head = ["against `none`", "Dice", "better in", "p", "HD95, mm", "p", "Dice, verdict"]
    return markdown(head, rows)


def verdict(comparison: Comparison) -> str:
    """The difference in Dice in words."""
    if comparison.significant:
        return "higher" if comparison.difference > 0 else "lower"
    if not comparison.can_show:
        return f"too few subjects ({comparison.subjects}; p cannot fall below {comparison.smallest_p:.3g})"
    return "no significant difference"


def by_plane(every: Sequence[NetworkResults], data: str) -> str:
    """Dice in each plane, mean ± deviation over subjects."""
    planes = list(
        dict.fromkeys(plane for network in every for scores in network.data[data].subjects.values() for plane in scores)
    )
    rows = [
        [
            f"`{network.name}`",
            *(
                _cell(mean_and_deviation(network.data[data].by_subject("dice", planes=[plane])), FORMS["dice"])
                for plane in planes
            ),
        ]
        for network in every
    ]
    return "Dice by plane:\n\n" + markdown(["", *planes], rows)


def by_structure(title: str, by_variant: Mapping[str, NetworkResults], data: str) -> str:
    """Dice and HD95 of each structure, mean over subjects and planes, in a section that is folded."""
    if not by_variant:
        return ""
    by_name = {variant: network.data[data] for variant, network in by_variant.items()}
    names = dict.fromkeys(name for measured in by_name.values() for name in measured.structures)
    rows = [[name, *(_structure(measured, name) for measured in by_name.values())] for name in names]
    table = markdown(["", *map(title_of, by_name)], rows)
    return f"<details><summary>{title}: Dice (HD95 in mm) by structure</summary>\n\n{table}\n</details>"


def seed_table(networks: Sequence[NetworkResults], data: str) -> str:
    """Dice of one architecture trained with several seeds: seeds x variants, their mean and range."""
    by_seed: dict[int | None, dict[str, float]] = {}
    for network in networks:
        by_seed.setdefault(network.seed, {})[network.variant] = fmean(network.data[data].by_subject().values())
    variants = _variants({"": {network.variant: network for network in networks}})
    columns = {variant: [row[variant] for row in by_seed.values() if variant in row] for variant in variants}
    means = {variant: fmean(column) for variant, column in columns.items() if column}
    spread = {variant: max(column) - min(column) for variant, column in columns.items() if len(column) > 1}
    rows = [
        *((str(seed), row) for seed, row in by_seed.items()),
        ("**mean**", means),
        ("range", spread),
    ]
    cells = [[title, *(_number(row.get(variant)) for variant in variants)] for title, row in rows]
    words = " ".join(filter(None, [_seed_words(means, spread), _signs(by_seed)]))
    return markdown(["seed", *map(title_of, variants)], cells) + "\n\n" + words


def _signs(by_seed: Mapping[int | None, Mapping[str, float]]) -> str:
    """scSE minus none for every seed that has both."""
    differences = {seed: row["scse"] - row["none"] for seed, row in by_seed.items() if {"none", "scse"} <= set(row)}
    said = ", ".join(f"{difference:+.3f} with seed {seed}" for seed, difference in differences.items())
    return f"scSE minus none: {said}." if said else ""


def _seed_words(means: Mapping[str, float], spread: Mapping[str, float]) -> str:
    if len(means) < 2 or not spread:
        return ""
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    difference = means[best] - means[worst]
    largest = max(spread.values())
    return (
        f"The seed alone changes Dice by up to {largest:.3f}; the means over seeds of {title_of(best)} and "
        f"{title_of(worst)} differ by {'more' if difference > largest else 'no more'}, {difference:.3f}."
    )


def _over_seeds(seeds: Sequence[NetworkResults], measure: str) -> str:
    """Mean ± deviation over heads of the means over seeds, and the range of the seeds' means; a dash without any."""
    by_seed = [network.data[MALC].by_subject(measure) for network in seeds]
    common = [head for head in by_seed[0] if all(head in means for means in by_seed)] if by_seed else []
    text = _cell(mean_and_deviation({head: fmean(means[head] for means in by_seed) for head in common}), FORMS[measure])
    if len(by_seed) < 2:
        return text
    ends = [format(end(fmean(means.values()) for means in by_seed), FORMS[measure]) for end in (min, max)]
    return f"{text} ({len(by_seed)} seeds: {' to '.join(ends)})"


def title_of(variant: str) -> str:
    """The name of a variant as the paper writes it."""
    return VARIANTS.get(variant, variant)


def _structure(measured: Measured, name: str) -> str:
    dice, distance = (measured.by_subject(measure, structure=name) for measure in FORMS)
    if not dice:
        return ABSENT
    text = format(fmean(dice.values()), FORMS["dice"])
    return f"{text} ({format(fmean(distance.values()), FORMS['hd95_mm'])})" if distance else text


def _variants(table: Table) -> list[str]:
    """The paper's four variants, then others."""
    return list(dict.fromkeys([*VARIANTS, *(variant for by_variant in table.values() for variant in by_variant)]))


def _cell(summary: tuple[float, float | None] | None, form: str) -> str:
    if summary is None:
        return ABSENT
    mean, deviation = summary
    return format(mean, form) if deviation is None else f"{mean:{form}} ± {deviation:{form}}"


def _number(value: float | None) -> str:
    return ABSENT if value is None else format(value, FORMS["dice"])


def _p(comparison: Comparison) -> str:
    return ABSENT if comparison.p is None else "< 0.001" if comparison.p < 0.001 else f"{comparison.p:.3f}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
