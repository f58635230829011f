"""Gate health: does a gate attend to the image, or is it a constant, a switch, or dead?

A gate is examined on many slices of one or more scans. What it does on a single slice is `observe`d, which keeps a few
numbers of a map and all weights of a channel gate; `diagnose` joins the observations and gives a verdict.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from scse_viz.analysis.gates import EDGE

CONSTANT = 0.01
"""A smaller spread counts as none: the colours of a map, or the weights of a channel, differ by less than the eye can
tell."""
MOSTLY = 0.9
"""A gate with this share of saturated values is a switch."""


class Verdict(IntEnum):
    """Verdicts on a gate, the worst first; tables are sorted by them."""

    NEVER_RAN = 0
    NO_EFFECT = 1
    CONSTANT = 2
    FIXED = 3
    SATURATED = 4
    ACTIVE = 5


@dataclass(frozen=True, eq=False)
class Observation:
    """One gate on one slice; everything in 0 to 1, the entropy in bits of one decision.

    `spread` is the standard deviation over pixels or channels, `saturation` the share within 0.05 of 0 or 1, `entropy`
    the mean of -g log2 g - (1 - g) log2(1 - g): 1 for a gate of 0.5, 0 for one that is shut or open. `weights` (C,) are
    those of a channel gate, None for a map.
    """

    mean: float
    spread: float
    saturation: float
    entropy: float
    weights: np.ndarray | None = None


@dataclass(frozen=True)
class AblationEffect:
    """The effect of switching this gate off alone, as means over slices: share of pixels that change class, Dice lost.

    `dice_lost` is nan without labels, and below 0 where the prediction is closer to them without the gate.
    """

    changed: float
    dice_lost: float = float("nan")


@dataclass(frozen=True)
class Diagnosis:
    """A gate over all slices: means of its observations, its spreads, and the verdict in one sentence.

    `spread_within` is over pixels or channels of a slice, `spread_slices` over the slices of a scan (of a map its mean,
    of a channel gate each channel's weight), `spread_scans` over the means of scans, nan for a single scan. `shut` is
    the share of channels whose mean weight is at most 0.05, None for a map.
    """

    slices: int
    mean: float
    spread_within: float
    spread_slices: float
    spread_scans: float
    saturation: float
    entropy: float
    shut: float | None
    effect: AblationEffect | None
    verdict: Verdict
    sentence: str


def observe(gate: np.ndarray) -> Observation:
    """A channel gate (C,) or a spatial gate (h, w), in 0 to 1 -> what `diagnose` needs of it."""
    values = np.asarray(gate, dtype=np.float64)
    return Observation(
        mean=float(values.mean()),
        spread=float(values.std()),
        saturation=float(((values <= EDGE) | (values >= 1 - EDGE)).mean()),
        entropy=float(_bits(values).mean()),
        weights=np.asarray(gate, dtype=np.float32) if values.ndim == 1 else None,
    )


def diagnose(observations: Mapping[str, Sequence[Observation]], effect: AblationEffect | None = None) -> Diagnosis:
    """The observations of one gate by scan -> its diagnosis; a gate that was never observed did not run.

    Raises ValueError where maps and channel gates are mixed.
    """
    scans = [list(seen) for seen in observations.values() if seen]
    every = [observation for seen in scans for observation in seen]
    if not every:
        nan = float("nan")
        return Diagnosis(0, nan, nan, nan, nan, nan, nan, None, effect, *_verdict_of_none())
    if len({observation.weights is None for observation in every}) > 1:
        raise ValueError("observations of a map and of a channel gate; diagnose one gate at a time")
    within = _mean(observation.spread for observation in every)
    slices = _mean(_spread_of_slices(seen) for seen in scans)
    between = (
        float(np.std([_mean(observation.mean for observation in seen) for seen in scans]))
        if len(scans) > 1
        else float("nan")
    )
    weights = [observation.weights for observation in every if observation.weights is not None]  # N of (C,), or none
    shut = float((np.mean(weights, axis=0) <= EDGE).mean()) if weights else None
    saturation, mean = (
        _mean(observation.saturation for observation in every),
        _mean(observation.mean for observation in every),
    )
    moving = max(slices, 0.0 if np.isnan(between) else between)
    verdict = verdict_of(within, moving, saturation, effect, channels=bool(weights))
    return Diagnosis(
        slices=len(every),
        mean=mean,
        spread_within=within,
        spread_slices=slices,
        spread_scans=between,
        saturation=saturation,
        entropy=_mean(observation.entropy for observation in every),
        shut=shut,
        effect=effect,
        verdict=verdict,
        sentence=_sentence(verdict, mean, saturation, channels=bool(weights)),
    )


def verdict_of(
    within: float, moving: float, saturation: float, effect: AblationEffect | None = None, *, channels: bool = False
) -> Verdict:
    """The verdict on a gate that ran: its spread within slices and over them, 0 to 1, and its saturated share."""
    if effect is not None and effect.changed == 0:
        return Verdict.NO_EFFECT
    if within < CONSTANT and moving < CONSTANT:
        return Verdict.CONSTANT
    if channels and moving < CONSTANT:
        return Verdict.FIXED
    return Verdict.SATURATED if saturation >= MOSTLY else Verdict.ACTIVE


def _spread_of_slices(seen: Sequence[Observation]) -> float:
    """Standard deviation over the slices of a scan: of a map's mean, of a channel gate's weights channel by channel."""
    if seen[0].weights is None:
        return float(np.std([observation.mean for observation in seen]))
    return float(
        np.stack([observation.weights for observation in seen if observation.weights is not None]).std(axis=0).mean()
    )


def _sentence(verdict: Verdict, mean: float, saturation: float, *, channels: bool) -> str:
    where = "channel" if channels else "pixel"
    return {
        Verdict.NO_EFFECT: "switching it off changes no pixel of the prediction",
        Verdict.CONSTANT: f"the same {mean:.2f} at every {where} of every slice: a scale, not attention",
        Verdict.FIXED: "each channel has its own weight, the same on every slice: rescaled filters, not attention",
        Verdict.SATURATED: f"{saturation:.0%} of its values are within {EDGE} of 0 or 1: a switch",
        Verdict.ACTIVE: f"it varies with the image, about a mean of {mean:.2f}",
    }[verdict]


def _verdict_of_none() -> tuple[Verdict, str]:
    return Verdict.NEVER_RAN, "it never ran: no pass through the network reached it"


def _bits(values: np.ndarray) -> np.ndarray:
    """-g log2 g - (1 - g) log2(1 - g), 0 at the ends."""
    inside = np.clip(values, 1e-12, 1 - 1e-12)
    return -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
