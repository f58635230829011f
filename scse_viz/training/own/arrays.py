"""Cases -> volumes in memory: channels windowed as at inference, classes, and voxels of each structure."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from scse_viz.inference import input_size, network_input, window
from scse_viz.scans import PLANES, Scan, read_labels, read_scan, slice_grid, slice_of
from scse_viz.scans.readers import VolumeChoice
from scse_viz.training.own.classes import Classes, DataError, distinct
from scse_viz.training.own.folder import Case
from scse_viz.zoo import Card

POINTS = 2000
"""Voxels stored for each class and volume, as centres of crops."""
ISOTROPIC = 2.0
"""The largest ratio of voxel sides for which slices of all planes are used."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A case in memory: `channels` with voxels (X, Y, Z) float16 in 0 to the card's maximum, `classes` (X, Y, Z) uint8.

    Without images, `channels` is one scan whose voxels are the numbers of the label file. `points`, class -> (N, 3)
    int16, are voxels of each structure that occurs; `counts` (K,) the number of voxels of each class.
    """

    name: str
    subject: str
    channels: tuple[Scan, ...] = field(repr=False)
    classes: np.ndarray = field(repr=False)
    points: dict[int, np.ndarray] = field(repr=False)
    counts: np.ndarray
    digest: str

    @property
    def scan(self) -> Scan:
        """The first channel, which represents the grid of all."""
        return self.channels[0]


def read_volume(case: Case, card: Card, classes: Classes) -> Volume:
    """Read a case; each channel is windowed with the card's percentiles of the whole scan.

    Raises ScanError for unreadable files and for labels on another grid, DataError for channels on different grids.
    """
    digest = hashlib.sha256()
    if case.images:
        read = [scan for path in case.images for scan in _channels(path, len(case.images))]
        for scan in read[1:]:
            if scan.voxels.shape != read[0].voxels.shape or not np.allclose(scan.affine, read[0].affine, atol=1e-2):
                raise DataError(f"{scan.name}: has another grid than {read[0].name}; resample the channels to one grid")
        labels = read_labels(case.labels, read[0])
        channels = tuple(_windowed(scan, card) for scan in read)
    else:
        read = [read_scan(case.labels)]
        labels = read_labels(case.labels, read[0])
        channels = (replace(read[0], voxels=labels.astype(np.min_scalar_type(int(labels.max())))),)
    for scan in read:
        digest.update(scan.digest.encode())
    mapped = classes.of(labels, case.labels.name)
    digest.update(np.ascontiguousarray(mapped))
    return Volume(
        name=case.name,
        subject=case.subject,
        channels=channels,
        classes=mapped,
        points=_points(mapped),
        counts=np.bincount(mapped.ravel(), minlength=len(classes.structures)),
        digest=digest.hexdigest(),
    )


def numbers_of(case: Case) -> list[int]:
    """The numbers that occur in the label file of a case; raises as `read_volume`."""
    return distinct(read_labels(case.labels, read_scan(case.labels)))


def planes_of(volumes: Sequence[Volume]) -> tuple[str, ...]:
    """The planes to train on: all where voxels are nearly cubes, else the one in which slices were acquired."""
    shared = [plane for plane in PLANES if all(plane in volume.scan.planes for volume in volumes)]
    sides = np.median([volume.scan.spacing for volume in volumes], axis=0)
    if sides.max() < ISOTROPIC * sides.min() or len(shared) < 2:
        return tuple(shared)
    return (max(shared, key=lambda plane: sides[PLANES[plane]]),)


def pixel_of(volumes: Sequence[Volume], planes: Sequence[str]) -> float:
    """The median side of the slices' pixels in mm."""
    views = [slice_grid(volume.scan, plane) for volume in volumes for plane in planes]
    return round(float(np.median([side for grid in views for side in (grid.row_mm, grid.column_mm)])), 4)


def slice_images(volume: Volume, card: Card, plane: str, indices: Sequence[int]) -> Tensor:
    """Slices as the network gets them at inference: (B, in_channels, h, w) in 0 to the card's maximum."""
    single = replace(card, in_channels=1, channels=())
    return torch.cat([network_input(scan, single, plane, indices, (0, 1)) for scan in volume.channels], dim=1)


def slice_labels(labels: np.ndarray, volume: Volume, card: Card, plane: str, index: int) -> Tensor:
    """A slice of labels (X, Y, Z), resampled to the grid of `slice_images` by nearest neighbour: (h, w) int64."""
    pixels = torch.from_numpy(slice_of(labels, plane, index).astype(np.float64))
    size = input_size(volume.scan, card, plane)
    return F.interpolate(pixels[None, None], size=size, mode="nearest-exact")[0, 0].long()


def _channels(path: Path, files: int) -> Iterator[Scan]:
    """The channels in an image file: the volumes of a 4-D file, unless each channel has its own file."""
    try:
        yield read_scan(path)
    except VolumeChoice as several:
        if files > 1:
            raise
        for number in range(several.volumes):
            yield read_scan(path, volume=number)


def _windowed(scan: Scan, card: Card) -> Scan:
    low, high = window(scan, card)
    return replace(scan, voxels=((scan.voxels - low) / (high - low)).clip(0, card.window.maximum).astype(np.float16))


def _points(classes: np.ndarray) -> dict[int, np.ndarray]:
    """Random voxels of every structure, the same for the same volume."""
    choose = np.random.default_rng(0)
    points = {}
    for number in distinct(classes):
        if number:
            voxels = np.flatnonzero(classes == number)
            chosen = choose.choice(voxels, min(len(voxels), POINTS), replace=False)
            points[number] = np.stack(np.unravel_index(chosen, classes.shape), axis=-1).astype(np.int16)
    return points
