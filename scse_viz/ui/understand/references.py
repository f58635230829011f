"""Left and right of the reference slices of training histories, which are not of the scan in the sidebar."""

from collections.abc import Iterable
from dataclasses import dataclass

from scse_viz.ui.shell.words import convention
from scse_viz.zoo import Card

PLANES = "references"
"""The fact of a card that names the planes of its reference slices: cut in RAS, from heads in MNI space."""


@dataclass(frozen=True)
class Sides:
    """Left and right of a reference slice: whether it is drawn mirrored, and the convention or its absence in words."""

    mirrored: bool
    words: str


def sides(cards: Iterable[Card], reference: int, *, radiological: bool) -> Sides:
    """How the reference slice of networks that are drawn together follows the convention.

    `scse-viz train` takes slices of the user's scans, which may not say which side is left; neither does the history.
    """
    planes = {_plane(card, reference) for card in cards}
    plane = planes.pop() if len(planes) == 1 else None
    if plane is None:
        words = (
            "left and right are not known, since it is of a scan that a network was trained with, and histories do not "
            "keep orientations; it is drawn alike in both conventions"
        )
        return Sides(mirrored=False, words=words)
    if plane == "sagittal":
        return Sides(mirrored=False, words="sagittal: alike in both conventions")
    return Sides(radiological, f"{plane}; {convention(radiological)}")


def _plane(card: Card, reference: int) -> str | None:
    """The plane of a reference slice; None where it is not known."""
    known = str((card.training or {}).get(PLANES, "")).split(", ")
    return known[reference] or None if reference < len(known) else None
