"""Gates of several networks at one snapshot, as a grid of small maps: networks in rows, blocks in columns.

HTML in place of panels: curves and all maps fit on one screen, and maps follow a slider without delay.
"""

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from scse_viz.analysis.gates import BlockGates
from scse_viz.rendering.colours import ACTIVATION_SCALE, ATTENTION_SCALE, COLOURS, GATE_SCALES
from scse_viz.rendering.panels import GATE_RANGE
from scse_viz.rendering.png import bars_png, coloured_png, gradient, gray_png
from scse_viz.stages import short_names

BARS = 96
"""Pixels of the height of a bar."""
STYLE = """<style>
.history { display: grid; gap: 6px; grid-template-columns: 86px repeat(var(--blocks), minmax(0, 1fr));
  max-width: calc(86px + var(--blocks) * 260px); font-size: 12px; line-height: 1.35; }
.history .name { font-weight: 600; text-align: center; overflow-wrap: anywhere; }
.history .head b { display: block; font-size: 14px; }
.history .map { position: relative; overflow: hidden; border-radius: 3px; background: #000 SLICE 0 0 / 100% 100%; }
.history .map img { position: absolute; left: 0; top: 0; opacity: 0.72; image-rendering: pixelated; }
.history .bars { width: 100%; display: block; border-bottom: 1px solid #8888; margin-top: 3px; }
.history .note { text-align: center; opacity: 0.75; height: 17px; overflow: hidden; }
.history .key { grid-column: 1 / -1; display: flex; flex-wrap: wrap; gap: 4px 20px; }
@media (max-width: 1000px) { .history { gap: 4px; } .history .name { font-size: 9px; } }
.history .key span { display: inline-flex; gap: 6px; align-items: center; }
.history .key i { width: 90px; height: 9px; border-radius: 2px; }
</style>"""
MIRRORED = "<style>.history .map { transform: scaleX(-1); }</style>"


@dataclass(frozen=True, eq=False)
class Line:
    """One network: its name, lines about the snapshot, and its gates on the reference slice as in SliceResult.

    `multiple` is that to which it pads the rows and columns of its input.
    """

    title: str
    details: tuple[str, ...]
    gates: Mapping[str, BlockGates]
    multiple: int


def draw(lines: Sequence[Line], blocks: Sequence[str], reference: np.ndarray, *, mirrored: bool = False) -> None:
    """Draw the networks' gates over a reference slice (H, W) uint8; what a network lacks stays empty.

    A block that no network has gates of never runs. `mirrored` swaps left and right of slice and maps.
    """
    short, ran = short_names(blocks), {block for line in lines for block in line.gates}
    names = [html.escape(short[block]) + ("" if block in ran else " (never runs)") for block in blocks]
    cells = ["<span></span>", *(f'<div class="name">{name}</div>' for name in names)]
    for line in lines:
        details = "".join(f"<div>{html.escape(detail)}</div>" for detail in line.details)
        cells.append(f'<div class="head"><b>{html.escape(line.title)}</b>{details}</div>')
        cells += [_cell(line, block, reference.shape) for block in blocks]
    style = STYLE.replace("SLICE", f"url(data:image/png;base64,{_text(gray_png(reference))})")
    style += MIRRORED if mirrored else ""
    st.html(f'{style}<div class="history" style="--blocks: {len(blocks)}">{"".join(cells)}{_key()}</div>')


def _cell(line: Line, block: str, shape: tuple[int, ...]) -> str:
    gates = line.gates.get(block, BlockGates())
    gate, weights, activation = gates.pixel_gate, gates.channel_gate, gates.activation
    if gate is not None:
        text = f"{line.title}, {block}: spatial gate, mean {gate.mean():.2f}"
        strip = "" if weights is None else _bars(weights, f"{line.title}, {block}", "height: 24px")
        return _map(line, coloured_png(gate, GATE_RANGE, GATE_SCALES[0]), text, shape, f"{gate.mean():.2f}", strip)
    if gates.attention is not None:
        top = float(gates.attention.max())
        text = f"{line.title}, {block}: how much each pixel is looked at, up to {top:.2g} times an even share"
        return _map(line, coloured_png(gates.attention, (0, top), ATTENTION_SCALE), text, shape, f"≤ × {top:.2g}", "")
    if activation is not None:
        top = float(activation.max())
        text = f"{line.title}, {block}: mean absolute activation, from 0 to {top:.2g}, arbitrary units"
        return _map(line, coloured_png(activation, (0, top), ACTIVATION_SCALE), text, shape, f"≤ {top:.2g}", "")
    if weights is not None:
        bars = _bars(weights, f"{line.title}, {block}", f"aspect-ratio: {shape[1]} / {shape[0]}")
        return f"<div>{bars}{_note(f'{weights.mean():.2f}')}</div>"
    return "<span></span>"


def _map(line: Line, picture: bytes, text: str, shape: tuple[int, ...], note: str, strip: str) -> str:
    """A map over the slice; a network pads a slice at its bottom and right, and its maps cover the padding too."""
    height, width = (100 * -(-size // line.multiple) * line.multiple / size for size in shape)
    image = (
        f'<img decoding="sync" alt="{html.escape(text, quote=True)}" style="width: {width:g}%; height: {height:g}%" '
        f'src="data:image/png;base64,{_text(picture)}">'
    )
    aspect = f"aspect-ratio: {shape[1]} / {shape[0]}"
    return f'<div><div class="map" style="{aspect}">{image}</div>{strip}{_note(note)}</div>'


def _bars(weights: np.ndarray, title: str, size: str) -> str:
    text = f"{title}: {len(weights)} channel weights, mean {weights.mean():.2f}"
    data = _text(bars_png(weights, BARS, COLOURS[0]))
    return (
        f'<img class="bars" decoding="sync" alt="{html.escape(text, quote=True)}" style="{size}" '
        f'src="data:image/png;base64,{data}">'
    )


def _note(text: str) -> str:
    return f'<div class="note">{html.escape(text)}</div>'


def _key() -> str:
    gates = f'spatial gate (below: its mean) 0<i style="background: {gradient(GATE_SCALES[0])}"></i>1'
    activations = f'none: mean |activation| 0<i style="background: {gradient(ACTIVATION_SCALE)}"></i>as below, a.u.'
    bars = "bars: channel weights, 0 to 1 (below: their mean)"
    return f'<div class="key"><span>{gates}</span><span>{activations}</span><span>{bars}</span></div>'


def _text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()
