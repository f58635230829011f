"""Arrays -> small coloured PNGs, for diagrams that a page writes as HTML."""

import io

import numpy as np
from PIL import Image

from scse_viz.rendering.panels import colour_scale, eight_bit


def coloured_png(values: np.ndarray, span: tuple[float, float], scale: str) -> bytes:
    """Values (h, w) -> a PNG of as many pixels by a colour scale of `pictures`, whose two ends are `span`."""
    picture = Image.fromarray(eight_bit(values, *span)).convert("P")
    picture.putpalette(colour_scale(scale).tobytes())
    stream = io.BytesIO()
    picture.save(stream, format="png", optimize=False)
    return stream.getvalue()


def bars_png(weights: np.ndarray, height: int, colour: str) -> bytes:
    """Weights (C,) of 0 to 1 -> a PNG of `height` rows with a bar for each, two pixels wide and one apart, on nothing.

    colour: as `#rrggbb`.
    """
    tops = np.round(np.asarray(weights).clip(0, 1) * height)
    full = np.arange(height, 0, -1)[:, None] <= tops[None]  # (height, C)
    bars = np.repeat(full, 3, axis=1)
    bars[:, 2::3] = False
    pixels = np.zeros((*bars.shape, 4), dtype=np.uint8)
    pixels[bars] = (*bytes.fromhex(colour.removeprefix("#")), 255)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="png")
    return stream.getvalue()


def robust_span(maps: np.ndarray, percent: float = 99.5) -> tuple[float, float]:
    """The ends of one scale for maps: 0, or a low percentile where it is below 0, and a high one, which is above it.

    Percentiles, and not extremes: one wild pixel would darken all others.
    """
    low, high = (float(each) for each in np.percentile(maps, (100 - percent, percent)))
    low = min(0.0, low)
    return low, high if high > low else low + 1


def gradient(scale: str, steps: int = 9) -> str:
    """A colour scale as CSS, left to right."""
    colours = colour_scale(scale)[np.linspace(0, 255, steps).round().astype(int)]
    return f"linear-gradient(to right, {', '.join('#' + colour.tobytes().hex() for colour in colours)})"
