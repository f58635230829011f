"""Segmentations as numbers: volumes and Dice."""

import numpy as np


def volumes_ml(labels: np.ndarray, voxel_mm3: float, classes: int) -> np.ndarray:
    """Volume of every class in ml: labels of any shape, voxels of `voxel_mm3` -> (classes,)."""
    return np.bincount(labels.ravel(), minlength=classes) * (voxel_mm3 / 1000)


def dice(predicted: np.ndarray, reference: np.ndarray, classes: int) -> np.ndarray:
    """Dice of every class, 2 |A and B| / (|A| + |B|): two label arrays of one shape -> (classes,).

    nan for a class that is absent in both. Raises ValueError for arrays of different shapes and for numbers beyond
    the classes. Dice, Ecology 1945.
    """
    if predicted.shape != reference.shape:
        raise ValueError(f"labels of shape {predicted.shape} and {reference.shape}; give two of one shape")
    sizes = [np.bincount(labels.ravel(), minlength=classes) for labels in (predicted, reference)]
    if any(len(size) > classes for size in sizes):
        raise ValueError(f"labels up to {max(len(size) for size in sizes) - 1}; {classes} classes end at {classes - 1}")
    both = np.bincount(predicted[predicted == reference], minlength=classes)
    whole = sizes[0] + sizes[1]
    return np.divide(2 * both, whole, out=np.full(classes, np.nan), where=whole > 0)
