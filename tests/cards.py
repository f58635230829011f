"""A card of a tiny network, for tests that need one; `dataclasses.replace` makes others of it."""

from scse_viz.zoo import Card
from scse_viz.zoo.structures import Structure

TINY = Card(
    name="tiny-unet-scse",
    anatomy="tiny",
    architecture="unet",
    variant="scse",
    widths=(4, 4, 6, 6, 8),
    structures=(Structure(0, "background", "#000000"), Structure(1, "square", "#ff0000")),
    planes=("axial", "coronal", "sagittal"),
    parameters=0,
    sha256="",
)
