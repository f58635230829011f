"""Keyboard keys that a page listens to wherever the focus is, except in a field.

`st.button(shortcut=)` would need a hidden button for each key, and also fires while a grid of maps has the focus, whose
arrow keys move its crosshair.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from scse_viz.ui.components.scripts import script

_LISTENERS = "keys_listeners"
_ORDER = "keys_order"
_keys = st.components.v2.component("scse_viz_keys", js=script(Path(__file__).with_name("keys.js")))


def listen(actions: Mapping[str, Callable[[], None]], *, key: str) -> None:
    """Call the action of a key when it is pressed, as `begin` does: `{"1": ..., "ArrowLeft": ...}`.

    Keys are named as in a browser's `KeyboardEvent.key`. In a field, a slider, a list or a grid of maps they keep their
    own meaning. An action may set the value of any widget, since none is drawn yet; call this after those widgets, so
    that the browser has their new values before it sends what was pressed meanwhile. Of two that listen to one key, the
    later in the run has it.
    """
    st.session_state.setdefault(_LISTENERS, {})[key] = actions
    st.session_state[_ORDER] = st.session_state.get(_ORDER, 0) + 1  # browsers mount components in any order
    data = {"keys": list(actions), "order": st.session_state[_ORDER], "handled": st.session_state.get(_handled(key), 0)}
    _keys(data=data, key=key, on_presses_change=_nothing)


def begin() -> None:
    """Call the actions of what was pressed, at the start of a run of the whole page, before any widget is drawn.

    Not in a callback: a fragment that runs alone, as progress does, may bring a press before the page's own message
    does, and that message would then set the widgets back.
    """
    st.session_state[_ORDER] = 0
    for key, actions in st.session_state.get(_LISTENERS, {}).items():
        if key in st.session_state:  # else it is of another page
            _act(key, actions)


def _act(key: str, actions: Mapping[str, Callable[[], None]]) -> None:
    """Call the actions of the presses since the last call, each once and in order."""
    last = st.session_state.get(_handled(key), 0)
    for number, pressed in st.session_state[key].presses or []:
        if number > last:
            st.session_state[_handled(key)] = number
            actions.get(pressed, _nothing)()


def _nothing() -> None:
    """The action of a key that the page no longer has."""


def _handled(key: str) -> str:
    """Where the number of the last press that was handled is kept."""
    return f"{key}_handled"
