"""Keyboard shortcuts of Understand."""

from functools import partial

import streamlit as st

from scse_viz.ui.components.keys import keys
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.variants import FIRST_VARIANTS, show
from scse_viz.zoo import Card
from scse_viz.zoo.titles import variant_title

MAPS = {"spatial_gate", "full_gate"}
"""Gates that differ by pixel."""


def choose_variants(view: View, card: Card) -> None:
    """Let the keys 1 to 4 choose one of the first variants of the architecture."""
    family = [sibling for sibling in view.networks.values() if sibling.architecture == card.architecture]
    titles = [variant_title(sibling.variant) for sibling in family[:FIRST_VARIANTS]]
    actions = {str(number): partial(show, title) for number, title in enumerate(titles, start=1)}
    with st.sidebar:  # at its end, where an element without height shifts nothing
        keys.listen(actions, key="understand_keys")
