"""Tables of results in Markdown: the paper's form, the tests, by plane, by structure, by seed."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from scse_viz.blocks import VARIANTS
from scse_viz.zoo.scores import FOUR, Comparison, Measured, NetworkResults, mean_and_deviation
from scse_viz.zoo.seeds import differences, families, signs_in_words
from scse_viz.zoo.titles import ARCHITECTURE_TITLES, variant_title

OF_PAPER = ("densenet", "sdnet", "unet")
ARCHITECTURES = {name: ARCHITECTURE_TITLES[name] for name in (*OF_PAPER, "smp-unet")}
ABSENT = "–"
DIGITS = {"dice": 3, "hd95_mm": 2}
FORMS = {measure: f".{digits}f" for measure, digits in DIGITS.items()}
Table = Mapping[str, Mapping[str, NetworkResults]]  # architecture -> variant -> results


def paper_form(table: Table, data: str, measure: str, of_paper: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """Architectures x the paper's variants, mean ± deviation, the best of a row in bold; below each the paper's row.

    The paper's architectures have a row in any case, others where they were measured.
    """
    rows = []
    for key, title in ARCHITECTURES.items():
        if key not in table and key not in OF_PAPER:
            continue
        cells = {
            variant: mean_and_deviation(network.data[data].by_subject(measure))
            for variant, network in table.get(key, {}).items()
            if variant in FOUR
        }
        shown = {variant: round(cell[0], DIGITS[measure]) for variant, cell in cells.items() if cell}
        best = (max if measure == "dice" else min)(shown.values(), default=None)
        row = []
        for variant in FOUR:
            text = _cell(cells.get(variant), FORMS[measure])
            row.append(f"**{text}**" if len(shown) > 1 and shown.get(variant) == best else text)
        rows.append([title, *row])
        if of_paper and key in of_paper:
            rows.append(quoted(key, title, of_paper))
    return markdown(["", *map(variant_title, FOUR)], rows)


def relatives_form(table: Table, data: str) -> str:
    """Variants that are none of the paper's four, one a row, below none and scSE; empty where there is no such variant.

    Mean ± deviation of Dice and HD95, and the parameters that the blocks add.
    """
    rows = []
    for key, title in ARCHITECTURES.items():
        by_variant = table.get(key, {})
        if set(by_variant) <= set(FOUR):
            continue
        for variant in sorted(by_variant.keys() - {"cse", "sse"}, key=list(VARIANTS).index):
            network = by_variant[variant]
            cells = [
                _cell(mean_and_deviation(network.data[data].by_subject(measure)), FORMS[measure]) for measure in FORMS
            ]
            rows.append([f"{title}, {variant_title(variant)}", *cells, f"{network.parameters_added:+.2f} %"])
    return markdown(["", "Dice", "HD95, mm", "parameters added"], rows) if rows else ""


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
        f"{' and '.join(variant_title(name) for name, mean in row.items() if mean == max(row.values()))} in {title}"
        for title, row in means.items()
        if len(row) > 1
    ]
    pairs = [row for row in means.values() if {"none", "scse"} <= set(row)]
    above = sum(row["scse"] > row["none"] for row in pairs)
    said = [f"Best mean: {', '.join(best)}."] if best else []
    return " ".join([*said, *([f"scSE exceeds none in {above} of {len(pairs)} architectures."] if pairs else [])])


def differences_in_words(compared: Sequence[Comparison]) -> str:
    """The comparisons whose difference in Dice is significant, for each reference; empty without comparisons."""
    if compared and not any(comparison.can_show for comparison in compared):
        most = max(comparison.subjects for comparison in compared)
        return f"{'One subject is' if most == 1 else f'{most} subjects are'} too few to show a difference."
    return " ".join(
        _against_in_words([comparison for comparison in compared if comparison.against == reference], reference)
        for reference in dict.fromkeys(comparison.against for comparison in compared)
    )


def _against_in_words(compared: Sequence[Comparison], reference: str) -> str:
    of_dice = [comparison for comparison in compared if comparison.measure == "dice"]
    shown = [f"`{comparison.network}` {verdict(comparison)}" for comparison in of_dice if comparison.significant]
    title = variant_title(reference)
    return f"The difference to {title} is significant in {len(shown)} of {len(of_dice)} comparisons" + (
        f": {', '.join(shown)}." if shown else "."
    )


def tested(compared: Sequence[Comparison]) -> str:
    """A table for each reference: difference, number of subjects in which better, p, and a verdict."""
    references = dict.fromkeys(comparison.against for comparison in compared)
    return "\n\n".join(
        _tested_against([comparison for comparison in compared if comparison.against == reference], reference)
        for reference in references
    )


def _tested_against(compared: Sequence[Comparison], reference: str) -> str:
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
                str(dice.seeds),
            ]
        )
    head = [f"against `{reference}`", "Dice", "better in", "p", "HD95, mm", "p", "Dice, verdict", "seeds"]
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


def structures_section(title: str, by_variant: Mapping[str, NetworkResults], data: str) -> str:
    """Dice and HD95 of each structure, mean over subjects and planes, in a section that is folded."""
    if not by_variant:
        return ""
    by_name = {variant: network.data[data] for variant, network in by_variant.items()}
    names = dict.fromkeys(name for measured in by_name.values() for name in measured.structures)
    rows = [[name, *(_structure(measured, name) for measured in by_name.values())] for name in names]
    table = markdown(["", *map(variant_title, by_name)], rows)
    return f"<details><summary>{title}: Dice (HD95 in mm) by structure</summary>\n\n{table}\n</details>"


def seed_table(networks: Sequence[NetworkResults], data: str) -> str:
    """Dice of one architecture trained with several seeds: seeds x variants, their mean and range."""
    by_seed: dict[int | None, dict[str, float]] = {}
    for network in networks:
        by_seed.setdefault(network.seed, {})[network.variant] = fmean(network.data[data].by_subject().values())
    variants = list(dict.fromkeys([*FOUR, *(network.variant for network in networks)]))
    columns = {variant: [row[variant] for row in by_seed.values() if variant in row] for variant in variants}
    several = {variant: column for variant, column in columns.items() if len(column) > 1}
    means = {variant: fmean(column) for variant, column in several.items()}
    spread = {variant: max(column) - min(column) for variant, column in several.items()}
    rows = [
        *((str(seed), row) for seed, row in by_seed.items()),
        ("**mean**", means),
        ("range", spread),
    ]
    cells = [[title, *(_number(row.get(variant)) for variant in variants)] for title, row in rows]
    signs = signs_in_words(differences(families(networks).popitem()[1], data))
    once = [variant_title(variant) for variant, column in columns.items() if len(column) == 1]
    words = [
        _seed_words(means, spread),
        f"scSE minus none: {signs}." if signs else "",
        f"One seed alone so far: {'; '.join(once)}." if once and several else "",
    ]
    return markdown(["seed", *map(variant_title, variants)], cells) + "\n\n" + " ".join(filter(None, words))


def _seed_words(means: Mapping[str, float], spread: Mapping[str, float]) -> str:
    if len(means) < 2 or not spread:
        return ""
    best, worst = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    difference = means[best] - means[worst]
    largest = max(spread.values())
    return (
        f"The seed alone changes Dice by up to {largest:.3f}; the means over seeds of {variant_title(best)} and "
        f"{variant_title(worst)} differ by {'more' if difference > largest else 'no more'}, {difference:.3f}."
    )


def _structure(measured: Measured, name: str) -> str:
    dice, distance = (measured.by_subject(measure, structure=name) for measure in FORMS)
    if not dice:
        return ABSENT
    text = format(fmean(dice.values()), FORMS["dice"])
    return f"{text} ({format(fmean(distance.values()), FORMS['hd95_mm'])})" if distance else text


def _cell(summary: tuple[float, float | None] | None, form: str) -> str:
    if summary is None:
        return ABSENT
    mean, deviation = summary
    return format(mean, form) if deviation is None else f"{mean:{form}} ± {deviation:{form}}"


def _number(value: float | None) -> str:
    return ABSENT if value is None else format(value, FORMS["dice"])


def _p(comparison: Comparison) -> str:
    return ABSENT if comparison.p is None else "< 0.001" if comparison.p < 0.001 else f"{comparison.p:.3f}"


def quoted(architecture: str, title: str, of_paper: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The row of the paper's figures for an architecture."""
    known = of_paper[architecture]
    return [f"*paper: {title}*", *(f"*{known[variant]:.3f}*" if variant in known else ABSENT for variant in FOUR)]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a head."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
