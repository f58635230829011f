"""Volumes for the viewer in the browser: eight bits, a few megabytes, compressed NIfTI."""

import gzip
import zlib
from dataclasses import dataclass

import nibabel as nib
import numpy as np

from scse_viz.rendering.panels import GATE_RANGE
from scse_viz.rendering.pictures import eight_bit
from scse_viz.scans import PLANES, Scan, slice_grid, volume_of

LARGEST = 8_000_000
"""Voxels of a scan that are sent, at most; a larger scan is thinned."""
LARGEST_MAP = 2_000_000
"""Voxels of a map that are sent, at most; neighbours in the plane of a larger map are averaged."""
GRAYS = 64
"""Gray levels of a drawn scan: more would cost bytes and be invisible under a map."""


@dataclass(frozen=True)
class Layer:
    """A volume to draw: gzipped NIfTI of uint8 in RAS, and a name by its content.

    `voxel_mm` are the sides of its voxels, `steps` how many voxels of the scan one spans along X, Y and Z.
    """

    name: str
    content: bytes
    voxel_mm: tuple[float, float, float]
    steps: tuple[float, float, float]


def scan_layer(scan: Scan, intensities: tuple[float, float]) -> Layer:
    """The scan, black and white at two intensities, in `GRAYS` shades from 0 to 255; thinned beyond `LARGEST`."""
    shades = np.linspace(0, 255, GRAYS).round().astype(np.uint8)
    return _layer(scan, shades[eight_bit(_thin(scan, scan.voxels), *intensities) // (256 // GRAYS)], _steps(scan))


def label_layer(scan: Scan, labels: np.ndarray) -> Layer:
    """Class numbers (X, Y, Z) on the grid of `scan_layer`."""
    return _layer(scan, _thin(scan, labels), _steps(scan))


def map_layer(
    scan: Scan,
    plane: str,
    maps: np.ndarray,
    done: np.ndarray,
    map_mm: tuple[float, float],
    span: tuple[float, float] = GATE_RANGE,
) -> Layer:
    """Maps of all slices (N, h, w), at their own resolution in the plane: `span` is 1 to 255, 0 where not `done` (N,).

    `map_mm` is the size of a pixel of the maps (row, column), which lie over their slices from the top left corner.
    Beyond `LARGEST_MAP` voxels 2 x 2 pixels become their mean, as often as it takes.
    """
    maps = maps.astype(np.float32)
    while maps.size > LARGEST_MAP and min(maps.shape[1:]) > 1:
        count, rows, columns = maps.shape
        even = maps[:, : rows // 2 * 2, : columns // 2 * 2]
        maps = even.reshape(count, rows // 2, 2, columns // 2, 2).mean(axis=(2, 4))
        map_mm = (2 * map_mm[0], 2 * map_mm[1])
    grid = slice_grid(scan, plane)
    down, across = map_mm[0] / grid.row_mm, map_mm[1] / grid.column_mm  # voxels of the scan that a pixel spans
    numbers = 1 + np.round((eight_bit(maps, *span) / 255) * 254).astype(np.uint8)
    numbers[~done] = 0
    # Rows go down and RAS goes up: the map's last row, which may lie beyond the slice, comes first.
    lowest = grid.height - numbers.shape[1] * down
    steps, starts = [across, down], [across / 2 - 0.5, lowest + down / 2 - 0.5]
    steps.insert(PLANES[plane], 1.0)
    starts.insert(PLANES[plane], 0.0)
    return _layer(scan, volume_of(numbers, plane), (steps[0], steps[1], steps[2]), starts)


def _steps(scan: Scan) -> tuple[int, int, int]:
    """Strides in voxels along X, Y and Z; the finest axis is thinned first."""
    steps = np.ones(3, dtype=int)
    while np.prod(-(-np.array(scan.voxels.shape) // steps)) > LARGEST:
        steps[np.argmin(np.array(scan.spacing) * steps)] += 1
    return int(steps[0]), int(steps[1]), int(steps[2])


def _thin(scan: Scan, volume: np.ndarray) -> np.ndarray:
    x, y, z = _steps(scan)
    return volume[::x, ::y, ::z]


def _layer(scan: Scan, numbers: np.ndarray, steps: tuple[float, float, float], starts: object = (0, 0, 0)) -> Layer:
    """starts: where the centre of the first voxel is, in voxels of the scan."""
    within = np.diag([*steps, 1.0])
    within[:3, 3] = starts
    image = nib.Nifti1Image(np.asarray(numbers, dtype=np.uint8), scan.affine @ within)
    content = gzip.compress(image.to_bytes(), compresslevel=4, mtime=0)
    x, y, z = (float(side * step) for side, step in zip(scan.spacing, steps, strict=True))
    return Layer(f"{zlib.crc32(content):08x}-{len(content)}", content, (x, y, z), steps)
