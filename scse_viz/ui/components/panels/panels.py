"""The comparison as pictures: a component that draws small maps in the browser, which keeps opacity, colours and zoom.

Its message is made by `rendering.pictures.pack`: a header (see `message`) and the numbers of each map, at the map's own
resolution.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from scse_viz.rendering.colours import ACTIVATION_SCALE, GATE_SCALES, colour_scale
from scse_viz.rendering.panels import MAP_KINDS, Panel
from scse_viz.rendering.pictures import eight_bit, pack, picture
from scse_viz.ui.components.scripts import script
from scse_viz.ui.shell import address, cached
from scse_viz.ui.shell.sidebar import View
from scse_viz.zoo.structures import Structure

HERE = Path(__file__).parent
HINT = "Point at a panel: all of them read the same place."
_panels = st.components.v2.component(
    "scse_viz_panels",
    css=(HERE / "panels.css").read_text(encoding="utf-8"),
    js=script(HERE / "panels.js"),
)


@dataclass(frozen=True)
class Row:
    """A row of the comparison: its name, a line or two about it, and one panel per column.

    A `reference` is drawn before them, in place of name and detail.
    """

    name: str
    detail: str
    panels: tuple[Panel, ...]
    reference: Panel | None = None


def message(
    view: View,
    *,
    columns: Mapping[str, str],
    rows: Sequence[Row],
    structures: Sequence[Structure],
    reference: Panel | None = None,
    options: Mapping[str, Any] | None = None,
) -> bytes:
    """What the component needs to draw a slice: geometry in mm, panels, colours; columns: title -> detail.

    The first row holds the predictions; `reference` is drawn beside them, over the slice. `options` join the header:
    `least_columns` keeps room for that many columns, so that panels stay where they are while fewer are shown, `layout`
    "focus" makes the first panel large, `pick` lets a click choose a pixel, `picked` is the chosen one.
    """
    background = picture(eight_bit(view.slice.pixels, *cached.shown_intensities(view.scan)))
    references = [panel for panel in (reference, *(row.reference for row in rows)) if panel]
    every = [panel for row in rows for panel in row.panels] + references
    header: dict[str, Any] = {
        "slice": {"picture": background.name, **_geometry(view)},
        "voxel": _voxels(view),
        "structures": [{"name": structure.name, "colour": structure.colour} for structure in structures],
        "occurring": sorted({number for panel in every for number in panel.areas}),
        **_scales({panel.kind for panel in every}),
        "least_columns": 0,
        "columns": [{"title": title, "detail": detail} for title, detail in columns.items()],
        "rows": [_row(row) for row in rows],
        "display": address.first_display(),
        "hint": HINT,
        **(options or {}),
    }
    if reference:
        header["rows"][0]["reference"] = {**_cell(reference), "caption": "with its labels"}
    return pack(header, [background, *(panel.picture for panel in every if panel.picture)])


def draw(
    packed: bytes,
    key: str = "panels",
    *,
    on_pick: Callable[[int, int], None] | None = None,
    keep: Callable[[], object] | None = None,
) -> None:
    """Draw a message. What the user changes in the display goes into the address, without a run of the page.

    Each grid of a page has a key of its own; opacities, window and colours change in all of them together. `on_pick`
    receives the row and column of a clicked pixel, and the whole page runs again. `keep` writes to the address what the
    page itself holds there: the browser may report a display before the page's own values have reached it.
    """
    _draw(packed, key, on_pick, keep, picks=st.session_state.get(f"{key}_picks", 0))


@st.fragment
def _draw(
    packed: bytes,
    key: str,
    on_pick: Callable[[int, int], None] | None,
    keep: Callable[[], object] | None,
    *,
    picks: int,
) -> None:
    _panels(
        data=packed,
        key=key,
        on_display_change=partial(_remember, key, keep),
        on_picked_change=partial(_pick, key, on_pick),
    )
    if st.session_state.get(f"{key}_picks", 0) != picks:
        st.rerun()  # the page has not seen this pick yet


def _remember(key: str, keep: Callable[[], object] | None) -> None:
    address.write_display(st.session_state[key].display or {})
    if keep is not None:
        keep()


def _pick(key: str, on_pick: Callable[[int, int], None] | None) -> None:
    picked = st.session_state[key].picked
    if on_pick is None or picked is None:
        return
    if st.session_state[key].display:
        address.write_display(st.session_state[key].display)
    on_pick(*picked)
    st.session_state[f"{key}_picks"] = st.session_state.get(f"{key}_picks", 0) + 1


def _geometry(view: View) -> dict[str, Any]:
    """Size of the slice and the letters at its edges; `mirrored` where the right of the head is drawn left."""
    grid = view.slice.grid
    low, high = cached.shown_intensities(view.scan)
    letters = grid.letters
    if letters is not None and view.mirrored:
        top, right, bottom, left = letters
        letters = (top, left, bottom, right)
    return {
        "rows": grid.height,
        "columns": grid.width,
        "row_mm": grid.row_mm,
        "column_mm": grid.column_mm,
        "letters": letters,
        "mirrored": view.mirrored,
        "convention": view.convention,
        "low": low,
        "high": high,
        "alt": f"{view.scan.name}, {view.plane} slice {view.index} of {grid.count}",
    }


def _voxels(view: View) -> dict[str, Any]:
    """The voxel of the first pixel, the steps of a row and a column in voxels, and the transform from voxels to mm."""
    origin, down, right = (view.slice.voxel(*pixel) for pixel in ((0, 0), (1, 0), (0, 1)))
    return {
        "origin": [int(index) for index in origin],
        "row": [int(to) - int(start) for start, to in zip(origin, down, strict=True)],
        "column": [int(to) - int(start) for start, to in zip(origin, right, strict=True)],
        "affine": view.scan.affine.tolist() if view.scan.oriented else None,
    }


def _scales(kinds: set[str]) -> dict[str, Any]:
    """The colour scales that maps of these kinds are drawn with."""
    return {
        "gate_scales": GATE_SCALES,
        "activation_scale": ACTIVATION_SCALE,
        "scales": {name: _colours(name) for name in (*GATE_SCALES, ACTIVATION_SCALE)},
        "kinds": {
            kind: {**asdict(drawn), "scale": _colours(drawn.scale)}
            for kind, drawn in MAP_KINDS.items()
            if kind in kinds
        },
    }


def _colours(scale: str) -> str:
    return base64.b64encode(colour_scale(scale).tobytes()).decode()


def _row(row: Row) -> dict[str, Any]:
    return {
        "title": row.name,
        "detail": row.detail,
        "cells": [_cell(panel) for panel in row.panels],
        "reference": row.reference and _cell(row.reference),
    }


def _cell(panel: Panel) -> dict[str, Any]:
    return {
        "kind": panel.kind,
        "alt": panel.alt,
        "picture": panel.picture and panel.picture.name,
        "map_mm": panel.map_mm,
        "span": panel.span,
        "channels": panel.channels,
        "note": panel.note,
        "mean": panel.mean,
        "readings": panel.readings,
        "flat": panel.flat,
        "caption": _caption(panel) if panel.caption is None else panel.caption,
        "weights": panel.channels and f"{len(panel.channels)} channel weights",
    }


def _caption(panel: Panel) -> str:
    if panel.kind == "labels":
        return "1 structure" if len(panel.areas) == 1 else f"{len(panel.areas)} structures"
    if panel.kind == "none":
        return f"{len(panel.channels or ())} channel weights"
    return f"mean gate {panel.mean:.2f}" if panel.kind == "gate" else f"mean {panel.mean:.2g} a.u."
