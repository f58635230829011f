"""Three linked planes and the scan in space, drawn by NiiVue, which is shipped with this program.

Its code and each volume are messages of their own, which Streamlit does not send twice.
"""

import base64
import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from scse_viz.rendering.colours import GATE_SCALES, colour_scale
from scse_viz.rendering.panels import GATE_RANGE
from scse_viz.rendering.volumes import Layer
from scse_viz.ui.components.scripts import script
from scse_viz.ui.shell import address
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import convention
from scse_viz.zoo.structures import Structure

HERE = Path(__file__).parent
KEY = "volume_viewer"
DISPLAY = "volume_display"
"""The key of the display in the address."""
DEFAULT: str = address.KEYS[DISPLAY].default
KEPT = "volume_first_display"
SHOWN = ("all", "3d", "sagittal", "coronal", "axial")
ADDRESS = re.compile(rf"({'|'.join(SHOWN)})(,(\d\d?|100)){{4}}(,[01]){{3}}", re.ASCII)
"""A view, four percentages and three switches."""
LIBRARY = "niivue-0.69.0"
_part = st.components.v2.component("scse_viz_volume_part", js=script(HERE / "part.js"))
_viewer = st.components.v2.component(
    "scse_viz_volume_viewer",
    css=(HERE / "viewer.css").read_text(encoding="utf-8"),
    js=script(HERE / "viewer.js"),
)


@dataclass(frozen=True)
class ViewerDisplay:
    """How the viewer draws: opacities, and the lower end of the visible map, in percent of its scale.

    It is one value of the address, DISPLAY, which is absent while the display is DEFAULT.
    """

    show: str
    scan: int
    map: int
    labels: int
    since: int
    masked: bool
    cut: bool
    smooth: bool


def read_display(text: str) -> ViewerDisplay:
    """The display of an address, such as "3d,100,60,0,40,1,1,0". Raises ValueError for one that cannot be used."""
    if not ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is no display of the viewer: give a view, four percentages and three switches")
    show, *numbers = text.split(",")
    scan, map_, labels, since, masked, cut, smooth = map(int, numbers)
    return ViewerDisplay(show, scan, map_, labels, since, bool(masked), bool(cut), bool(smooth))


@dataclass(frozen=True)
class MapLegend:
    """What the map shows: a title, the values at the ends of its colour scale, and the scale's name."""

    title: str = ""
    span: tuple[float, float] = GATE_RANGE
    scale: str = GATE_SCALES[0]


def draw(
    view: View,
    voxel: Sequence[int],
    layers: Mapping[str, Layer],
    *,
    structures: Sequence[Structure],
    legend: MapLegend,
    on_pick: Callable[[Sequence[int]], None],
) -> None:
    """Draw layers ("scan", and "map" and "labels" where they exist) with the crosshair at a voxel.

    `on_pick` receives the voxel of the scan to which the user moved the crosshair, and the whole page runs again.
    """
    _send("library", LIBRARY, _library())
    for kind, layer in layers.items():
        _send(kind, layer.name, layer.content)
    scan = view.scan
    data: dict[str, Any] = {
        "library": LIBRARY,
        "layers": [{"kind": kind, "part": layer.name} for kind, layer in layers.items()],
        "plane": view.plane,
        "voxel": [int(index) for index in voxel],
        "steps": [int(step) for step in layers["scan"].steps],
        "shape": scan.voxels.shape,
        "oriented": scan.oriented,
        "radiological": view.radiological and scan.oriented,
        "convention": convention(view.radiological) if scan.oriented else "",
        "structures": [{"name": structure.name, "colour": structure.colour} for structure in structures],
        "display": asdict(_first_display()),
        "alt": f"{scan.name}: sagittal, coronal and axial plane through one voxel, and the scan in space. Arrow keys, "
        "Page Up and Page Down move the crosshair.",
    }
    if "map" in layers:
        colours = base64.b64encode(colour_scale(legend.scale).tobytes()).decode()
        data["map"] = {**asdict(legend), "colours": colours}
    _draw(data, on_pick)


@st.fragment
def _draw(data: Mapping[str, Any], on_pick: Callable[[Sequence[int]], None]) -> None:
    """A fragment of its own: a change of the display reaches the address without a run of the page."""
    event = _viewer(data=data, key=KEY, on_display_change=_remember, on_picked_change=lambda: None)
    if event.picked:
        on_pick([int(index) for index in event.picked])
        st.rerun()


def _first_display() -> ViewerDisplay:
    """The display that this session began with; later changes are the browser's, which keeps them itself."""
    if KEPT not in st.session_state:
        try:
            st.session_state[KEPT] = read_display(st.query_params.get(DISPLAY, DEFAULT))
        except ValueError:
            address.lose(DISPLAY)
            st.session_state[KEPT] = read_display(DEFAULT)
    return st.session_state[KEPT]


def _remember() -> None:
    values = st.session_state[KEY].display or {}
    try:
        text = ",".join(str(int(value) if isinstance(value, bool) else value) for value in values.values())
        read_display(text)
    except ValueError:
        return
    address.put(DISPLAY, text)


def _send(role: str, name: str, content: bytes) -> None:
    _part(data=bytes([len(name)]) + name.encode() + content, key=f"volume_part_{role}")


@cache
def _library() -> bytes:
    return gzip.compress((HERE / "niivue" / "niivue.js").read_bytes(), mtime=0)
