"""Networks on the test heads of the paper's own data: by training, over seeds, beside the paper, against our aims."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from scse_viz.training.evaluation.markdown import ABSENT, ARCHITECTURES, FORMS, markdown, quoted
from scse_viz.zoo.scores import FOUR, MALC, NOT_COUNTED, NetworkResults
from scse_viz.zoo.seeds import differences, families, over_seeds, signs_in_words
from scse_viz.zoo.titles import variant_title

AIM_BEST, AIM_SCSE, AIM_STRUCTURE = 0.88, 0.86, 0.70
"""Mean Dice that was aimed at for the best network and for every one with scSE, and for any structure of theirs."""


def dice_and_distance(
    networks: Sequence[NetworkResults],
    measure: str,
    trained_on: Mapping[str, str],
    of_paper: Mapping[str, Mapping[str, float]],
) -> str:
    """Architectures and what they were trained on x variants on the paper's heads, below each architecture the paper's.

    trained_on: anatomy -> words. Networks of one row and variant are seeds: their mean, and the range of their means.
    """
    of_family = families(networks)
    rows = []
    for key, title in ARCHITECTURES.items():
        for anatomy, words in trained_on.items():
            by_variant = of_family.get((key, anatomy))
            if by_variant:
                means = [over_seeds(by_variant.get(variant, ()), MALC, measure) for variant in FOUR]
                rows.append([f"{title}, {words}", *(mean.text(FORMS[measure]) or ABSENT for mean in means)])
        if key in of_paper and any(architecture == key for architecture, _ in of_family):
            rows.append(quoted(key, title, of_paper))
    return markdown(["", *map(variant_title, FOUR)], rows)


def signs(networks: Sequence[NetworkResults], trained_on: Mapping[str, str]) -> str:
    """scSE minus none on the paper's heads for every seed, by architecture and what the networks were trained on."""
    of_family = families(networks)
    lines = [
        f"- {title}, {words}: {said}"
        for key, title in ARCHITECTURES.items()
        for anatomy, words in trained_on.items()
        if (said := signs_in_words(differences(of_family.get((key, anatomy), {}), MALC)))
    ]
    return "\n".join(lines)


def aims(networks: Sequence[NetworkResults], anatomy: str) -> str:
    """What the networks of an anatomy reach of what was aimed at, means over seeds; empty where none was measured."""
    measured = [network for network in networks if network.anatomy == anatomy and MALC in network.data]
    means = {
        (architecture, variant): fmean(over_seeds(of_seeds, MALC).heads.values())
        for (architecture, _), by_variant in families(measured).items()
        for variant, of_seeds in by_variant.items()
    }
    if not means:
        return ""
    scse = [mean for (_, variant), mean in means.items() if variant == "scse"]
    lowest, structure, name = min(
        (fmean(values.values()), structure, network.name)
        for network in measured
        for structure in network.data[MALC].structures
        if structure != NOT_COUNTED and (values := network.data[MALC].by_subject(structure=structure))
    )
    said = [
        f"at least {AIM_BEST:.2f} for the best network ({_reached(max(means.values()), AIM_BEST)})",
        *([f"{AIM_SCSE:.2f} for every one with scSE ({_reached(min(scse), AIM_SCSE)})"] if scse else []),
        f"no structure under {AIM_STRUCTURE:.2f} ({_reached(lowest, AIM_STRUCTURE)}: {structure} of `{name}`)",
    ]
    return f"Aimed at, before they were measured: a mean Dice of {', '.join(said)}."


def _reached(value: float, aim: float) -> str:
    return f"{'reached' if value >= aim else 'missed'}, {value:.3f}"
