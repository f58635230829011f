"""How a map lies over its slice: both begin at the top left corner and differ in the size of their pixels."""

import numpy as np

from scse_viz.analysis.gates import BlockGates


def map_span(gates: BlockGates, slice_mm: tuple[float, float]) -> tuple[float, float]:
    """How many pixels of a slice (rows, columns) a pixel of a block's map spans; slice_mm: size of the former."""
    return gates.map_mm[0] / slice_mm[0], gates.map_mm[1] / slice_mm[1]


def sums_below(values: np.ndarray, shape: tuple[int, int], span: tuple[float, float]) -> np.ndarray:
    """The sum of values over what every pixel of a map covers of a slice, fractions included: (H, W) -> (h, w).

    shape (h, w) and span (rows, columns), in pixels of the slice, are those of the map. Where the map reaches beyond
    the slice, as padding does, it covers nothing.
    """
    rows = overlaps(shape[0], span[0], values.shape[0], 1)
    columns = overlaps(shape[1], span[1], values.shape[1], 1)
    return rows @ values @ columns.T


def areas(regions: np.ndarray, count: int, shape: tuple[int, int], span: tuple[float, float]) -> np.ndarray:
    """How many pixels of every region of a slice a pixel of a map covers: (H, W) -> (count, h, w).

    regions: numbers from 0; negative ones and those from `count` on are no region. shape and span as in `sums_below`.
    """
    return np.stack([sums_below((regions == number).astype(np.float64), shape, span) for number in range(count)])


def overlaps(cells: int, cell_size: float, pixels: int, pixel_size: float) -> np.ndarray:
    """Along one axis, how much of every pixel lies under every cell, in the unit of the sizes: (cells, pixels).

    Cells and pixels both begin at 0; those that only touch, up to rounding, share nothing.
    """
    cell, pixel = np.arange(cells)[:, None] * cell_size, np.arange(pixels)[None] * pixel_size
    shared = np.minimum(cell + cell_size, pixel + pixel_size) - np.maximum(cell, pixel)
    return np.where(shared < 1e-6 * min(cell_size, pixel_size), 0, shared)
