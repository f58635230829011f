"""The address of a view: the widgets and the display that it holds, and the values that could not be used."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from scse_viz.rendering.colours import GATE_SCALES

GATE_RANGES = ("fixed", "block")
"""The ends of the gates' colour scale: 0 and 1, or the lowest and highest gate of the block."""

Number = TypeVar("Number", int, float)
_ASKED, _LOST, _DISPLAY = "asked", "lost", "first_display"
WIDGETS: Mapping[str, str] = {
    "anatomy": "an anatomy that the networks segment",
    "scan": "a sample, or your own file",
    "volume": "the number of a volume of the file",
    "plane": "sagittal, coronal or axial",
    "convention": "neurological or radiological",
    **dict.fromkeys(("sagittal", "coronal", "axial"), "a slice of the scan"),
    "architecture": "an architecture of this anatomy",
    "variant": "a variant of this architecture",
    "relative": "a relative that this architecture has",
    "variants": "variants of this architecture",
    "relatives": "relatives that this architecture has",
    "block": "a block of the network",
    "blocks": "blocks of the networks",
    "channels": "a block of the networks, or all",
    "by_weight": "true or false",
    "figure_format": "png or svg",
    "explore_channel": "a channel of the block",
    "understand": "a part of the page",
    "understand_slices": "this slice, or the whole plane",
    "understand_relative": "true or false",
    "understand_structure": "a structure of this anatomy",
    "understand_sorted": "true or false",
    "understand_against": "error or entropy",
    "understand_step": "a step of the training",
    "understand_reference": "the number of a reference slice",
    "understand_dice": "a structure of this anatomy, or their mean",
    "understand_lesson": "a lesson",
    "understand_relatives": "a relative",
    "understand_data": "a data set that was measured",
    "compare_architectures": "architectures of this anatomy",
    "compare_others": "networks of other anatomies, or opened ones",
    "compare_align": "name or resolution",
    "compare_minus": "a network that is shown",
    "compare_structure": "a structure of this anatomy, or their mean",
    "compare_block": "a block of the networks, or their mean",
    "compare_measure": "a measure of likeness",
    "compare_part": "a tab of the page",
    "compare_second": "true or false",
    "compare_scan": "a sample, or your own file",
    "compare_volume": "the number of a volume of the file",
    **dict.fromkeys(("compare_sagittal", "compare_coronal", "compare_axial"), "a slice of the second scan"),
    "intervene_stage": "a stage of the network",
    "intervene_gates": "which gates actions change",
    "intervene_structure": "a structure of this anatomy",
    "intervene_seed": "0 to 9999",
    "intervene_sorted": "true or false",
    "intervene_effect": "a measure of the effect",
    "intervene_sweep": "true or false",
    "intervene_sweep_action": "an action on gates",
    "intervene_channels": "true or false",
    "intervene_against": "what channels are ranked by",
    "intervene_all_blocks": "true or false",
    "volume_number": "a number to draw by block and slice",
    "cohort": "a cohort that the server offers",
    "cohort_model": "a network of the cohort",
    "cohort_block": "a block of the network",
    "cohort_gate": "a gate of the block",
    "cohort_structure": "a structure, or all",
    "cohort_measure": "a measure of the gate",
    "cohort_group": "a column that makes groups",
    "cohort_reference": "a group",
    "cohort_against": "a column of numbers",
}
"""Every widget whose value the address holds -> the values that a link may give it.

They keep their value while a page that lacks them is open."""


RENAMED: Mapping[str, Mapping[str, str]] = {
    "compare_measure": {
        "Correlation of sSE maps": "Correlation of spatial gates",
        "Overlap of sSE maps": "Overlap of spatial gates",
        "Rank correlation of cSE weights": "Rank correlation of channel gates",
    },
    "intervene_gates": {"channel gate (cSE)": "channel gate", "spatial gate (sSE)": "spatial gate"},
    "intervene_against": {"cSE weight": "channel weight"},
}
"""What older links call values of WIDGETS -> what these are called now; either may be followed by a comma and more."""


@dataclass(frozen=True)
class PanelDisplay:
    """How panels are drawn: opacities and window in percent, zoom, and its centre in mm from the slice's corner.

    `range` is one of GATE_RANGES. Each field is a key of the address, which lacks it while it has its default.
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


def _one_of(options: Sequence[str], text: str) -> str:
    if text not in options:
        raise ValueError(text)
    return text


def _switch(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _zoom(text: str) -> float:
    return _within(float(text), 1.0, 16.0)


def _centre(text: str) -> tuple[float, float]:
    x, y = (_within(float(part), 0.0, 10_000.0) for part in text.split(","))
    return x, y


_READERS: Mapping[str, Callable[[str], Any]] = {
    "opacity": _percent,
    "labels": _percent,
    "scale": partial(_one_of, GATE_SCALES),
    "range": partial(_one_of, GATE_RANGES),
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
    """Put a display that the browser reports into the address; defaults replace values that are out of range."""
    display, _ = read_display({key: _text(value) for key, value in values.items() if value is not None})
    for field in fields(PanelDisplay):
        value = getattr(display, field.name)
        put(field.name, _text(value) if value != field.default else None)


def first_display() -> dict[str, Any]:
    """The display that this session began with; the browser keeps later changes itself."""
    return asdict(st.session_state[_DISPLAY])


def begin() -> None:
    """Keep, in the first run of a session, what its address asks for, and in every run, the values of WIDGETS."""
    for key in WIDGETS:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]  # else Streamlit forgets widgets that are not drawn
    if _ASKED not in st.session_state:
        _rename()
        st.session_state[_ASKED] = {key: st.query_params.get_all(key) for key in st.query_params}
        st.session_state[_DISPLAY], st.session_state[_LOST] = read_display(dict(st.query_params))


def _rename() -> None:
    """Replace what an older link calls a value."""
    for key, names in RENAMED.items():
        first, comma, following = st.query_params.get(key, "").partition(",")
        if first in names:
            del st.query_params[key]
            st.session_state[key] = f"{names[first]}{comma}{following}"


def put(key: str, text: str | None) -> None:
    """Set a key of the address that belongs to no widget; None removes it."""
    if text:
        st.query_params[key] = text
    elif key in st.query_params:
        del st.query_params[key]


def lose(key: str) -> None:
    """Note that the value of this key in the address cannot be used."""
    st.session_state[_LOST].append(key)


def draw_lost() -> None:
    """Say which values of the address could not be used; to be called once the widgets of a page are drawn."""
    asked, st.session_state[_ASKED] = st.session_state[_ASKED], {}  # later changes of the address come from widgets
    for key in WIDGETS:
        if key in asked and key in st.session_state and not _same(asked[key], st.session_state[key]):
            lose(key)
    if lost := st.session_state[_LOST]:
        named = ", ".join(f"{key} ({WIDGETS[key]})" if key in WIDGETS else key for key in lost)
        st.caption(f"This link has values that cannot be used; defaults replace them: {named}.")


def _same(asked: list[str], value: Any) -> bool:
    held = value if isinstance(value, list | tuple) else [value]
    return {text.lower() for text in asked if text} == {str(element).lower() for element in held}


def _within(value: Number, low: Number, high: Number) -> Number:
    if not low <= value <= high:
        raise ValueError(f"{value} is not in {low} to {high}")
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(_text(element) for element in value)
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)
