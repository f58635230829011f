"""Tests of whether the maps of a network can be believed, on slices of scans."""

from scse_viz.inference.belief.believe import Gate, SliceTests, believe, joined, surviving
from scse_viz.inference.belief.case import SliceCase, cases_of, slices_with
from scse_viz.inference.belief.gradcam import CAM_NEEDS, can_explain, grad_cam

__all__ = [
    "CAM_NEEDS",
    "Gate",
    "SliceCase",
    "SliceTests",
    "believe",
    "can_explain",
    "cases_of",
    "grad_cam",
    "joined",
    "slices_with",
    "surviving",
]
