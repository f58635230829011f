"""What the figures share."""

from collections.abc import Sequence
from itertools import cycle

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999")
"""Okabe and Ito's palette, which colour-blind people tell apart."""


def variant_colours(variants: Sequence[str]) -> dict[str, str]:
    """A colour for every variant, the same whichever of them are shown."""
    return dict(zip(variants, cycle(COLOURS), strict=False))
