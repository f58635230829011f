"""Arrays -> panels: small pictures of numbers that the browser colours, with what their words need."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from scse_viz.analysis.gates import BlockGates
from scse_viz.rendering.colours import ATTENTION_SCALE, DIVERGING_SCALE
from scse_viz.rendering.pictures import Picture, eight_bit, picture

GATE_RANGE = (0.0, 1.0)
DIFFERENCE_RANGE = (-1.0, 1.0)
FLAT_WITHIN = 0.02
"""Gates this close to their mean have nearly the same colour on the scale of 0 to 1."""
FLAT_SHARE = 0.99
"""A gate is flat if at least this share of its pixels is close to its mean."""


@dataclass(frozen=True)
class MapKind:
    """A kind of map on one fixed scale: its title, the colour scale, and what its two ends are called.

    `word` precedes a value that is pointed at. Where `clear` is set, nothing is drawn over the slice at the low
    end.
    """

    title: str
    scale: str
    low: str
    high: str
    word: str
    clear: bool = False


MAP_KINDS = {
    "difference": MapKind("difference of gates", DIVERGING_SCALE, "−1", "+1", "difference"),
    "attention": MapKind("attention, × an even share", ATTENTION_SCALE, "0", "most of each map", "×"),
    "share": MapKind("networks that differ", "cyan", "none", "all but one", "share", clear=True),
    "changed": MapKind("changed pixels", "orange", "same", "changed", "", clear=True),
}
"""The kinds of `Panel` that need no case of their own: neither labels, nor gates, nor activations."""


@dataclass(frozen=True)
class Panel:
    """A cell of the comparison: a picture of numbers, or none, and what the browser needs to draw and to name it.

    `kind` is "labels", "gate", "activation", one of MAP_KINDS, or "none" (no map: `note` says why). `map_mm` is the
    size of a pixel of the map in mm (row, column), `span` the values of its pixels 0 and 255, `channels` the weights of
    the channel gate. `readings` names pixel numbers that are pointed at, where a value would not; `flat` says in words
    that a gate has one value nearly everywhere; `caption` replaces the usual one below the picture.
    """

    kind: str
    alt: str
    picture: Picture | None = None
    map_mm: tuple[float, float] | None = None
    span: tuple[float, float] | None = None
    mean: float | None = None
    channels: tuple[float, ...] | None = None
    note: str | None = None
    areas: Mapping[int, float] = field(default_factory=dict)
    readings: Mapping[int, str] | None = None
    caption: str | None = None
    flat: str | None = None


def intensity_range(voxels: np.ndarray) -> tuple[float, float]:
    """The intensities drawn black and white: minimum, and the 99.8th percentile of the whole scan."""
    low, high = float(voxels.min()), float(np.percentile(voxels, 99.8))
    return (low, high) if high > low else (low, float(voxels.max()))


def middle_of_head(voxels: np.ndarray, axis: int) -> int:
    """The index along an axis of (X, Y, Z) where the intensities above the average of the scan have their centre."""
    bright = np.where(voxels > voxels.mean(), voxels, 0)
    profile = bright.sum(axis=tuple(across for across in range(voxels.ndim) if across != axis), dtype=np.float64)
    if not profile.sum() > 0:
        return voxels.shape[axis] // 2
    return round(float(np.average(np.arange(len(profile)), weights=profile)))


def label_panel(labels: np.ndarray, names: Sequence[str], pixel_area: float, *, title: str) -> Panel:
    """Labels (H, W) of a slice as a panel; names: class number -> name; pixel_area in mm². Areas are in cm²."""
    counts = np.bincount(labels.ravel().astype(np.int64), minlength=len(names))
    areas = {number: float(count) * pixel_area / 100 for number, count in enumerate(counts) if count and number}
    largest = sorted(areas, key=lambda number: -areas[number])[:5]
    listed = ", ".join(f"{names[number]} {areas[number]:.1f} cm²" for number in largest) or "no structure"
    return Panel("labels", f"{title}: {listed}", picture=picture(labels), areas=areas)


def block_panel(gates: BlockGates, *, title: str) -> Panel:
    """What one network did at one block, as a panel."""
    spatial, channel, activation = gates.pixel_gate, gates.channel_gate, gates.activation
    if not gates.ran:
        text = f"{title}: never runs, no pass through the network reaches it"
        return Panel("none", text, note="never runs", caption="")
    weights = None if channel is None else tuple(round(float(weight), 4) for weight in channel)
    also = "" if channel is None else f"; {len(channel)} channel weights, mean {channel.mean():.2f}"
    if spatial is not None:
        mean, span = float(spatial.mean()), (float(spatial.min()), float(spatial.max()))
        flat = flat_words(spatial) if gates.full_gate is None else None  # a mean says nothing about each channel
        also = f"; {flat}{also}" if flat else also
        name = "spatial gate" if gates.full_gate is None else "full gate, mean over channels"
        text = f"{title}: {name}, mean {mean:.2f}, {span[0]:.2f} to {span[1]:.2f}{also}"
        numbers = picture(eight_bit(spatial, *span))  # all 256 numbers for its own range, which a browser may stretch
        note = "no channel weights" if channel is None else None
        return Panel("gate", text, numbers, gates.map_mm, span, mean, weights, note, flat=flat)
    if gates.attention is not None:
        return attention_panel(gates.attention, gates.map_mm, title=f"{title}: how much each pixel is looked at")
    if activation is not None:
        mean, span = float(activation.mean()), (0.0, _round_up(float(activation.max())))
        text = f"{title}: no gate; mean absolute activation {mean:.2g}, from 0 to {span[1]:.2g}, arbitrary units"
        return Panel("activation", text, picture(eight_bit(activation, *span)), gates.map_mm, span, mean)
    return Panel("none", f"{title}: no spatial gate{also}", channels=weights, note="no spatial gate")


def attention_panel(shares: np.ndarray, size_mm: tuple[float, float], *, title: str) -> Panel:
    """Attention (h, w) in multiples of an even share, of one pixel or of all, as a panel; size_mm: of its pixels."""
    most = float(shares.max())
    text = f"{title}, up to {most:.2f} times an even share"
    numbers = picture(eight_bit(shares, 0, most))
    return Panel("attention", text, numbers, size_mm, (0.0, most), float(shares.mean()), caption=f"up to × {most:.2f}")


def flat_words(gate: np.ndarray) -> str | None:
    """What a spatial gate (h, w) does where it is flat, in words; None for other gates."""
    mean = float(gate.mean())
    if np.mean(np.abs(gate - mean) < FLAT_WITHIN) < FLAT_SHARE:
        return None
    low, high = f"{gate.min():.2f}", f"{gate.max():.2f}"
    nearly = "" if low == high else "nearly "
    effect = f"scales all {nearly}alike"
    if mean > 1 - FLAT_WITHIN or mean < FLAT_WITHIN:
        effect = f"{'passes' if mean > 0.5 else 'blocks'} {nearly}everything"
    return f"{low} at every pixel: the gate {effect}" if low == high else f"flat, {low} to {high}: the gate {effect}"


def feature_panels(
    before: np.ndarray, after: np.ndarray, size_mm: tuple[float, float], *, title: str
) -> tuple[Panel, Panel]:
    """One channel's feature map (h, w) before and after a block, as two panels on one scale; size_mm: of its pixels."""
    span = (min(0.0, float(min(before.min(), after.min()))), _round_up(float(max(before.max(), after.max()))))
    panels = []
    for when, values in (("before", before), ("after", after)):
        mean, largest = float(values.mean()), float(values.max())
        text = f"{title}, {when} the block: mean {mean:.2g}, up to {largest:.2g}, arbitrary units"
        numbers = picture(eight_bit(values, *span))
        panels.append(Panel("activation", text, numbers, size_mm, span, mean))
    return panels[0], panels[1]


def difference_panel(difference: np.ndarray, size_mm: tuple[float, float], *, title: str) -> Panel:
    """One gate minus another (h, w), -1 to 1, as a panel; size_mm: of its pixels (row, column)."""
    mean = float(difference.mean())
    text = f"{title}: mean difference {mean:+.2f}, from {difference.min():+.2f} to {difference.max():+.2f}"
    numbers = picture(eight_bit(difference, *DIFFERENCE_RANGE))
    return Panel("difference", text, numbers, size_mm, DIFFERENCE_RANGE, mean, caption=f"mean {mean:+.2f}")


def disagreement_panel(differing: np.ndarray, networks: int, pixel_area: float) -> Panel:
    """How many of the networks differ from the most common prediction (H, W), as a panel; pixel_area in mm²."""
    area = float(np.count_nonzero(differing)) * pixel_area / 100
    most = max(networks - 1, 1)
    readings = {round(255 * count / most): f"{count} of {networks} differ" for count in range(1, networks)}
    return Panel(
        "share",
        f"Where the {networks} networks disagree: {area:.1f} cm²",
        picture(eight_bit(differing, 0, most)),
        readings={0: "all agree", **readings},
        caption=f"{area:.1f} cm² disputed" if networks > 1 else "one network only",
    )


def outvoted_panel(outvoted: np.ndarray, pixel_area: float, *, title: str) -> Panel:
    """Where a network's prediction is not the most common one (H, W) bool, as a panel; pixel_area in mm²."""
    area = float(np.count_nonzero(outvoted)) * pixel_area / 100
    return Panel(
        "share",
        f"{title}: differs from most networks on {area:.1f} cm²",
        picture(np.where(outvoted, 255, 0)),
        readings={0: "as the majority", 255: "differs from the majority"},
        caption=f"{area:.1f} cm² in the minority",
    )


def changed_panel(changed: np.ndarray, pixel_area: float) -> Panel:
    """Where a prediction changed (H, W) bool, as a panel; pixel_area in mm²."""
    count = int(np.count_nonzero(changed))
    area = count * pixel_area / 100
    return Panel(
        "changed",
        f"Changed pixels: {count:,} of {changed.size:,}, {area:.1f} cm²",
        picture(np.where(changed, 255, 0)),
        readings={0: "same", 255: "changed"},
        caption=f"{count:,} pixels changed",
    )


def _round_up(value: float) -> float:
    """Rounded up to two significant digits."""
    if not value > 0:
        return 1.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit) * unit
