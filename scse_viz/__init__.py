"""Look inside segmentation networks that recalibrate their features with squeeze-and-excitation blocks."""

__version__ = "0.1.0"
