"""Scans: image file -> Scan (voxels in RAS, affine in mm), and back to the file's own grid."""

from scse_viz.scans.multichannel import read_channels, stacked, with_shown
from scse_viz.scans.readers import ScanError, VolumeChoice
from scse_viz.scans.reading import read_labels, read_scan
from scse_viz.scans.scan import PLANES, Scan, ScanSlice, SliceGrid, slice_grid, slice_of, volume_of

__all__ = [
    "PLANES",
    "Scan",
    "ScanError",
    "ScanSlice",
    "SliceGrid",
    "VolumeChoice",
    "read_channels",
    "read_labels",
    "read_scan",
    "slice_grid",
    "slice_of",
    "stacked",
    "volume_of",
    "with_shown",
]
