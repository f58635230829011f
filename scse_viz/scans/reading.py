"""Image file -> Scan, and label file -> labels on the grid of a scan."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

from scse_viz.scans.readers import FileContents, ScanError, VolumeChoice, read
from scse_viz.scans.scan import Scan

GRID_TOLERANCE = 0.1  # voxels between the grids of scan and labels: room for rounded quaternions, far below a shift
WHOLE = 1e-5  # how far a float may be from a whole number, absolute and relative: scaled files round
WHOLE_MOST = 1e-2  # its upper bound, for large numbers
PIECE = 2**18  # labels that are checked at a time


def read_scan(source: Path | bytes, *, name: str | None = None, volume: int | None = None) -> Scan:
    """Image file -> Scan; name: of the file, when source is its bytes; volume: which one of a 4-D file.

    Raises VolumeChoice for a file of several volumes without a choice, ScanError for one that cannot be shown.
    """
    name = name or _name(source)
    contents = read(source, name, volume)
    voxels = _turned(contents)
    notes = (*contents.notes, *_made_finite(voxels, name))
    if voxels.min() == voxels.max():
        notes = (*notes, "All voxels are equal, so there is nothing to segment.")
    voxels.setflags(write=False)  # a cached scan is shared
    affine = _ras_affine(contents)
    return Scan(
        name=name,
        voxels=voxels,
        affine=affine,
        oriented=contents.oriented,
        notes=notes,
        digest=_digest(voxels, affine),
        file_shape=contents.values.shape,
        file_affine=contents.affine,
        file_header=contents.header,
    )


def read_labels(source: Path | bytes, scan: Scan, *, name: str | None = None) -> np.ndarray:
    """Label file -> (X, Y, Z) int32 in RAS on the grid of scan; raises ScanError that says how the grids differ.

    Where one of the two files gives no orientation, the labels belong to the scan's voxels in the order of the files.
    """
    name = name or _name(source)
    try:
        contents = read(source, name)
    except VolumeChoice as several:
        raise ScanError(
            f"{name}: {several.volumes} volumes of labels; save the one of this scan as a file"
        ) from several
    labels = contents.values if contents.indices is None else contents.indices
    if contents.colour and contents.indices is None:
        raise ScanError(f"{name}: a colour picture, but labels are whole numbers; save the numbers of the structures")
    if contents.oriented and scan.oriented:
        labels = apply_orientation(labels, io_orientation(contents.affine))
        _check_grid(name, labels.shape, _ras_affine(contents), scan)
    else:
        _check_shape(name, labels.shape, scan.file_shape, scan)
        labels = apply_orientation(labels, io_orientation(scan.file_affine))
    whole = _whole(labels, name) if labels.dtype.kind == "f" else np.array(labels, dtype=np.int32, order="K")
    smallest, largest = (of.reduce(labels, axis=None) for of in (np.fmin, np.fmax))  # NaN aside
    limits = np.iinfo(np.int32)
    if not limits.min <= smallest <= largest <= limits.max:
        raise ScanError(f"{name}: labels from {smallest:.6g} to {largest:.6g} do not fit 32 bits; renumber them")
    return whole


def _name(source: Path | bytes) -> str:
    return source.name if isinstance(source, Path) else "image"


def _ras_affine(contents: FileContents) -> np.ndarray:
    return contents.affine @ inv_ornt_aff(io_orientation(contents.affine), contents.values.shape)


def _turned(contents: FileContents) -> np.ndarray:
    """The values as float32 in RAS, contiguous, in the file's order in memory: no slow transpose.

    Values that are float32 already are reoriented in place: a large volume is never held twice.
    """
    orientation = io_orientation(contents.affine)
    values = contents.values
    if values.dtype != np.float32 or not values.flags.writeable:
        with np.errstate(over="ignore", invalid="ignore"):  # float64 beyond float32 becomes infinite
            return np.array(apply_orientation(values, orientation), dtype=np.float32, order="K")
    slowest = int(np.argmax(np.abs(values.strides)))
    flipped = orientation[:, 1] < 0
    slabs = np.moveaxis(values, slowest, 0)
    within = tuple(slice(None, None, -1 if flip else 1) for flip in np.delete(flipped, slowest))
    if any(np.delete(flipped, slowest)):
        for slab in slabs:
            slab[...] = slab[within].copy()
    if flipped[slowest]:
        for first, last in zip(slabs[: len(slabs) // 2], slabs[::-1], strict=False):
            first[...], last[...] = last.copy(), first.copy()
    return apply_orientation(values, np.column_stack([orientation[:, 0], np.ones(3)]))


def _whole(labels: np.ndarray, name: str) -> np.ndarray:
    """Floats within rounding of whole numbers -> those numbers, int32; NaN, as written for background, becomes 0."""
    numbers, found = np.empty_like(labels, np.int32), False
    access: Any = [["readonly"], ["writeonly"]]  # of which numpy's own types know one
    steps = np.nditer([labels, numbers], ["external_loop", "buffered"], access, buffersize=PIECE)
    with steps, np.errstate(invalid="ignore"):  # infinities, and what does not fit 32 bits
        for values, into in steps:
            whole, given = np.rint(values), ~np.isnan(values)
            rounded = np.abs(values - whole) <= (WHOLE * np.abs(whole).clip(1)).clip(max=WHOLE_MOST)
            if not rounded[given].all():
                break
            into[...] = np.where(given, whole, 0)
            found |= bool(given.any())
        else:
            if found:
                return numbers
    raise ScanError(f"{name}: holds values that are not whole numbers; choose a file of labels, not of intensities")


def _made_finite(voxels: np.ndarray, name: str) -> tuple[str, ...]:
    """Sets NaN and infinities to the smallest finite value, in place: dark, whatever the scale; a note says so."""
    if np.isfinite(voxels.min()) and np.isfinite(voxels.max()):  # minimum and maximum of an array with NaN are NaN
        return ()
    finite = np.isfinite(voxels)
    bad = voxels.size - np.count_nonzero(finite)
    if bad == voxels.size:
        raise ScanError(f"{name}: no voxel has a finite value; export the scan again")
    smallest = voxels.min(where=finite, initial=np.inf)
    voxels[~finite] = smallest
    return (f"{bad:,} voxels that were not finite were set to the smallest value, {smallest:.6g}.",)


def _digest(voxels: np.ndarray, affine: np.ndarray) -> str:
    """Hash of the bytes in memory order, the shape and order of the axes, and the affine."""
    slowest_first = np.argsort(voxels.strides, kind="stable")[::-1]
    digest = hashlib.sha256(repr((voxels.shape, slowest_first.tolist())).encode())
    digest.update(affine.tobytes())
    digest.update(voxels.transpose(slowest_first).reshape(-1))
    return digest.hexdigest()


def _check_shape(name: str, shape: tuple[int, ...], wanted: tuple[int, ...], scan: Scan) -> None:
    if shape != wanted:
        has, needs = (" × ".join(map(str, sizes)) for sizes in (shape, wanted))
        raise ScanError(f"{name}: {has} voxels where {scan.name} has {needs}; resample the labels to the scan")


def _check_grid(name: str, shape: tuple[int, ...], affine: np.ndarray, scan: Scan) -> None:
    """Refuses labels whose voxels are not where the scan's are, in number and in mm."""
    _check_shape(name, shape, scan.voxels.shape, scan)
    corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)]) * [*(np.array(shape) - 1), 1]
    apart = float(np.linalg.norm((corners @ (affine - scan.affine).T)[:, :3], axis=1).max())
    if apart > GRID_TOLERANCE * min(scan.spacing):
        raise ScanError(
            f"{name}: its grid lies up to {apart:.3g} mm off that of {scan.name}; resample the labels to the scan"
        )
