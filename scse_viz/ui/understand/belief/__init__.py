"""Understand, can the map be believed: tests of gates, measured before and live."""

from scse_viz.ui.understand.belief.part import draw

__all__ = ["draw"]
