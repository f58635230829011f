"""How the pages name variants, architectures and conventions."""

import re

from scse_viz.blocks import VARIANTS

VARIANT_TITLES = {
    "none": "none",
    "cse": "cSE",
    "sse": "sSE",
    "scse": "scSE",
    "scse-max": "scSE max, r = 2",
    "scse-mul": "scSE multiply",
    "scse-concat": "scSE concatenate",
    "scse-r16": "scSE, r = 16",
    "eca": "ECA",
    "soca": "SOCA",
    "cbam": "CBAM",
    "pe": "PE",
    "nonlocal": "non-local",
    "ag": "AG on skips",
}
ARCHITECTURE_TITLES = {"unet": "U-Net", "sdnet": "SD-Net", "densenet": "DenseNet"}
CONVENTIONS = ("neurological", "radiological")
"""Which side of the head is drawn left: its left, or its right."""


def variant_title(variant: str) -> str:
    """The name of a variant as the papers write it; its own where they have none."""
    return VARIANT_TITLES.get(variant, variant)


def architecture_title(architecture: str) -> str:
    """The name of an architecture as its paper writes it."""
    return ARCHITECTURE_TITLES.get(architecture, architecture)


def verbatim(text: str) -> str:
    """Text escaped for Markdown, so that it is shown as it is: a file may be called `a_b_[c](d)`."""
    return re.sub(r"([\\`*_\[\]<>$~:#|])", r"\\\1", text)


ALL_VARIANT_TITLES = tuple(variant_title(variant) for variant in VARIANTS)


def convention(radiological: bool) -> str:
    """Which side of the head is drawn left, in words."""
    return "radiological: right is drawn left" if radiological else "neurological: left is drawn left"
