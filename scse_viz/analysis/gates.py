"""The gates of blocks: how open they are, what they leave of the features, and their values at one pixel."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

HALF = 0.5
"""Gates above it let more than half pass."""
GATE_KINDS = ("channel_gate", "spatial_gate", "full_gate")
ARRAY_KINDS = (*GATE_KINDS, "attention", "activation")
"""All that is kept of a block: gates, and what replaces one."""
EDGE = 0.05
"""A gate within this distance of 0 or 1 is saturated: its sigmoid barely responds to its input."""


@dataclass(frozen=True, eq=False)
class BlockGates:
    """What one block multiplied the features of one image by, as arrays; None for a gate that it lacks.

    `channel_gate` (C,) and `spatial_gate` (h, w) in 0 to 1; a `full_gate` (C, h, w) differs by channel and by pixel.
    `attention` (h, w) tells how much each pixel of a non-local block is looked at, 1 on average. A block without any
    has `activation` (h, w), the mean over channels of the absolute value of what leaves it. `map_mm` is the size of a
    pixel of its map (row, column). A block that no pass reaches, `ran` false, is empty.
    """

    channel_gate: np.ndarray | None = None
    spatial_gate: np.ndarray | None = None
    activation: np.ndarray | None = None
    map_mm: tuple[float, float] = (1.0, 1.0)
    full_gate: np.ndarray | None = None
    ran: bool = True
    attention: np.ndarray | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the gates that it has, of GATE_KINDS."""
        return tuple(kind for kind in GATE_KINDS if getattr(self, kind) is not None)

    @property
    def changeable(self) -> tuple[str, ...]:
        """The names of what an intervention can change: its gates, or the attention of a non-local block."""
        return self.kinds if self.attention is None else (*self.kinds, "attention")

    @property
    def map(self) -> np.ndarray | None:
        """What is drawn over the image (h, w): its gate by pixel, else what replaces one."""
        maps = (self.pixel_gate, self.attention, self.activation)
        return next((drawn for drawn in maps if drawn is not None), None)

    @property
    def map_name(self) -> str:
        """What `map` is, in words; empty where there is none."""
        named = (
            ("spatial gate", self.spatial_gate),
            ("full gate, mean over channels", self.full_gate),
            ("attention, in even shares", self.attention),
            ("mean activation", self.activation),
        )
        return next((name for name, array in named if array is not None), "")

    @property
    def pixel_gate(self) -> np.ndarray | None:
        """The gate of every pixel (h, w): the spatial gate, or the mean over channels of a full one."""
        if self.spatial_gate is not None or self.full_gate is None:
            return self.spatial_gate
        return self.full_gate.mean(axis=-3)


def named_arrays(gates: Mapping[str, BlockGates]) -> dict[str, np.ndarray]:
    """Gates by block -> arrays as files name them: `encoder1/channel_gate`, `encoder1/spatial_gate`, ..."""
    return {
        f"{block}/{kind}": array
        for block, of_block in gates.items()
        for kind in ARRAY_KINDS
        if (array := getattr(of_block, kind)) is not None
    }


@dataclass(frozen=True)
class Openness:
    """A gate as numbers in 0 to 1: its mean, and the shares of its elements that are above 0.5, closed and open.

    Closed are those up to 0.05 and open those from 0.95; both are saturated.
    """

    mean: float
    above_half: float
    closed: float
    open: float

    @property
    def saturated(self) -> float:
        """The share within 0.05 of 0 or of 1."""
        return self.closed + self.open


@dataclass(frozen=True)
class Recalibration:
    """The mean magnitude of features, mean |u|, that enter and leave a block."""

    before: float
    after: float

    @property
    def ratio(self) -> float:
        """After over before; nan where nothing entered."""
        return self.after / self.before if self.before else float("nan")


def openness(gate: np.ndarray) -> Openness:
    """A gate of any shape, in 0 to 1 -> how open it is."""
    values = np.asarray(gate, dtype=np.float64)
    return Openness(
        mean=float(values.mean()),
        above_half=float((values > HALF).mean()),
        closed=float((values <= EDGE).mean()),
        open=float((values >= 1 - EDGE).mean()),
    )


def recalibration(before: np.ndarray, after: np.ndarray) -> Recalibration:
    """Features (C, h, w) that enter and leave a block -> their mean magnitudes."""
    return Recalibration(*(float(np.abs(features).mean(dtype=np.float64)) for features in (before, after)))


def mean_factors(gates: Mapping[str, BlockGates]) -> dict[str, float]:
    """The mean factor of every block with a gate: cSE mean(c), sSE mean(s), scSE mean(c + s) = mean(c) + mean(s).

    For blocks that add their halves or have only one; 1 where both gates of scSE are at 0.5.
    """
    return {
        block: sum(float(getattr(of_block, kind).mean()) for kind in of_block.kinds)
        for block, of_block in gates.items()
        if of_block.kinds
    }


def channel_share(before: np.ndarray, channel_gate: np.ndarray, spatial_gate: np.ndarray) -> float:
    """The share of the channel half in u c + u s: mean |u c| / (mean |u c| + mean |u s|); the rest is the spatial
    half's.

    u: before (C, h, w), c: channel_gate (C,), s: spatial_gate (h, w). nan where both are 0.
    """
    magnitude = np.abs(before)
    by_channel = float((magnitude.mean(axis=(1, 2), dtype=np.float64) * channel_gate).mean())
    by_space = float((magnitude.mean(axis=0, dtype=np.float64) * spatial_gate).mean())
    total = by_channel + by_space
    return by_channel / total if total else float("nan")


def least_sure(confidence: np.ndarray) -> tuple[int, int]:
    """Confidence (H, W) -> row and column of its smallest value, the first of several."""
    row, column = np.unravel_index(int(np.argmin(confidence)), confidence.shape)
    return int(row), int(column)


def values_at(
    maps: Mapping[str, np.ndarray], sizes_mm: Mapping[str, tuple[float, float]], point_mm: tuple[float, float]
) -> dict[str, float]:
    """Maps (h, w) over one slice -> the value of each map at one point.

    sizes_mm: name -> size of a pixel of the map (row, column); point_mm: down and right of the slice's top left corner.
    Raises IndexError for a point that a map does not cover.
    """
    values = {}
    for name, pixels in maps.items():
        row, column = (int(distance // size) for distance, size in zip(point_mm, sizes_mm[name], strict=True))
        if not (0 <= row < pixels.shape[0] and 0 <= column < pixels.shape[1]):
            raise IndexError(f"{name}: no pixel at ({point_mm[0]:g}, {point_mm[1]:g}) mm of its {pixels.shape}")
        values[name] = float(pixels[row, column])
    return values
