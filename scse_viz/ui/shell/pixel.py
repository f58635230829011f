"""The pixel of the slice that was picked in the maps of Explore or Compare, kept in the address."""

from dataclasses import dataclass

import streamlit as st

from scse_viz.ui.shell import address
from scse_viz.ui.shell.sidebar import View

KEY = "point"
"""The key of the pixel in the address."""
_HELD = "picked_point"


@dataclass(frozen=True)
class _Point:
    """A picked pixel, and the scan and plane in which it was picked."""

    digest: str
    plane: str
    pixel: tuple[int, int]


def picked(view: View) -> tuple[int, int] | None:
    """The pixel (row, column) that was picked in slices of this scan and plane, else None.

    It is kept in the address; a pixel there that lies outside the slice is noted as lost.
    """
    if _HELD not in st.session_state:
        st.session_state[_HELD] = _asked(view)
    held = st.session_state[_HELD]
    if held is None or (held.digest, held.plane) != (view.scan.digest, view.plane):
        address.put(KEY, None)
        return None
    address.put(KEY, f"{held.pixel[0]},{held.pixel[1]}")
    return held.pixel


def pick(view: View, row: int, column: int) -> None:
    """Keep a pixel that was picked."""
    st.session_state[_HELD] = _Point(view.scan.digest, view.plane, (row, column))


def forget() -> None:
    """Pick no pixel."""
    st.session_state[_HELD] = None


def _asked(view: View) -> _Point | None:
    text = st.query_params.get(KEY)
    if text is None:
        return None
    shape = view.slice.grid
    try:
        row, column = (int(part) for part in text.split(","))
    except ValueError:
        row, column = -1, -1
    if 0 <= row < shape.height and 0 <= column < shape.width:
        return _Point(view.scan.digest, view.plane, (row, column))
    address.lose(KEY)
    return None
