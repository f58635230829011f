"""Paired tests of the variants of an architecture: every network against none, and against scSE."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from scse_viz.training.evaluation import measures
from scse_viz.zoo.scores import REFERENCES, Comparison, NetworkResults
from scse_viz.zoo.seeds import families, of_common_seeds, over_seeds

MEASURES = ("dice", "hd95_mm")


def compare(measured: Mapping[str, NetworkResults], seeds: Sequence[NetworkResults] = ()) -> list[Comparison]:
    """Every network against none and against scSE of its architecture, by data set and measure.

    `measured` are the networks by name, `seeds` the same networks trained with others. Where both of a pair have
    several seeds, the means of each subject over the seeds that they have in common are compared. The pair of none and
    scSE is compared once.
    """
    of_family = families([*measured.values(), *seeds])
    comparisons = [
        comparison
        for network in measured.values()
        for reference in REFERENCES
        if reference != network.variant and network.variant != "none"
        for comparison in _against(network, reference, of_family[network.architecture, network.anatomy])
    ]

    def family(comparison: Comparison) -> tuple[str, str, str, str]:
        return measured[comparison.network].anatomy, comparison.data, comparison.measure, comparison.against

    tests = Counter(map(family, comparisons))
    return [replace(comparison, tests=tests[family(comparison)]) for comparison in comparisons]


def _against(
    network: NetworkResults, reference: str, by_variant: Mapping[str, Sequence[NetworkResults]]
) -> list[Comparison]:
    others = by_variant.get(reference, ())
    known = {data for other in others for data in other.data}
    return [
        _compared(network.name, *of_common_seeds(by_variant[network.variant], others, data), data, measure)
        for data in network.data
        if data in known
        for measure in MEASURES
    ]


def _compared(
    name: str, networks: Sequence[NetworkResults], others: Sequence[NetworkResults], data: str, measure: str
) -> Comparison:
    first, second = (over_seeds(seeds, data, measure).heads for seeds in (networks, others))
    differences = [first[subject] - second[subject] for subject in first if subject in second]
    better = [difference > 0 if measure == "dice" else difference < 0 for difference in differences]
    return Comparison(
        network=name,
        other=others[0].name,
        data=data,
        measure=measure,
        subjects=len(differences),
        better=sum(better),
        difference=round(fmean(differences), 5) if differences else 0.0,
        p=measures.paired_p(first, second),
        smallest_p=measures.smallest_p(len(differences)),
        tests=0,
        against=others[0].variant,
        seeds=len(networks),
    )
