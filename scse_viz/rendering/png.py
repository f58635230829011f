"""Arrays -> small PNGs, for diagrams that a page writes as HTML."""

import io

import numpy as np
from PIL import Image

from scse_viz.rendering.colours import colour_scale, rgb, scale_stops
from scse_viz.rendering.pictures import eight_bit


def gray_png(pixels: np.ndarray) -> bytes:
    """(H, W) uint8 -> a PNG of as many gray pixels."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="png")
    return stream.getvalue()


def coloured_png(values: np.ndarray, span: tuple[float, float], scale: str) -> bytes:
    """Values (h, w) -> a PNG of as many pixels by a colour scale, whose two ends are `span`."""
    picture = Image.fromarray(eight_bit(values, *span)).convert("P")
    picture.putpalette(colour_scale(scale).tobytes())
    stream = io.BytesIO()
    picture.save(stream, format="png", optimize=False)
    return stream.getvalue()


def bars_png(weights: np.ndarray, height: int, colour: str) -> bytes:
    """Weights (C,) of 0 to 1 -> a PNG of `height` rows with bars two pixels wide and one apart, on transparent ground.

    colour: as `#rrggbb`.
    """
    tops = np.round(np.asarray(weights).clip(0, 1) * height)
    full = np.arange(height, 0, -1)[:, None] <= tops[None]  # (height, C)
    bars = np.repeat(full, 3, axis=1)
    bars[:, 2::3] = False
    pixels = np.zeros((*bars.shape, 4), dtype=np.uint8)
    pixels[bars] = (*rgb([colour])[0], 255)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="png")
    return stream.getvalue()


def robust_span(maps: np.ndarray, percent: float = 99.5) -> tuple[float, float]:
    """The ends of one scale for several maps: a low percentile, 0 at most, and a high one, above the low one.

    Percentiles rather than extremes, so that a single outlier does not darken all other pixels.
    """
    low, high = (float(end) for end in np.percentile(maps, (100 - percent, percent)))
    low = min(0.0, low)
    return low, high if high > low else low + 1


def gradient(scale: str, steps: int = 9) -> str:
    """A colour scale as CSS, left to right."""
    return f"linear-gradient(to right, {', '.join(colour for _, colour in scale_stops(scale, steps))})"
