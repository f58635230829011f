"""Preprocessing: how a slice of a scan becomes the input of a network, and what its output means."""

import math
from dataclasses import dataclass

SCALINGS = ("window", "z-score", "8-bit", "none")
"""The first step on intensities; see `Preprocessing`."""
FITS = ("resize", "tile")
HEADS = ("softmax", "sigmoid")
"""One class per pixel, among all outputs; or yes or no for each output, and background where all are no."""
MOST_CHANNELS = 64
LARGEST_SIDE = 4096
"""Pixels a side of the input of a network of fixed size."""


def channel_names(text: str) -> tuple[str, ...]:
    """Names of channels as typed, "T1, T2, FLAIR"."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


@dataclass(frozen=True)
class Window:
    """Input normalisation: two percentiles of the whole scan become 0 and 1, and values end at 0 and `maximum`."""

    low: float = 0.5
    high: float = 99.5
    maximum: float = 1.5


WINDOW = Window()


@dataclass(frozen=True)
class Preprocessing:
    """How a slice becomes the input of a network.

    `in_channels` are filled by one slice, repeated, unless `channels` names them: then each is a scan of its own.
    `pixel_mm` is the pixel size to resample to; None leaves the pixels as they are.
    `scaling` "window" maps two percentiles of the whole scan to 0 and 1 (`window`); "z-score" subtracts the scan's mean
    and divides by its standard deviation; "8-bit" divides by 255; "none" changes nothing. Then `mean` is subtracted and
    the result divided by `std`, one a channel, where they are given.
    Rows and columns are padded at the bottom and right, by replication, to a multiple of `multiple`. A network of fixed
    `size` (rows, columns) gets slices resized to it ("resize"), or cut into tiles of it that overlap by the share
    `overlap` ("tile"), whose results are blended.
    Raises ValueError for values that no network can have.
    """

    in_channels: int = 1
    channels: tuple[str, ...] = ()
    pixel_mm: float | None = None
    scaling: str = SCALINGS[0]
    window: Window = WINDOW
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    multiple: int = 1
    size: tuple[int, int] | None = None
    fit: str = FITS[0]
    overlap: float = 0.25

    def __post_init__(self) -> None:
        counts = (0, self.in_channels)
        checks = {
            f"in_channels {self.in_channels} is not 1 to {MOST_CHANNELS}": 1 <= self.in_channels <= MOST_CHANNELS,
            f"{len(self.channels)} channels are named and in_channels is {self.in_channels}": (
                len(self.channels) in counts
            ),
            f"scaling {self.scaling!r} is not one of {', '.join(SCALINGS)}": self.scaling in SCALINGS,
            f"fit {self.fit!r} is not one of {', '.join(FITS)}": self.fit in FITS,
            "pixel_mm must be a length": self.pixel_mm is None or 0 < self.pixel_mm < math.inf,
            "window must be two rising percentiles and a maximum": (
                0 <= self.window.low < self.window.high <= 100 and 0 < self.window.maximum < math.inf
            ),
            f"mean and std need a number for each of the {self.in_channels} channels": (
                len(self.mean) in counts and len(self.mean) == len(self.std)
            ),
            "mean must be finite and std above 0": (
                all(map(math.isfinite, self.mean)) and all(0 < deviation < math.inf for deviation in self.std)
            ),
            "overlap must be 0 to 0.9": 0 <= self.overlap <= 0.9,
            f"size and multiple must be 1 to {LARGEST_SIDE} pixels": all(
                1 <= side <= LARGEST_SIDE for side in (self.multiple, *(self.size or ()))
            ),
        }
        for sentence, holds in checks.items():
            if not holds:
                raise ValueError(sentence)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is done, in words for users."""
        return tuple(filter(None, (self._channels(), self._scaling(), self._size())))

    def _channels(self) -> str:
        if self.channels:
            return f"Each of the {self.in_channels} channels is a scan: {', '.join(self.channels)}."
        if self.in_channels > 1:
            return f"One gray slice fills all {self.in_channels} channels: it is repeated {self.in_channels} times."
        return ""

    def _scaling(self) -> str:
        said = {
            "window": f"Percentiles {self.window.low:g} and {self.window.high:g} of the scan become 0 and 1.",
            "z-score": "The scan's mean becomes 0, its standard deviation 1.",
            "8-bit": "Intensities are divided by 255.",
            "none": "Intensities are left as they are.",
        }[self.scaling]
        if self.mean:
            mean, std = (", ".join(f"{number:.3g}" for number in numbers) for numbers in (self.mean, self.std))
            said += f" Then {mean} is subtracted, and the result divided by {std}."
        return said

    def _size(self) -> str:
        parts = [] if self.pixel_mm is None else [f"Pixels are resampled to {self.pixel_mm:g} mm."]
        if self.size is not None:
            rows, columns = self.size
            parts.append(
                f"Slices are resized to {rows} × {columns} pixels."
                if self.fit == "resize"
                else f"Slices are cut into tiles of {rows} × {columns} pixels that overlap by {self.overlap:.0%}, and "
                "their results blended; a channel gate is the mean over tiles."
            )
        return " ".join(parts)
