"""Uploaded files: read once for all sessions that open the same, kept in the store, read again if they were evicted."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile

from scse_viz.memory import Hold, in_words
from scse_viz.scans import Scan, ScanError, VolumeChoice
from scse_viz.ui.shell import cached, tab
from scse_viz.zoo import WeightsError
from scse_viz.zoo.foreign import OpenedNetwork

LOST = (
    "The server no longer has the file that is named above: it was restarted, or this page lost its connection for "
    "more than half a minute. Open the file again; you see the same view of it."
)

LEFT_OUT = "The file that is named above was not opened: {}. Close other tabs, or try again later."


@dataclass(frozen=True, eq=False)
class Opened:
    """What a session has of an uploaded file: where the store keeps what was read, its error, or the choice it needs.

    `asked` is what the reading depended on: the file, and its volume or scan.
    """

    asked: tuple[object, ...]
    kept: tuple[Hashable, ...] = ()
    error: str | None = None
    choice: VolumeChoice | None = None
    hold: Hold | None = field(default=None, repr=False)

    @property
    def value(self) -> Any | None:
        """What was read; None if reading failed or it was evicted."""
        return cached.store.find(self.kept) if self.kept else None


def keep_in_memory() -> None:
    """Let the server keep a file in memory while it comes in; from 1 MB on it would write it to a temporary file."""
    MultiPartParser.spool_max_size = 0  # a SpooledTemporaryFile of this size never reaches the disk


def tell_if_lost(key: str) -> bool:
    """Say so where an uploader names a file that the server has no longer, or never took; tells whether one does."""
    named = st.session_state.get(key)
    lost = [file for file in (named if isinstance(named, list) else [named]) if isinstance(file, DeletedFile)]
    reasons = [why for file in lost if (why := tab.why_left_out(file.file_id))]
    if reasons:
        st.error(LEFT_OUT.format(reasons[0]))
    elif lost:
        st.info(LOST)
    return bool(lost)


def opened(
    held_as: str, asked: tuple[object, ...], read: Callable[[bytes], Any], file: UploadedFile
) -> tuple[Opened, Any | None]:
    """What was read of an uploaded file; the session keeps where it is, under `held_as`."""
    held = st.session_state.get(held_as)
    if isinstance(held, Opened) and held.asked == asked:
        value = held.value
        if value is not None or not held.kept:
            return held, value
    result, value = _read(asked, read, file)
    st.session_state[held_as] = result
    return result, value


def _read(asked: tuple[object, ...], read: Callable[[bytes], Any], file: UploadedFile) -> tuple[Opened, Any | None]:
    content = file.getvalue()
    digest = sha256(content).hexdigest()
    kept = ("upload", digest, file.name, *asked[1:])  # not the number of this upload: others may open the same file
    try:
        _check_room(file)
        with st.spinner(f"Reading {file.name}", show_time=False), cached.pages.first():
            value = cached.store.get(kept, lambda: read(content))
    except VolumeChoice as choice:
        return Opened(asked, choice=choice.with_traceback(None)), None  # whose frames hold the file
    except (ScanError, WeightsError) as error:
        return Opened(asked, error=str(error)), None
    hold = Hold((digest, *_digests(value)), len(content))
    cached.store.hold(hold)
    tab.until_end(hold)
    return Opened(asked, kept, hold=hold), value


def _digests(value: Any) -> tuple[str, ...]:
    """The key under which results that belong to the value of a file are kept."""
    if isinstance(value, Scan):
        return (value.digest,)
    return (value.card.sha256,) if isinstance(value, OpenedNetwork) else ()


def _check_room(file: UploadedFile) -> None:
    """Refuses a file that would not fit even if everything evictable were evicted."""
    fixed, limit = cached.store.fixed, cached.store.limit
    if fixed + file.size > limit:
        raise ScanError(
            f"{file.name}: no memory is left for {in_words(file.size)}: open files and runs take {in_words(fixed)} of "
            f"{in_words(limit)}; close other tabs, or try again later"
        )
