"""The colours of all pictures and figures: the palette, the colour scales, and what text is legible on them."""

from collections.abc import Iterable, Sequence
from itertools import cycle

import numpy as np
import plotly.colors
from PIL import ImageColor

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999")
"""Okabe and Ito's palette: readers with any kind of colour blindness can tell its colours apart."""
VARIANT_COLOURS = (
    *COLOURS[:6],
    *("#b4b4a5", "#f0d200", "#961e4b", "#8700ff", "#a5e1a5", "#9678ff", "#3c3cc3", "#69e1ff"),
)
"""One for every variant; those added to Okabe and Ito's are also distinct for protanopes, deuteranopes and
tritanopes."""
GATE_SCALES = ("viridis", "cividis", "magma", "gray")
"""Colour scales for gates; lightness rises steadily in each, so they can be read without telling hues apart."""
ACTIVATION_SCALE = "copper"
"""Activations have a scale of their own: they are not gates and must not look like them."""
ATTENTION_SCALE = "rose"
"""For attention received by pixels, in multiples of a uniform share."""
DIVERGING_SCALE = "blue-red"
"""For signed numbers: white at the middle, darker to either side."""
_STOPS = {
    "viridis": plotly.colors.sequential.Viridis,
    "cividis": plotly.colors.sequential.Cividis,
    "magma": plotly.colors.sequential.Magma,
    "gray": ("#000000", "#ffffff"),
    "copper": ("#000000", "#a0643f", "#ffc77f"),
    "blue-red": ("#053061", "#2f79b5", "#a7d0e4", "#f7f7f7", "#f9bfa3", "#ce4f45", "#67001f"),  # ColorBrewer's RdBu
    "rose": ("#2a0a2e", "#b3368f", "#ffd3ee"),
    "cyan": ("#0b4a6f", "#0fa3c8", "#6ef7ff"),
    "orange": ("#7a2f00", "#ff8c1a"),
}
_STEPS = 256
_LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Of red, green and blue in linear light."""


def variant_colours(variants: Sequence[str]) -> dict[str, str]:
    """A colour for every variant, the same whichever of them are shown."""
    return dict(zip(variants, cycle(VARIANT_COLOURS), strict=False))


def rgb(colours: Iterable[str]) -> np.ndarray:
    """Colours such as `#0072b2` -> (N, 3) uint8."""
    return np.array([ImageColor.getrgb(colour) for colour in colours], dtype=np.uint8)


def to_hex(colour: np.ndarray) -> str:
    """Red, green and blue (3,) of 0 to 255 -> `#rrggbb`."""
    return "#" + np.asarray(colour).round().astype(np.uint8).tobytes().hex()


def colour_scale(name: str) -> np.ndarray:
    """A colour scale by name -> (256, 3) uint8."""
    stops = rgb(_STOPS[name])
    positions = np.linspace(0, len(stops) - 1, _STEPS)
    columns = [np.interp(positions, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    return np.stack(columns, axis=1).round().astype(np.uint8)


def scale_stops(name: str, count: int = 33) -> list[tuple[float, str]]:
    """A colour scale by name -> `count` of its colours with their positions, 0 to 1: what Plotly and CSS take."""
    indices = np.linspace(0, _STEPS - 1, count).round().astype(int)
    return [(int(index) / (_STEPS - 1), to_hex(colour_scale(name)[index])) for index in indices]


def black_is_legible(cells: np.ndarray) -> np.ndarray:
    """Where black stands out from a colour more than white does: (..., 3) uint8 -> (...) bool.

    Luminance and its threshold are those of WCAG 2.1: the better of the two has a contrast of at least 4.5 to 1.
    """
    shares = cells / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return linear @ np.array(_LUMINANCE) > 0.179
