"""Understand: what gates have to do with structures and with errors, how they grew, and how they work."""

import streamlit as st

from scse_viz.ui import (
    sidebar,
    state,
    takeaway,
    understand_errors,
    understand_growth,
    understand_learn,
    understand_structures,
)

PART = "understand"
PARTS = {
    "By structure": understand_structures,
    "Attention and error": understand_errors,
    "Growth": understand_growth,
    "Learn": understand_learn,
}
WIDGETS = (*sidebar.KEYS, PART, *dict.fromkeys(key for part in PARTS.values() for key in part.KEYS), *takeaway.KEYS)


def page() -> None:
    """The page: one of its four parts."""
    view = sidebar.view()
    chosen = st.segmented_control(
        "Part",
        list(PARTS),
        default=next(iter(PARTS)),
        required=True,
        key=PART,
        bind="query-params",
        label_visibility="collapsed",
        help="By structure and Attention and error look at the scan in the sidebar; Growth at the training of the "
        "networks; Learn explains the blocks on the slice.",
    )
    PARTS[chosen].draw(view)
    state.note_lost(WIDGETS)
