"""The sidebar's first part: the scan that is shown, and its reference labels."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from scse_viz.scans import Scan, ScanError, VolumeChoice, read_channels, read_labels, read_scan, stacked, with_shown
from scse_viz.scans.samples import Group, Sample, own_groups
from scse_viz.ui.shell import cached, uploads
from scse_viz.ui.shell.uploads import Opened
from scse_viz.ui.shell.words import verbatim
from scse_viz.zoo.structures import Structure

UPLOAD = "your own file"
ASKED = (
    "Open your file above. A link does not contain it, and the app forgets it when the page is closed or the server "
    "restarts; once it is open, you see the same view of it."
)
COHORT_SCAN = "cohort_scan"
"""Where a session has the scan that it opened on the page Cohort, as a sample."""
SCAN_TYPES = ["nii", "gz", "mgh", "mgz", "zip", "dcm", "png", "jpg", "jpeg", "tif", "tiff", "npy"]
LABEL_TYPES = ["nii", "gz", "mgh", "mgz", "zip", "png", "tif", "tiff", "npy"]


@dataclass(frozen=True, eq=False)
class Source:
    """A scan with its reference labels (X, Y, Z), if any; `groups` say which structures each label names."""

    scan: Scan
    labels: np.ndarray | None = None
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, eq=False)
class _Last:
    """The uploaded scan that a session saw last, with its labels: where the store keeps them."""

    scan: Opened
    labels: Opened | None
    groups: tuple[Group, ...]

    def source(self) -> Source | None:
        """The source; None if the scan was evicted."""
        scan = self.scan.value
        labels = None if self.labels is None else self.labels.value
        return None if scan is None else Source(scan, labels, () if labels is None else self.groups)


@dataclass(frozen=True)
class Slot:
    """One of the scans that a page shows: the prefix of its keys, the labels of its widgets, its first sample."""

    prefix: str = ""
    upload: str = "Open your own scan"
    shown: str = "Scan shown"
    first: int = 0


FIRST = Slot()


def choose_source(
    structures: Sequence[Structure], anatomy: str, slot: Slot = FIRST, *, channels: Collection[int] = ()
) -> Source | None:
    """The scan chosen in the sidebar; the last one shown while an upload cannot be read, None where there is none.

    The uploader is above the samples of the anatomy, and a file dropped on it is shown at once. An uploaded label
    file uses the class numbers of `structures`. `channels` are how many volumes the networks see at once: a file of as
    many fills the channels of such a network.
    """
    known = {sample.short: sample for sample in cached.known_samples().values() if sample.suits(anatomy)}
    if (of_cohort := st.session_state.get(COHORT_SCAN)) is not None and of_cohort.suits(anatomy):
        known[of_cohort.short] = of_cohort
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
        source = _uploaded(file, structures, slot.prefix, channels) or _last(slot.prefix)
        if source is not None:
            return source
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
        "DICOM series, PNG, JPEG, TIFF, or a NumPy array (.npy). A file is kept in memory only and never logged. "
        "No other page can reach it, and within a minute after this one was closed it is freed.",
    )


def _sample(sample: Sample, prefix: str) -> Source | None:
    st.caption(sample.title, help=f"Source: {sample.source}. Licence: {sample.licence}.")
    try:
        with st.spinner(f"Reading {sample.name}", show_time=False):
            source = Source(cached.sample_scan(sample), cached.sample_labels(sample), sample.groups)
    except ScanError as error:
        st.error(verbatim(str(error)))
        return None
    st.session_state[f"{prefix}last_source"] = sample
    return source


def _last(prefix: str) -> Source | None:
    """The source shown last, if it is still in the store."""
    last = st.session_state.get(f"{prefix}last_source")
    if isinstance(last, Sample):
        return Source(cached.sample_scan(last), cached.sample_labels(last), last.groups)
    return None if last is None else last.source()


def _uploaded(
    file: UploadedFile | None, structures: Sequence[Structure], prefix: str, channels: Collection[int]
) -> Source | None:
    if file is None:
        if not uploads.tell_if_lost(f"{prefix}scan_file"):
            st.info(ASKED)
        return None
    opened, scan = _read_scan(file, prefix, channels)
    if scan is None:
        st.error(verbatim(opened.error or ""))
        return None
    scan = _with_other_channels(scan, prefix, channels)
    labels, volume, groups = _read_labels(scan, structures, prefix)
    st.session_state[f"{prefix}last_source"] = _Last(opened, labels, groups)
    return Source(scan, volume, groups)


def _read_scan(file: UploadedFile, prefix: str, channels: Collection[int]) -> tuple[Opened, Scan | None]:
    """The scan of a file; of a file with several volumes, the one that is chosen in the sidebar."""
    opened, scan = uploads.opened(
        f"{prefix}opened_scan", (file.file_id,), lambda content: read_scan(content, name=file.name), file
    )
    if opened.choice is None:
        return opened, scan
    volumes = opened.choice.volumes
    volume = _choose_volume(opened.choice, f"{prefix}volume")
    together = volumes in channels
    if together:
        st.caption(f"Networks of {volumes} channels see all volumes at once; the chosen one is drawn.")

    def read(content: bytes) -> Scan:
        if together:
            return with_shown(read_channels(content, name=file.name, most=volumes), volume)
        return read_scan(content, name=file.name, volume=volume)

    return uploads.opened(f"{prefix}opened_volume", (file.file_id, volume, together), read, file)


def _with_other_channels(scan: Scan, prefix: str, channels: Collection[int]) -> Scan:
    """A scan of a single volume stacked with others of its grid, where networks see as many at once."""
    if not channels or scan.channels:
        return scan
    wanted = " or ".join(str(count - 1) for count in sorted(channels))
    files = st.file_uploader(
        f"Its other channels ({wanted} files)",
        SCAN_TYPES,
        accept_multiple_files=True,
        key=f"{prefix}channel_files",
        help="For networks that see several scans at once: the others, on the grid of this one, in the order of the "
        "network's channels.",
    )
    uploads.tell_if_lost(f"{prefix}channel_files")
    scans = [scan]
    for file in files:
        held = f"{prefix}opened_channel_{file.file_id}"
        opened, other = uploads.opened(held, (file.file_id,), partial(_read_single, file.name), file)
        if other is None:
            st.error(verbatim(opened.error or f"{file.name}: has {_volumes(opened)} volumes; give a file for each"))
            return scan
        scans.append(other)
    if len(scans) not in channels:
        return scan
    st.caption(verbatim("Channels: " + ", ".join(f"{n} {channel.name}" for n, channel in enumerate(scans, 1)) + "."))
    try:
        return stacked(scans)
    except ScanError as error:
        st.error(verbatim(str(error)))
        return scan


def _read_single(name: str, content: bytes) -> Scan:
    return read_scan(content, name=name)


def _volumes(opened: Opened) -> int:
    return 0 if opened.choice is None else opened.choice.volumes


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


def _read_labels(
    scan: Scan, structures: Sequence[Structure], prefix: str
) -> tuple[Opened | None, np.ndarray | None, tuple[Group, ...]]:
    """The uploaded labels of an uploaded scan, and the groups they name; none if they cannot be used."""
    file = st.file_uploader(
        "Its labels (optional)",
        LABEL_TYPES,
        key=f"{prefix}labels_file",
        help="A segmentation on the grid of the scan, with the class numbers of these networks; needed for Dice.",
    )
    if file is None:
        uploads.tell_if_lost(f"{prefix}labels_file")
        return None, None, ()
    opened, labels = uploads.opened(
        f"{prefix}opened_labels",
        (file.file_id, scan.digest),
        lambda content: read_labels(content, scan, name=file.name),
        file,
    )
    if labels is None:
        st.error(verbatim(opened.error or ""))
        return None, None, ()
    groups = own_groups(structures, labels)
    if not groups:
        st.error(
            verbatim(
                f"{file.name}: none of its numbers is a class of these networks; "
                f"use labels from 1 to {len(structures) - 1}"
            )
        )
        return None, None, ()
    return opened, labels, groups
