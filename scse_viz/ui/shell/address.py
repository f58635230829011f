"""The address of a view: its keys, what a link may give them, and the values that could not be used."""

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


@dataclass(frozen=True)
class Key:
    """A key of the address: what a link may give it, in words, its default, and how its text is read.

    `default` is None where the widget or the page gives one, which may depend on the scan or the network. `read` raises
    ValueError or KeyError for text that cannot be used; it is `str` where the widget or its part of a page checks it.
    """

    holds: str
    default: Any = None
    read: Callable[[str], Any] = str


KEYS: Mapping[str, Key] = {
    "opacity": Key("0 to 100", 70, _percent),
    "labels": Key("0 to 100", 55, _percent),
    "scale": Key("a colour scale of gates", GATE_SCALES[0], partial(_one_of, GATE_SCALES)),
    "range": Key("fixed or block", GATE_RANGES[0], partial(_one_of, GATE_RANGES)),
    "black": Key("0 to 100, below white", 0, _percent),
    "white": Key("0 to 100, above black", 100, _percent),
    "smooth": Key("true or false", False, _switch),
    "sorted": Key("true or false", False, _switch),
    "zoom": Key("1 to 16", 1.0, _zoom),
    "centre": Key("two numbers in mm", None, _centre),
    "point": Key("the row and column of a pixel of the slice"),
    "volume_display": Key("a view, four percentages and three switches", "all,100,60,0,0,1,1,1"),
    "intervene": Key("changes of blocks that the network has", ""),
    "anatomy": Key("an anatomy that the networks segment"),
    "scan": Key("a sample, or your own file"),
    "volume": Key("the number of a volume of the file"),
    "plane": Key("sagittal, coronal or axial"),
    "convention": Key("neurological or radiological"),
    **dict.fromkeys(("sagittal", "coronal", "axial"), Key("a slice of the scan")),
    "architecture": Key("an architecture of this anatomy"),
    "variant": Key("a variant of this architecture"),
    "relative": Key("a relative that this architecture has"),
    "variants": Key("variants of this architecture"),
    "relatives": Key("relatives that this architecture has"),
    "block": Key("a block of the network"),
    "blocks": Key("blocks of the networks"),
    "channels": Key("a block of the networks, or all"),
    "by_weight": Key("true or false"),
    "figure_format": Key("png or svg"),
    "explore_channel": Key("a channel of the block"),
    "understand": Key("a part of the page"),
    "understand_slices": Key("this slice, or the whole plane"),
    "understand_relative": Key("true or false"),
    "understand_structure": Key("a structure of this anatomy"),
    "understand_believed_structure": Key("a structure that was tested"),
    "understand_live_structure": Key("a structure of this slice"),
    "understand_sorted": Key("true or false"),
    "understand_against": Key("error or entropy"),
    "understand_step": Key("a step of the training"),
    "understand_reference": Key("the number of a reference slice"),
    "understand_dice": Key("a structure of this anatomy, or their mean"),
    "understand_lesson": Key("a lesson"),
    "understand_relatives": Key("a relative"),
    "understand_data": Key("a data set that was measured"),
    "compare_architectures": Key("architectures of this anatomy"),
    "compare_others": Key("networks of other anatomies, or opened ones"),
    "compare_align": Key("name or resolution"),
    "compare_minus": Key("a network that is shown"),
    "compare_structure": Key("a structure of this anatomy, or their mean"),
    "compare_block": Key("a block of the networks, or their mean"),
    "compare_measure": Key("a measure of likeness"),
    "compare_part": Key("a tab of the page"),
    "compare_second": Key("true or false"),
    "compare_scan": Key("a sample, or your own file"),
    "compare_volume": Key("the number of a volume of the file"),
    **dict.fromkeys(("compare_sagittal", "compare_coronal", "compare_axial"), Key("a slice of the second scan")),
    "intervene_stage": Key("a stage of the network"),
    "intervene_gates": Key("which gates actions change"),
    "intervene_structure": Key("a structure of this anatomy"),
    "intervene_seed": Key("0 to 9999"),
    "intervene_sorted": Key("true or false"),
    "intervene_effect": Key("a measure of the effect"),
    "intervene_sweep": Key("true or false"),
    "intervene_sweep_action": Key("an action on gates"),
    "intervene_channels": Key("true or false"),
    "intervene_against": Key("what channels are ranked by"),
    "intervene_all_blocks": Key("true or false"),
    "volume_number": Key("a number to draw by block and slice"),
    "cohort": Key("a cohort that the server offers"),
    "cohort_model": Key("a network of the cohort"),
    "cohort_block": Key("a block of the network"),
    "cohort_gate": Key("a gate of the block"),
    "cohort_structure": Key("a structure, or all"),
    "cohort_measure": Key("a measure of the gate"),
    "cohort_group": Key("a column that makes groups"),
    "cohort_reference": Key("a group"),
    "cohort_against": Key("a column of numbers"),
}
"""Every key of the address: of the panels' display, of what else pages put there, and of widgets.

Of these keys, those of widgets alone are in the session's state."""

RENAMED: Mapping[str, Mapping[str, str]] = {
    "compare_measure": {
        "Correlation of sSE maps": "Correlation of spatial gates",
        "Overlap of sSE maps": "Overlap of spatial gates",
        "Rank correlation of cSE weights": "Rank correlation of channel gates",
    },
    "intervene_gates": {"channel gate (cSE)": "channel gate", "spatial gate (sSE)": "spatial gate"},
    "intervene_against": {"cSE weight": "channel weight"},
}
"""What older links call values -> what these are called now; either may be followed by a comma and more."""


@dataclass(frozen=True)
class PanelDisplay:
    """How panels are drawn: opacities and window in percent, zoom, and its centre in mm from the slice's corner.

    `range` is one of GATE_RANGES. Each field is a key of the address, which lacks it while it has its default.
    """

    opacity: int = KEYS["opacity"].default
    labels: int = KEYS["labels"].default
    scale: str = KEYS["scale"].default
    range: str = KEYS["range"].default
    black: int = KEYS["black"].default
    white: int = KEYS["white"].default
    smooth: bool = KEYS["smooth"].default
    sorted: bool = KEYS["sorted"].default
    zoom: float = KEYS["zoom"].default
    centre: tuple[float, float] | None = KEYS["centre"].default


def read_display(address: Mapping[str, str]) -> tuple[PanelDisplay, list[str]]:
    """The display of an address, and the keys whose value could not be used."""
    values: dict[str, Any] = {}
    lost: list[str] = []
    for key in (field.name for field in fields(PanelDisplay)):
        if key in address:
            try:
                values[key] = KEYS[key].read(address[key])
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
        put(field.name, getattr(display, field.name))


def first_display() -> dict[str, Any]:
    """The display that this session began with; the browser keeps later changes itself."""
    return asdict(st.session_state[_DISPLAY])


def begin() -> None:
    """Keep, in the first run of a session, what its address asks for, and in every run, the values of widgets."""
    for key in KEYS:
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


def put(key: str, value: Any) -> None:
    """Set a key of the address that belongs to no widget; its default, or None, removes it."""
    if value not in (None, KEYS[key].default):
        st.query_params[key] = _text(value)
    elif key in st.query_params:
        del st.query_params[key]


def lose(key: str) -> None:
    """Note that the value of this key in the address cannot be used."""
    st.session_state[_LOST].append(key)


def draw_lost() -> None:
    """Say which values of the address could not be used; to be called once the widgets of a page are drawn."""
    asked, st.session_state[_ASKED] = st.session_state[_ASKED], {}  # later changes of the address come from widgets
    for key in KEYS:
        if key in asked and key in st.session_state and not _same(asked[key], st.session_state[key]):
            lose(key)
    if lost := st.session_state[_LOST]:
        named = ", ".join(f"{key} ({KEYS[key].holds})" for key in lost)
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
