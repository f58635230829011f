"""Inference: a scan and a network -> predictions and gates, slice by slice."""

from scse_viz.inference.slices import (
    LARGEST,
    SliceResult,
    input_size,
    network_input,
    resampled,
    segment_slice,
    segment_slices,
    slice_input,
    window,
)

__all__ = [
    "LARGEST",
    "SliceResult",
    "input_size",
    "network_input",
    "resampled",
    "segment_slice",
    "segment_slices",
    "slice_input",
    "window",
]
