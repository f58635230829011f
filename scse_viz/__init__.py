"""Look inside segmentation networks that recalibrate their features with squeeze-and-excitation blocks.

`explore` and `compare` draw a network, or several, on an image in a notebook; see `scse_viz.notebook`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
_NOTEBOOK = ("compare", "explore")


def __getattr__(name: str) -> Any:
    """The functions for notebooks, whose libraries are imported when they are first asked for."""
    if name in _NOTEBOOK:
        return getattr(import_module("scse_viz.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
