"""Tests of whether the maps of a network can be believed, on slices of scans."""

from scse_viz.inference.belief.believe import Readout, SliceTests, believe, joined, surviving
from scse_viz.inference.belief.case import SliceCase, case_of, slices_with
from scse_viz.inference.belief.gradcam import CAM_NEEDS, can_explain, grad_cam

__all__ = [
    "CAM_NEEDS",
    "Readout",
    "SliceCase",
    "SliceTests",
    "believe",
    "can_explain",
    "case_of",
    "grad_cam",
    "joined",
    "slices_with",
    "surviving",
]
