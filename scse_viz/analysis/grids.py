"""How a map lies over its slice: both begin at the top left corner, and differ in the size of their pixels."""

from collections.abc import Mapping

import numpy as np


def map_mm(gates: Mapping[str, np.ndarray], name: str, pixel_mm: tuple[float, float]) -> tuple[float, float]:
    """The size of a pixel of a map (row, column), in the unit of `pixel_mm`, a pixel of the network's input.

    gates: all gates of a network by name, maps (..., h, w) and others; the finest map is on the grid of the input.
    """
    finest = max(gate.shape[-2] for key, gate in gates.items() if not key.endswith("channel_gate"))
    scale = finest / gates[name].shape[-2]
    return scale * pixel_mm[0], scale * pixel_mm[1]


def overlaps(cells: int, cell_size: float, pixels: int, pixel_size: float) -> np.ndarray:
    """Along one axis, how much of every pixel lies under every cell, in the unit of the sizes: (cells, pixels).

    Cells and pixels both begin at 0; those that only touch, but for rounding, share nothing.
    """
    cell, pixel = np.arange(cells)[:, None] * cell_size, np.arange(pixels)[None] * pixel_size
    shared = np.minimum(cell + cell_size, pixel + pixel_size) - np.maximum(cell, pixel)
    return np.where(shared < 1e-6 * min(cell_size, pixel_size), 0, shared)
