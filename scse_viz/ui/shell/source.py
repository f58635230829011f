"""The sidebar's first part: the scan that is shown, and its reference labels."""

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
    """A scan with its reference labels (X, Y, Z), if any; `groups` say which structures each label names."""

    scan: Scan
    labels: np.ndarray | None = None
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, eq=False)
class _Parsed:
    """An uploaded file once read: its result, its error, or the choice of volumes it needs.

    `key` is what the reading depended on: the file, and its volume or scan.
    """

    key: tuple[object, ...]
    result: object = None
    error: str | None = None
    choice: VolumeChoice | None = None


@dataclass(frozen=True)
class Slot:
    """One of the scans that a page shows: the prefix of its keys, the labels of its widgets, its first sample."""

    prefix: str = ""
    upload: str = "Open your own scan"
    shown: str = "Scan shown"
    first: int = 0


FIRST = Slot()


def choose_source(structures: Sequence[Structure], anatomy: str, slot: Slot = FIRST) -> Source | None:
    """The scan chosen in the sidebar; the last one shown while an upload cannot be read, None where there is none.

    The uploader stands above the samples of the anatomy, and a file dropped on it is shown at once. An uploaded label
    file uses the class numbers of `structures`.
    """
    known = {sample.short: sample for sample in cached.known_samples().values() if sample.anatomy == anatomy}
    key = f"{slot.prefix}scan"
    if st.session_state.get(key, UPLOAD) not in (*known, UPLOAD):
        del st.session_state[key]  # a sample of another anatomy
    offered = [*known, UPLOAD]
    first = min(slot.first, len(known))
    file = _draw_uploader(slot, offered[first])
    choice = st.selectbox(
        slot.shown,
        offered,
        index=first,
        key=key,
        bind="query-params",
        help="Your own file, or one of the sample scans.",
    )
    if choice == UPLOAD:
        source = _uploaded(file, structures, slot.prefix)
        if source is not None:
            st.session_state[f"{slot.prefix}last_source"] = source
            return source
        last = st.session_state.get(f"{slot.prefix}last_source")
        if last is not None:
            return last
        choice = offered[first]
    return _sample(known[choice], slot.prefix) if choice in known else None


def _draw_uploader(slot: Slot, sample: str) -> UploadedFile | None:
    """The uploader. An uploaded file becomes the scan that is shown; when it is removed, the sample does."""
    key = f"{slot.prefix}scan_file"

    def show() -> None:
        uploaded = st.session_state[key] is not None
        if uploaded or st.session_state.get(f"{slot.prefix}scan") == UPLOAD:
            st.session_state[f"{slot.prefix}scan"] = UPLOAD if uploaded else sample

    return st.file_uploader(
        slot.upload,
        SCAN_TYPES,
        key=key,
        on_change=show,
        help="NIfTI (.nii, .nii.gz), MGH (.mgh, .mgz), Analyze (.img and .hdr in a .zip), a DICOM file or a .zip of a "
        "DICOM series, PNG, JPEG, TIFF, or a NumPy array (.npy). A file is kept in memory only, never logged, "
        "and forgotten when the page is closed; maps computed from it are replaced by newer ones.",
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
        st.info("Open a file above. Links do not contain it: whoever opens one sees the same view of their own file.")
        return None
    parsed = _read_scan(file, prefix)
    if parsed.error is not None or not isinstance(parsed.result, Scan):
        st.error(verbatim(parsed.error or ""))
        return None
    return _with_labels(parsed.result, structures, prefix)


def _read_scan(file: UploadedFile, prefix: str) -> _Parsed:
    """The scan of a file; of a file with several volumes, the one that is chosen in the sidebar."""
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
    """The number of the volume to show, chosen by name where the file names its volumes."""
    hint = f"This file has {choice.volumes} volumes, over time or of several contrasts; choose the one to show."
    if not any(choice.names):
        return st.number_input("Volume", 0, choice.volumes - 1, key=key, bind="query-params", help=hint)
    if st.session_state.get(key, 0) not in range(choice.volumes):
        del st.session_state[key]  # a volume of another file
    return st.selectbox(
        "Volume",
        range(choice.volumes),
        format_func=lambda number: f"{number}: {choice.names[number]}",
        key=key,
        bind="query-params",
        help=hint,
    )


def _with_labels(scan: Scan, structures: Sequence[Structure], prefix: str) -> Source:
    """An uploaded scan, with its uploaded labels if they can be used."""
    file = st.file_uploader(
        "Its labels (optional)",
        LABEL_TYPES,
        key=f"{prefix}labels_file",
        help="A segmentation on the grid of the scan, with the class numbers of these networks; needed for Dice.",
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
                f"use labels from 1 to {len(structures) - 1}"
            )
        )
        return Source(scan)
    return Source(scan, labels.result, groups)


def _parse(held_as: str, key: tuple[object, ...], read: Callable[[], object], name: str) -> _Parsed:
    """Read an uploaded file once; the session keeps the result, under `held_as`."""
    held = st.session_state.get(held_as)
    if isinstance(held, _Parsed) and held.key == key:
        return held
    try:
        with st.spinner(f"Reading {name}", show_time=False):
            parsed = _Parsed(key, result=read())
    except VolumeChoice as choice:
        parsed = _Parsed(key, choice=choice.with_traceback(None))  # whose frames hold the file
    except ScanError as error:
        parsed = _Parsed(key, error=str(error))
    st.session_state[held_as] = parsed
    return parsed
