"""Numbers about segmentations and gates: arrays in, arrays out."""

from scse_viz.analysis.segmentation import dice, volumes_ml

__all__ = ["dice", "volumes_ml"]
