"""Scans of several kinds as the channels of one: a 4-D file, or several files on one grid."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from scse_viz.scans.readers import ScanError, VolumeChoice
from scse_viz.scans.reading import GRID_TOLERANCE, read_scan
from scse_viz.scans.scan import Scan

MOST_CHANNELS = 16
"""Volumes that are held at once: a 4-D file may have hundreds."""


def stacked(scans: Sequence[Scan]) -> Scan:
    """Scans on one grid as one, the first of them with all as its `channels`; raises ScanError where grids differ."""
    first, *others = scans
    if not others:
        return first
    if len(scans) > MOST_CHANNELS:
        raise ScanError(f"{first.name}: {len(scans)} volumes at once, {MOST_CHANNELS} can be held; choose fewer")
    for scan in others:
        same = scan.voxels.shape == first.voxels.shape
        if not same or not np.allclose(scan.affine, first.affine, atol=GRID_TOLERANCE * min(first.spacing)):
            raise ScanError(f"{scan.name}: has another grid than {first.name}; resample the scans to one grid")
    digest = hashlib.sha256("".join(scan.digest for scan in scans).encode()).hexdigest()
    notes = tuple(dict.fromkeys(note for scan in scans for note in scan.notes))
    return replace(first, digest=digest, notes=notes, channels=tuple(scans))


def with_shown(scan: Scan, number: int) -> Scan:
    """Stacked scans of which another one is drawn; the channels keep their order."""
    digest = hashlib.sha256(f"{scan.digest} {number}".encode()).hexdigest()
    return replace(scan.channels[number], digest=digest, channels=scan.channels)


def read_channels(source: Path | bytes, *, name: str | None = None, most: int = MOST_CHANNELS) -> Scan:
    """All volumes of an image file as the channels of one scan; a file of one volume as `read_scan`.

    Raises VolumeChoice for a file of more volumes than `most`, and as `read_scan`.
    """
    try:
        return read_scan(source, name=name)
    except VolumeChoice as several:
        if several.volumes > most:
            raise
        count = several.volumes
    return stacked([read_scan(source, name=name, volume=number) for number in range(count)])
