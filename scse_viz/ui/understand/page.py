"""Understand: gates against structures and errors, their health, their training history, and how blocks work."""

import streamlit as st

from scse_viz.ui.shell import address, sidebar
from scse_viz.ui.understand import belief, errors, health, history, learn, structures

PART = "understand"
PARTS = {
    "By structure": structures,
    "Attention and error": errors,
    "Gate health": health,
    "Can the map be believed?": belief,
    "Training history": history,
    "Learn": learn,
}


def page() -> None:
    """Draw the chosen part of the page."""
    view = sidebar.view()
    chosen = st.segmented_control(
        "Part",
        list(PARTS),
        default=next(iter(PARTS)),
        required=True,
        key=PART,
        bind="query-params",
        label_visibility="collapsed",
        help="By structure, Attention and error, Gate health, Can the map be believed: gates on the scan in the "
        "sidebar. Training history: "
        "gates during training, on reference slices. Learn: the blocks step by step, on the slice in the sidebar.",
    )
    PARTS[chosen].draw(view)
    address.draw_lost()
