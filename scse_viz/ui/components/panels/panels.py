"""The comparison as pictures: a component that draws small maps in the browser, where opacity, colours and zoom live.

Its message, `pictures.pack`: a header (see `message`) and one PNG of numbers for each map, at the map's own resolution.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from scse_viz.rendering.colours import ACTIVATION_SCALE, GATE_SCALES, colour_scale
from scse_viz.rendering.panels import MAP_KINDS, Panel, eight_bit, pack, picture_name, png
from scse_viz.scans import ScanSlice
from scse_viz.ui.shell import address
from scse_viz.zoo.structures import Structure

HERE = Path(__file__).parent
PARTS = ("data", "draw", "controls", "view", "sight", "focus", "save", "pointer")
HINT = "Point at a panel: all of them read the same place."
_panels = st.components.v2.component(
    "scse_viz_panels",
    css=(HERE / "panels.css").read_text(encoding="utf-8"),
    js="\n".join((HERE / f"{part}.js").read_text(encoding="utf-8") for part in PARTS),
)


@dataclass(frozen=True)
class Row:
    """A row of the comparison: its name, a line or two about it, and a panel for every column.

    A `reference` is drawn before them, in the place of name and detail.
    """

    name: str
    detail: str
    panels: tuple[Panel, ...]
    reference: Panel | None = None


def message(
    scan_slice: ScanSlice,
    *,
    intensities: tuple[float, float],
    columns: Mapping[str, str],
    rows: Sequence[Row],
    structures: Sequence[Structure],
    reference: Panel | None = None,
    places: int = 0,
    options: Mapping[str, Any] | None = None,
) -> bytes:
    """What the component needs to draw a slice: geometry in mm, panels, colours; columns: title -> detail.

    The first row holds the predictions; `reference` is drawn beside them, over the slice. Room is kept for `places`
    columns, so that panels stay as large and where they are while fewer are shown. `options` join the header:
    `layout` "focus" makes the first panel large, `pick` lets a click choose a pixel, `picked` is the one chosen.
    """
    scan, grid = scan_slice.scan, scan_slice.grid
    background = png(eight_bit(scan_slice.pixels, *intensities))
    origin, down, right = (scan_slice.voxel(*place) for place in ((0, 0), (1, 0), (0, 1)))
    references = [panel for panel in (reference, *(row.reference for row in rows)) if panel]
    every = [panel for row in rows for panel in row.panels] + references
    occurring = sorted({number for panel in every for number in panel.areas})
    header: dict[str, Any] = {
        "slice": {
            "picture": picture_name(background),
            "rows": grid.height,
            "columns": grid.width,
            "row_mm": grid.row_mm,
            "column_mm": grid.column_mm,
            "letters": grid.letters,
            "low": intensities[0],
            "high": intensities[1],
            "alt": f"{scan.name}, {scan_slice.plane} slice {scan_slice.index} of {grid.count}",
        },
        "voxel": {
            "origin": [int(place) for place in origin],
            "row": [int(to) - int(start) for start, to in zip(origin, down, strict=True)],
            "column": [int(to) - int(start) for start, to in zip(origin, right, strict=True)],
            "affine": scan.affine.tolist() if scan.oriented else None,
        },
        "structures": [{"name": each.name, "colour": each.colour} for each in structures],
        "occurring": occurring,
        "gate_scales": GATE_SCALES,
        "activation_scale": ACTIVATION_SCALE,
        "scales": {
            name: base64.b64encode(colour_scale(name).tobytes()).decode() for name in (*GATE_SCALES, ACTIVATION_SCALE)
        },
        "kinds": {
            kind: {**asdict(each), "scale": base64.b64encode(colour_scale(each.scale).tobytes()).decode()}
            for kind, each in MAP_KINDS.items()
            if any(panel.kind == kind for panel in every)
        },
        "places": places,
        "columns": [{"title": title, "detail": detail} for title, detail in columns.items()],
        "rows": [
            {
                "title": row.name,
                "detail": row.detail,
                "cells": [_cell(panel) for panel in row.panels],
                "reference": row.reference and _cell(row.reference),
            }
            for row in rows
        ],
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
    """Draw a message. What a person changes in the display goes into the address, without a run of the page.

    Several grids of one page have a key each; opacities, window and colours are changed in all of them together.
    `on_pick` is told the row and column of a pixel that was clicked, and the whole page runs again. `keep` puts into
    the address what the page itself holds there: the browser may report a display before it has heard of it.
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
        st.rerun()  # this fragment knows of a pick that its page does not


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


def _cell(panel: Panel) -> dict[str, Any]:
    return {
        "kind": panel.kind,
        "alt": panel.alt,
        "picture": panel.picture and picture_name(panel.picture),
        "map_mm": panel.map_mm,
        "span": panel.span,
        "channels": panel.channels,
        "note": panel.note,
        "mean": panel.mean,
        "readings": panel.readings,
        "caption": _caption(panel) if panel.caption is None else panel.caption,
        "weights": panel.channels and f"{len(panel.channels)} channel weights",
    }


def _caption(panel: Panel) -> str:
    if panel.kind == "labels":
        return "1 structure" if len(panel.areas) == 1 else f"{len(panel.areas)} structures"
    if panel.kind == "none":
        return f"{len(panel.channels or ())} channel weights"
    return f"mean gate {panel.mean:.2f}" if panel.kind == "gate" else f"mean {panel.mean:.2g} a.u."
