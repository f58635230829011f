"""Caches of Models: what a slice costs in a network."""

from scse_viz.inference.cost import of_slice
from scse_viz.ui.shell import cached
from scse_viz.zoo import Card


@cached.data
def cost(card: Card) -> tuple[int, tuple[int, int]]:
    """The multiply-adds of one slice through a network, and the slice's rows and columns."""
    return of_slice(card, cached.network_results())
