"""How the pages name variants, architectures and conventions."""

import re

from scse_viz.blocks import VARIANTS
from scse_viz.zoo import Card
from scse_viz.zoo.titles import variant_title

CONVENTIONS = ("neurological", "radiological")
"""Which side of the head is drawn left: its left, or its right."""
KIND_TITLES = {
    "channel_gate": "channel gate",
    "spatial_gate": "spatial gate",
    "full_gate": "full gate",
    "attention": "attention",
}
"""How the pages name the kinds of gates."""


def block_title(card: Card, block: str) -> str:
    """What a block is: the variant of a network of ours, else its gates and what they come out of."""
    info = next(row for row in card.block_table if row.name == block)
    if not info.kind:
        return variant_title(card.variant)
    gates = " and ".join(KIND_TITLES[gate] for gate in info.gates) or "no gate"
    return f"{gates}, out of {info.form}" if info.form else gates


def network_title(card: Card) -> str:
    """A network in a word beside its siblings: its variant, or its name where it is not one of ours."""
    return card.name if card.foreign else variant_title(card.variant)


def resolution(card: Card, scale: int) -> str:
    """The size of the pixels of a map, or, of a network that takes pixels of any size, their down-sampling factor."""
    pixel_mm = card.preprocessing.pixel_mm
    return f"1/{scale}" if pixel_mm is None else f"{scale * pixel_mm:g} mm"


def verbatim(text: str) -> str:
    """Text escaped for Markdown, so that it is shown as it is: a file may be called `a_b_[c](d)`."""
    return re.sub(r"([\\`*_\[\]<>$~:#|])", r"\\\1", text)


ALL_VARIANT_TITLES = tuple(variant_title(variant) for variant in VARIANTS)


def convention(radiological: bool) -> str:
    """Which side of the head is drawn left, in words."""
    return "radiological: right is drawn left" if radiological else "neurological: left is drawn left"
