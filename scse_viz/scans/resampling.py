"""Maps of slices -> a volume on the scan's own grid, aligned to the voxel."""

from collections.abc import Mapping

import nibabel as nib
import numpy as np

from scse_viz.analysis.grids import overlaps
from scse_viz.scans.scan import Scan, slice_grid, volume_of


def on_grid(scan: Scan, plane: str, maps: Mapping[int, np.ndarray], map_mm: tuple[float, float]) -> np.ndarray:
    """Maps of slices -> (X, Y, Z) float32 in RAS on the scan's grid, nan in slices without a map.

    maps: index of the slice -> (h, w), over the slice from its top left corner, with pixels of `map_mm` (row, column).
    A voxel has the mean of the map over its own area: where it lies in one pixel of the map, that pixel's value. What
    the map has beyond the slice is left out. Raises ValueError for a map that does not cover its slice.
    """
    grid = slice_grid(scan, plane)
    slices = np.full((grid.count, grid.height, grid.width), np.nan, dtype=np.float32)
    weights: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = {}
    for index, values in maps.items():
        if values.shape not in weights:
            down = shares(grid.height, grid.row_mm, values.shape[0], map_mm[0])
            across = shares(grid.width, grid.column_mm, values.shape[1], map_mm[1])
            weights[values.shape] = down, across.T
        down, across = weights[values.shape]
        slices[index] = down @ values.astype(np.float32) @ across
    return volume_of(slices, plane)


def to_image(scan: Scan, plane: str, maps: Mapping[int, np.ndarray], map_mm: tuple[float, float]) -> nib.Nifti1Image:
    """Maps of slices, as in `on_grid` -> a NIfTI image with the scan file's own axes and affine."""
    return scan.to_file_grid(on_grid(scan, plane, maps, map_mm))


def shares(count: int, size_mm: float, map_count: int, map_mm: float) -> np.ndarray:
    """The share of each of `count` voxels that lies in each of `map_count` pixels, both from 0 mm: (count, map_count).

    Rows add up to 1. Raises ValueError where the pixels end before the voxels do.
    """
    if map_count * map_mm < count * size_mm * (1 - 1e-6):
        raise ValueError(f"a map of {map_count * map_mm:g} mm for a slice of {count * size_mm:g} mm")
    overlap = overlaps(map_count, map_mm, count, size_mm).T
    return (overlap / overlap.sum(axis=1, keepdims=True)).astype(np.float32)
