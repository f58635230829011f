"""The zoo: networks with their cards and weights, the structures they name, scores and training history."""

from scse_viz.zoo.cards import (
    DTYPES,
    OWN_FOLDERS,
    PRETRAINED,
    Card,
    Listing,
    WeightsError,
    cards,
    folders,
    home,
    listing,
    read_card,
    write_card,
)
from scse_viz.zoo.preprocessing import Preprocessing, Window
from scse_viz.zoo.weights import load, save

__all__ = [
    "DTYPES",
    "OWN_FOLDERS",
    "PRETRAINED",
    "Card",
    "Listing",
    "Preprocessing",
    "WeightsError",
    "Window",
    "cards",
    "folders",
    "home",
    "listing",
    "load",
    "read_card",
    "save",
    "write_card",
]
