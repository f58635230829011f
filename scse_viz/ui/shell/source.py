"""The sidebar's first part: which scan is looked at, and the labels to compare with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from scse_viz.scans import Scan, ScanError, VolumeChoice, read_labels, read_scan
from scse_viz.scans.samples import Group, Sample, own_groups
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
    """The result of reading an uploaded file; `key` is the file and what else the reading depended on."""

    key: tuple[object, ...]
    result: object = None
    error: str | None = None
    choice: VolumeChoice | None = None


@dataclass(frozen=True)
class Place:
    """Which of the sidebar's sources this is: the first scan, or a second one with keys and a label of its own.

    `first` is the number of the sample to begin with.
    """

    prefix: str = ""
    label: str = "Scan"
    first: int = 0


FIRST = Place()


def choose_source(structures: Sequence[Structure], anatomy: str, place: Place = FIRST) -> Source | None:
    """The scan chosen in the sidebar; the last good one where an upload cannot be used, None where there is none.

    The uploader stands above the samples of the anatomy, and a file dropped on it is opened at once. The numbers of an
    uploaded label file are those of `structures`.
    """
    known = {sample.short: sample for sample in cached.known_samples().values() if sample.anatomy == anatomy}
    key = f"{place.prefix}scan"
    if st.session_state.get(key, UPLOAD) not in (*known, UPLOAD):
        del st.session_state[key]  # a sample of another anatomy
    file = _draw_uploader(place, next(iter(known), UPLOAD))
    choice = st.selectbox(
        place.label if place.prefix else "Scan shown",
        [*known, UPLOAD],
        index=min(place.first, len(known)),
        key=key,
        bind="query-params",
        help="Your own file, or a scan that comes with this program.",
    )
    if choice == UPLOAD:
        source = _uploaded(file, structures, place.prefix)
        if source is not None:
            st.session_state[f"{place.prefix}last_source"] = source
            return source
        last = st.session_state.get(f"{place.prefix}last_source")
        if last is not None:
            return last
        choice = next(iter(known), UPLOAD)
    return _sample(known[choice], place.prefix) if choice in known else None


def _draw_uploader(place: Place, instead: str) -> UploadedFile | None:
    """The uploader, above the samples; `instead`: the sample that is shown when the file is taken away."""
    key = f"{place.prefix}scan_file"

    def take() -> None:
        came = st.session_state[key] is not None
        if came or st.session_state.get(f"{place.prefix}scan") == UPLOAD:
            st.session_state[f"{place.prefix}scan"] = UPLOAD if came else instead

    return st.file_uploader(
        "Open your own scan",
        SCAN_TYPES,
        key=key,
        on_change=take,
        help="NIfTI (.nii, .nii.gz), MGH (.mgh, .mgz), Analyze (.img and .hdr in a .zip), a DICOM file or a .zip of a "
        "DICOM series, PNG, JPEG, TIFF, or a NumPy array (.npy). A file stays in memory, is never logged, and is "
        "forgotten when the page is closed; maps computed from it make room for newer ones.",
    )


def _sample(sample: Sample, prefix: str) -> Source | None:
    st.caption(sample.title, help=f"Source: {sample.source}. Licence: {sample.licence}.")
    try:
        with st.spinner(f"Reading {sample.name}", show_time=False):
            source = Source(cached.sample_scan(sample), cached.sample_labels(sample), sample.groups)
    except ScanError as error:
        st.error(verbatim(str(error)))
        return None
    st.session_state[f"{prefix}last_source"] = source
    return source


def _uploaded(file: UploadedFile | None, structures: Sequence[Structure], prefix: str) -> Source | None:
    if file is None:
        st.info("Open a file above. A link cannot hold it: whoever opens yours sees the same view with their own file.")
        return None
    parsed = _read_scan(file, prefix)
    if parsed.error is not None or not isinstance(parsed.result, Scan):
        st.error(verbatim(parsed.error or ""))
        return None
    return _with_labels(parsed.result, structures, prefix)


def _read_scan(file: UploadedFile, prefix: str) -> _Parsed:
    """The scan of a file, or which of its volumes the sidebar asks for."""
    parsed = _parse(
        f"{prefix}parsed_scan", (file.file_id, None), lambda: read_scan(file.getvalue(), name=file.name), file.name
    )
    if parsed.choice is None:
        return parsed
    volume = _choose_volume(parsed.choice, f"{prefix}volume")
    return _parse(
        f"{prefix}parsed_volume",
        (file.file_id, volume),
        lambda: read_scan(file.getvalue(), name=file.name, volume=volume),
        file.name,
    )


def _choose_volume(choice: VolumeChoice, key: str) -> int:
    """Number of the volume to show, chosen by name where the file names its volumes."""
    held = f"This file holds {choice.volumes} volumes, in time or of several contrasts: the one to show."
    if not any(choice.names):
        return st.number_input("Volume", 0, choice.volumes - 1, key=key, bind="query-params", help=held)
    if st.session_state.get(key, 0) not in range(choice.volumes):
        del st.session_state[key]  # a volume of another file
    return st.selectbox(
        "Volume",
        range(choice.volumes),
        format_func=lambda number: f"{number}: {choice.names[number]}",
        key=key,
        bind="query-params",
        help=held,
    )


def _with_labels(scan: Scan, structures: Sequence[Structure], prefix: str) -> Source:
    """An uploaded scan with the labels that come with it, where they can be used."""
    file = st.file_uploader(
        "Its labels (optional)",
        LABEL_TYPES,
        key=f"{prefix}labels_file",
        help="A segmentation on the grid of the scan, in the class numbers of these networks; Dice needs it.",
    )
    if file is None:
        return Source(scan)
    labels = _parse(
        f"{prefix}parsed_labels",
        (file.file_id, scan.digest),
        lambda: read_labels(file.getvalue(), scan, name=file.name),
        file.name,
    )
    if labels.error is not None or not isinstance(labels.result, np.ndarray):
        st.error(verbatim(labels.error or ""))
        return Source(scan)
    groups = own_groups(structures, labels.result)
    if not groups:
        st.error(
            verbatim(
                f"{file.name}: none of its numbers is a class of these networks; "
                f"give labels from 1 to {len(structures) - 1}"
            )
        )
        return Source(scan)
    return Source(scan, labels.result, groups)


def _parse(place: str, key: tuple[object, ...], read: Callable[[], object], name: str) -> _Parsed:
    """Read an uploaded file once; the result is kept in the session, in memory only."""
    held = st.session_state.get(place)
    if isinstance(held, _Parsed) and held.key == key:
        return held
    try:
        with st.spinner(f"Reading {name}", show_time=False):
            parsed = _Parsed(key, result=read())
    except VolumeChoice as choice:
        parsed = _Parsed(key, choice=choice)
    except ScanError as error:
        parsed = _Parsed(key, error=str(error))
    st.session_state[place] = parsed
    return parsed
