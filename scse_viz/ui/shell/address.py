"""The address: what of a view it holds beside the widgets' own values, and what in it could not be used."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

import streamlit as st

from scse_viz.rendering.colours import GATE_SCALES

GATE_RANGES = ("fixed", "block")
"""The ends of the gates' colour scale: 0 and 1, or the lowest and highest gate of the block."""

Number = TypeVar("Number", int, float)
KEPT = (
    *("anatomy", "scan", "volume", "plane", "sagittal", "coronal", "axial"),
    *("architecture", "variant", "variants", "block", "blocks", "channels", "by_weight", "figure_format"),
    "explore_channel",
    *("understand", "understand_slices", "understand_relative", "understand_structure", "understand_sorted"),
    *("understand_against", "understand_step", "understand_reference", "understand_dice", "understand_lesson"),
    "understand_data",
    *("compare_architectures", "compare_minus", "compare_structure", "compare_block", "compare_measure"),
    *("compare_part", "compare_second", "compare_scan", "compare_volume"),
    *("compare_sagittal", "compare_coronal", "compare_axial"),
    *("intervene_gates", "intervene_structure", "intervene_seed", "intervene_sorted", "intervene_effect"),
    *("intervene_sweep", "intervene_sweep_action", "intervene_channels", "intervene_against", "intervene_all_blocks"),
)
"""Keys of widgets that keep their value while a page without them is open."""


@dataclass(frozen=True)
class PanelDisplay:
    """How panels are drawn: opacities and window in percent, zoom, and its centre in mm from the slice's corner.

    `range` says which gates the ends of their colour scale stand for. Each field is a key of the address, which lacks
    it while it has its default.
    """

    opacity: int = 70
    labels: int = 55
    scale: str = GATE_SCALES[0]
    range: str = GATE_RANGES[0]
    black: int = 0
    white: int = 100
    smooth: bool = False
    sorted: bool = False
    zoom: float = 1.0
    centre: tuple[float, float] | None = None


def _percent(text: str) -> int:
    return _within(int(text), 0, 100)


def _scale(text: str) -> str:
    if text not in GATE_SCALES:
        raise ValueError(text)
    return text


def _range(text: str) -> str:
    if text not in GATE_RANGES:
        raise ValueError(text)
    return text


def _switch(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _zoom(text: str) -> float:
    return _within(float(text), 1.0, 16.0)


def _centre(text: str) -> tuple[float, float]:
    x, y = (_within(float(part), 0.0, 10_000.0) for part in text.split(","))
    return x, y


_READERS = {
    "opacity": _percent,
    "labels": _percent,
    "scale": _scale,
    "range": _range,
    "black": _percent,
    "white": _percent,
    "smooth": _switch,
    "sorted": _switch,
    "zoom": _zoom,
    "centre": _centre,
}


def read_display(address: Mapping[str, str]) -> tuple[PanelDisplay, list[str]]:
    """The display of an address, and the keys whose value could not be used."""
    values: dict[str, Any] = {}
    lost: list[str] = []
    for key, reader in _READERS.items():
        if key in address:
            try:
                values[key] = reader(address[key])
            except (ValueError, KeyError):
                lost.append(key)
    display = PanelDisplay(**values)
    if display.black >= display.white:
        lost += [key for key in ("black", "white") if key in address]
        display = PanelDisplay(**{**values, "black": PanelDisplay.black, "white": PanelDisplay.white})
    return display, lost


def write_display(values: Mapping[str, Any]) -> None:
    """Put a display that the browser reports into the address; what it reports wrongly is left as it is."""
    display, _ = read_display({key: _text(value) for key, value in values.items() if value is not None})
    for field in fields(PanelDisplay):
        value = getattr(display, field.name)
        if value != field.default:
            st.query_params[field.name] = _text(value)
        elif field.name in st.query_params:
            del st.query_params[field.name]


def first_display() -> dict[str, Any]:
    """The display that this session began with; later changes are the browser's, which keeps them itself."""
    return asdict(st.session_state["first_display"])


def begin() -> None:
    """Remember, at the first run of a session, what its address asks for; and in every run, what `KEPT` names."""
    for key in KEPT:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]  # else Streamlit forgets a widget that is not drawn
    if "asked" not in st.session_state:
        st.session_state["asked"] = {key: st.query_params.get_all(key) for key in st.query_params}
        display, lost = read_display(dict(st.query_params))
        st.session_state["first_display"], st.session_state["lost"] = display, lost


def note_lost(keys: Iterable[str]) -> None:
    """Say which values of the address could not be used: those asked for that the widgets `keys` do not have."""
    asked, st.session_state["asked"] = st.session_state["asked"], {}  # later changes of the address are the widgets'
    for key in keys:
        if key in asked and key in st.session_state and not _same(asked[key], st.session_state[key]):
            st.session_state["lost"].append(key)
    if lost := st.session_state["lost"]:
        st.caption(f"Not everything in this link could be used: {', '.join(lost)}. The usual values stand in.")


def _same(asked: list[str], value: Any) -> bool:
    held = value if isinstance(value, list | tuple) else [value]
    return {text.lower() for text in asked if text} == {str(each).lower() for each in held}


def _within(value: Number, low: Number, high: Number) -> Number:
    if not low <= value <= high:
        raise ValueError(f"{value} is not in {low} to {high}")
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(_text(each) for each in value)
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)
