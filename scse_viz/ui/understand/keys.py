"""Keys of the keyboard on Understand."""

from functools import partial

import streamlit as st

from scse_viz.ui.components.keys import keys
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import variant_title
from scse_viz.zoo import Card

FIRST_VARIANTS = 4


def choose_variants(view: View, card: Card) -> None:
    """Let 1 to 4 choose among the first variants of the architecture."""
    family = [each for each in view.networks.values() if each.architecture == card.architecture]
    titles = [variant_title(each.variant) for each in family[:FIRST_VARIANTS]]
    actions = {str(number): partial(_choose, title) for number, title in enumerate(titles, start=1)}
    with st.sidebar:  # at its end, where an element of no height moves nothing
        keys.listen(actions, key="understand_keys")


def _choose(title: str) -> None:
    st.session_state["variant"] = title
