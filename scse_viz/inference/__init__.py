"""Inference: a scan and a network -> predictions and gates, slice by slice."""

from scse_viz.inference.inputs import LARGEST, input_size, network_input, resampled, slice_input, window
from scse_viz.inference.slices import SliceResult, segment_slice, segment_slices
from scse_viz.system.devices import on_device

__all__ = [
    "LARGEST",
    "SliceResult",
    "input_size",
    "network_input",
    "on_device",
    "resampled",
    "segment_slice",
    "segment_slices",
    "slice_input",
    "window",
]
