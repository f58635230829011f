"""Small maps in rows, written as HTML: square pixels, one colour scale for all, a text alternative for each."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from scse_viz.rendering.png import coloured_png, gradient

STYLE = """<style>
.tiles { display: flex; gap: 10px; align-items: flex-start; padding-bottom: 8px; }
.tiles figure { margin: 0; flex: 0 1 150px; min-width: 0; }
.tiles img { width: 100%; image-rendering: pixelated; border-radius: 4px; display: block; background: #000; }
.tiles figcaption { font-size: 12px; line-height: 1.3; padding-top: 3px; }
.tiles .sign { align-self: center; font-size: 20px; padding-bottom: 20px; }
.tiles-key { display: inline-flex; gap: 6px; align-items: center; font-size: 12px; }
.tiles-key i { width: 120px; height: 9px; border-radius: 2px; }
</style>"""
NAMED = """<style>.tiles-key.placed::after { content: "· CONVENTION"; }</style>"""
MIRRORED = """<style>.tiles img.placed { transform: scaleX(-1); }</style>"""


@dataclass(frozen=True, eq=False)
class Tile:
    """A map (h, w) with a caption below it; `text` is its description for screen readers.

    One that is not `placed`, such as a matrix of channels, has no left and right of the slice.
    """

    values: np.ndarray
    caption: str
    text: str
    placed: bool = True


@dataclass(frozen=True)
class Scale:
    """The colours of all tiles: values from `low` to `high`, the name of a colour scale, and the unit."""

    low: float
    high: float
    colours: str
    unit: str


def draw(rows: Sequence[Sequence[Tile | str]], scale: Scale) -> None:
    """Draw rows of tiles; text between tiles is drawn as a sign, such as "+"."""
    placed = any(isinstance(cell, Tile) and cell.placed for row in rows for cell in row)
    st.html(STYLE + "".join(_row(row, scale) for row in rows) + _key(scale, placed))


def follow(convention: str, *, mirrored: bool) -> None:
    """Name the convention beside the colour scale of every placed tile of the page, and mirror these tiles or not."""
    st.html(NAMED.replace("CONVENTION", convention) + (MIRRORED if mirrored else ""))


def _row(row: Sequence[Tile | str], scale: Scale) -> str:
    cells = [
        f'<span class="sign">{html.escape(cell)}</span>' if isinstance(cell, str) else _figure(cell, scale)
        for cell in row
    ]
    return f'<div class="tiles">{"".join(cells)}</div>'


def _figure(tile: Tile, scale: Scale) -> str:
    data = base64.b64encode(coloured_png(tile.values, (scale.low, scale.high), scale.colours)).decode()
    alt = html.escape(tile.text, quote=True)
    picture = f'<img class="{"placed" if tile.placed else ""}" alt="{alt}" src="data:image/png;base64,{data}">'
    return f"<figure>{picture}<figcaption>{html.escape(tile.caption)}</figcaption></figure>"


def _key(scale: Scale, placed: bool) -> str:
    bar = f'<i style="background: {gradient(scale.colours)}"></i>'
    ends = f"{scale.low:.3g}{bar}{scale.high:.3g} {html.escape(scale.unit)}"
    return f'<div class="tiles-key{" placed" if placed else ""}">{ends}</div>'
