"""The sidebar's first part: which scan is looked at, and the labels to compare with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from scse_viz.scans import Scan, ScanError, VolumeChoice, read_labels, read_scan
from scse_viz.scans.samples import Group, own_groups
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.words import verbatim
from scse_viz.zoo.structures import Structure

UPLOAD = "your own file"
SCAN_TYPES = ["nii", "gz", "mgh", "mgz", "zip", "dcm", "png", "jpg", "jpeg", "tif", "tiff", "npy"]
LABEL_TYPES = ["nii", "gz", "mgh", "mgz", "zip", "png", "tif", "tiff", "npy"]


@dataclass(frozen=True, eq=False)
class Source:
    """A scan, with the labels (X, Y, Z) to compare with where there are any; `groups` say what the labels name."""

    scan: Scan
    labels: np.ndarray | None = None
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, eq=False)
class _Parsed:
    """What came of an uploaded file; `key` is the file and what else the reading depended on."""

    key: tuple[object, ...]
    found: object = None
    error: str | None = None
    volumes: int | None = None


def choose_source(
    structures: Sequence[Structure], anatomy: str, *, prefix: str = "", label: str = "Scan", index: int = 0
) -> Source | None:
    """The scan chosen in the sidebar; the last good one where an upload cannot be used, None where there is none.

    Samples are those of the anatomy; the numbers of an uploaded label file are those of `structures`. A second scan has
    a `prefix` before its keys, a `label` of its own, and the sample of this `index` to begin with.
    """
    known = {sample.short: sample for sample in cached.known_samples().values() if sample.anatomy == anatomy}
    if st.session_state.get(f"{prefix}scan", UPLOAD) not in (*known, UPLOAD):
        del st.session_state[f"{prefix}scan"]  # a sample of another anatomy
    choice = st.selectbox(
        label,
        [*known, UPLOAD],
        index=min(index, len(known)),
        key=f"{prefix}scan",
        bind="query-params",
        help="A scan that comes with this program, or a file of your own. A file stays in memory, is never "
        "written or logged, and is forgotten when the page is closed; maps computed from it make room for newer ones.",
    )
    if choice == UPLOAD:
        source = _uploaded(structures, prefix)
        if source is not None:
            st.session_state[f"{prefix}last_source"] = source
            return source
        last = st.session_state.get(f"{prefix}last_source")
        if last is not None:
            return last
        choice = next(iter(known), UPLOAD)
    if choice not in known:
        return None
    sample = known[choice]
    st.caption(sample.title, help=f"Source: {sample.source}. Licence: {sample.licence}.")
    try:
        with st.spinner(f"Reading {sample.name}", show_time=False):
            source = Source(cached.sample_scan(sample), cached.sample_labels(sample), sample.groups)
    except ScanError as error:
        st.error(verbatim(str(error)))
        return None
    st.session_state[f"{prefix}last_source"] = source
    return source


def _uploaded(structures: Sequence[Structure], prefix: str) -> Source | None:
    file = st.file_uploader(
        "Scan file",
        SCAN_TYPES,
        key=f"{prefix}scan_file",
        help="NIfTI (.nii, .nii.gz), MGH (.mgh, .mgz), Analyze (.img and .hdr in a .zip), a DICOM file or a .zip of a "
        "DICOM series, PNG, JPEG, TIFF, or a NumPy array (.npy).",
    )
    if file is None:
        st.info("Choose a file. A link cannot hold it: whoever opens yours sees the same view once they choose theirs.")
        return None
    parsed = _parse(
        f"{prefix}parsed_scan", (file.file_id, None), lambda: read_scan(file.getvalue(), name=file.name), file.name
    )
    if parsed.volumes is not None:
        volume = st.number_input(
            "Volume",
            0,
            parsed.volumes - 1,
            key=f"{prefix}volume",
            bind="query-params",
            help=f"This file holds {parsed.volumes} volumes, in time or of several contrasts: the one to look at.",
        )
        parsed = _parse(
            f"{prefix}parsed_volume",
            (file.file_id, volume),
            lambda: read_scan(file.getvalue(), name=file.name, volume=volume),
            file.name,
        )
    if parsed.error is not None or not isinstance(parsed.found, Scan):
        st.error(verbatim(parsed.error or ""))
        return None
    scan = parsed.found
    labels_file = st.file_uploader(
        "Labels (optional)",
        LABEL_TYPES,
        key=f"{prefix}labels_file",
        help="A segmentation on the grid of the scan, in the class numbers of these networks; Dice needs it.",
    )
    if labels_file is None:
        return Source(scan)
    labels = _parse(
        f"{prefix}parsed_labels",
        (labels_file.file_id, scan.digest),
        lambda: read_labels(labels_file.getvalue(), scan, name=labels_file.name),
        labels_file.name,
    )
    if labels.error is not None or not isinstance(labels.found, np.ndarray):
        st.error(verbatim(labels.error or ""))
        return Source(scan)
    groups = own_groups(structures, labels.found)
    if not groups:
        st.error(
            verbatim(
                f"{labels_file.name}: none of its numbers is a class of these networks; "
                f"give labels from 1 to {len(structures) - 1}"
            )
        )
        return Source(scan)
    return Source(scan, labels.found, groups)


def _parse(place: str, key: tuple[object, ...], read: Callable[[], object], name: str) -> _Parsed:
    """Read an uploaded file once; what came of it is kept in the session, in memory only."""
    held = st.session_state.get(place)
    if isinstance(held, _Parsed) and held.key == key:
        return held
    try:
        with st.spinner(f"Reading {name}", show_time=False):
            parsed = _Parsed(key, found=read())
    except VolumeChoice as choice:
        parsed = _Parsed(key, volumes=choice.volumes)
    except ScanError as error:
        parsed = _Parsed(key, error=str(error))
    st.session_state[place] = parsed
    return parsed
