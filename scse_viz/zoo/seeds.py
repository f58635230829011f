"""Networks trained with several seeds: means over seeds, their range, and the sign of a difference for each seed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from scse_viz.zoo.scores import NetworkResults, mean_and_deviation

Families = Mapping[tuple[str, str], Mapping[str, Sequence[NetworkResults]]]
"""(Architecture, anatomy) -> variant -> its networks, one a seed."""


@dataclass(frozen=True)
class OverSeeds:
    """A measure of networks that differ in their seed: `heads` is subject -> mean over seeds, `seeds` seed -> mean
    over subjects. Only subjects that were measured with every seed count."""

    heads: Mapping[str, float]
    seeds: Mapping[int | None, float]

    def spread(self, form: str) -> str:
        """Mean ± deviation over subjects; empty without subjects."""
        summary = mean_and_deviation(self.heads)
        if summary is None:
            return ""
        mean, deviation = summary
        return format(mean, form) if deviation is None else f"{mean:{form}} ± {deviation:{form}}"

    def range(self, form: str) -> str:
        """The least and the largest of the means of seeds; empty for one seed."""
        return f"{min(self.seeds.values()):{form}} to {max(self.seeds.values()):{form}}" if len(self.seeds) > 1 else ""

    def text(self, form: str) -> str:
        """Mean ± deviation over subjects, and with several seeds the range of their means."""
        several = self.range(form)
        return f"{self.spread(form)} ({len(self.seeds)} seeds: {several})" if several else self.spread(form)


def families(networks: Iterable[NetworkResults]) -> dict[tuple[str, str], dict[str, list[NetworkResults]]]:
    """The networks of every architecture and anatomy by variant, seeds in the order of `networks`."""
    by_family: dict[tuple[str, str], dict[str, list[NetworkResults]]] = {}
    for network in networks:
        by_variant = by_family.setdefault((network.architecture, network.anatomy), {})
        by_variant.setdefault(network.variant, []).append(network)
    return by_family


def over_seeds(networks: Sequence[NetworkResults], data: str, measure: str = "dice") -> OverSeeds:
    """A measure on one data set over networks that differ in their seed; those not measured on it are left out."""
    by_seed = {network.seed: network.data[data].by_subject(measure) for network in networks if data in network.data}
    first = next(iter(by_seed.values()), {})
    common = [subject for subject in first if all(subject in means for means in by_seed.values())]
    return OverSeeds(
        heads={subject: fmean(means[subject] for means in by_seed.values()) for subject in common},
        seeds={seed: fmean(means[subject] for subject in common) for seed, means in by_seed.items() if common},
    )


def of_common_seeds(
    first: Sequence[NetworkResults], second: Sequence[NetworkResults], data: str
) -> tuple[list[NetworkResults], list[NetworkResults]]:
    """Those of two variants whose seeds both have on a data set, in one order; the first of each where there are none.

    A difference of means over different seeds would also be one of seeds.
    """
    one, other = (
        {network.seed: network for network in networks if data in network.data} for networks in (first, second)
    )
    common = [seed for seed in one if seed in other]
    if common:
        return [one[seed] for seed in common], [other[seed] for seed in common]
    return list(one.values())[:1], list(other.values())[:1]


def differences(by_variant: Mapping[str, Sequence[NetworkResults]], data: str) -> dict[int | None, float]:
    """Seed -> mean Dice of scSE minus that of none, over subjects, for every seed that both have."""
    scse, none = (over_seeds(by_variant.get(variant, ()), data).seeds for variant in ("scse", "none"))
    return {seed: scse[seed] - none[seed] for seed in scse if seed in none}


def signs_in_words(by_seed: Mapping[int | None, float]) -> str:
    """`differences` in words; empty without any."""
    return ", ".join(f"{difference:+.3f} with seed {seed}" for seed, difference in by_seed.items())
