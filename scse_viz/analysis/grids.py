"""How a map lies over its slice: both begin at the top left corner, and differ in the size of their pixels."""

import numpy as np


def overlaps(cells: int, cell_size: float, pixels: int, pixel_size: float) -> np.ndarray:
    """Along one axis, how much of every pixel lies under every cell, in the unit of the sizes: (cells, pixels).

    Cells and pixels both begin at 0; those that only touch, but for rounding, share nothing.
    """
    cell, pixel = np.arange(cells)[:, None] * cell_size, np.arange(pixels)[None] * pixel_size
    shared = np.minimum(cell + cell_size, pixel + pixel_size) - np.maximum(cell, pixel)
    return np.where(shared < 1e-6 * min(cell_size, pixel_size), 0, shared)
