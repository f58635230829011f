"""Caches of Models: what a slice costs in a network."""

import streamlit as st

from scse_viz.inference.cost import of_slice
from scse_viz.ui.shell import cached
from scse_viz.zoo import PRETRAINED, Card
from scse_viz.zoo.scores import NetworkResults, ResultsError, results


@cached.data
def cost(card: Card) -> tuple[int, tuple[int, int]]:
    """The multiply-adds of one slice through a network, and the slice's rows and columns."""
    return of_slice(card, _measured())


@st.cache_data(ttl="30s", show_spinner=False)
def _measured() -> dict[str, NetworkResults]:
    try:
        return results(PRETRAINED)
    except ResultsError:
        return {}
