"""The zoo: networks with their cards and weights, the structures they name, scores and training history."""

from scse_viz.zoo.cards import (
    DTYPES,
    OWN,
    PRETRAINED,
    Card,
    WeightsError,
    Window,
    cards,
    folders,
    home,
    read_card,
    write_card,
)
from scse_viz.zoo.weights import load, save

__all__ = [
    "DTYPES",
    "OWN",
    "PRETRAINED",
    "Card",
    "WeightsError",
    "Window",
    "cards",
    "folders",
    "home",
    "load",
    "read_card",
    "save",
    "write_card",
]
