"""A report of a view: tables, arrays and pictures as files, and one HTML page that holds them all. Bytes, no files."""

import base64
import io
import platform
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from scse_viz import __version__
from scse_viz.rendering.colours import ACTIVATION_SCALE, GATE_SCALES, colour_scale, rgb
from scse_viz.rendering.panels import GATE_RANGE
from scse_viz.rendering.pictures import eight_bit

PACKAGES = ("torch", "numpy", "nibabel", "plotly", "streamlit")
OVERLAY = 0.7
"""How strongly maps cover the slice in a report."""
ENLARGED = 320
"""Pixels, at least, of the longer side of a picture in a report."""


@dataclass(frozen=True, eq=False)
class Report:
    """What an HTML report shows: `facts` (scan, model, hash, ...), pictures as PNG, figures, tables and Python code."""

    title: str
    facts: Mapping[str, str]
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    figures: Mapping[str, go.Figure] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    code: str = ""
    link: str = ""


def versions() -> dict[str, str]:
    """The versions of this program, of Python and of the packages that a result depends on, as far as installed."""
    installed = {"scse-viz": __version__, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return installed


def file_stem(*parts: object) -> str:
    """Parts -> a name for a file: letters, digits, dots and hyphens only, at most 120 characters."""
    joined = "-".join(str(part) for part in parts if str(part))
    return re.sub(r"[^A-Za-z0-9.]+", "-", joined).strip("-.")[:120] or "scse-viz"


def csv(table: pd.DataFrame) -> bytes:
    """A table as CSV in UTF-8, its index first."""
    return table.to_csv().encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Files by name -> a .zip of them; what is compressed already is stored as it is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            packed = name.endswith((".gz", ".png", ".npz"))
            archive.writestr(name, content, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays by name -> a compressed .npz that `numpy.load` opens; nothing in it is pickled.

    Raises ValueError for arrays of objects. NumPy before 2.1 would take its own `allow_pickle` for an array to save.
    """
    stream = io.BytesIO()
    saved: dict[str, Any] = {name: np.asarray(values) for name, values in arrays.items()}
    if objects := [name for name, values in saved.items() if values.dtype.hasobject]:
        raise ValueError(f"Object arrays cannot be saved without pickling: {', '.join(objects)}")
    np.savez_compressed(stream, **saved)
    return stream.getvalue()


def overlay(
    background: np.ndarray,
    values: np.ndarray,
    span: tuple[float, float] = GATE_RANGE,
    *,
    scale: str | None = None,
    aspect: float = 1.0,
) -> bytes:
    """A map over a slice as PNG: background (H, W) uint8 and values (H, W) in `span`; aspect is row mm / column mm.

    Gates have the first of the gates' colour scales unless `scale` says otherwise.
    """
    if background.shape != values.shape:
        raise ValueError(f"slice of {background.shape} and map of {values.shape}; give two of one shape")
    colours = colour_scale(scale or (GATE_SCALES[0] if span == GATE_RANGE else ACTIVATION_SCALE))
    mapped = colours[eight_bit(values, *span)].astype(np.float32)
    mixed = OVERLAY * mapped + (1 - OVERLAY) * background[..., None].astype(np.float32)
    return _enlarged(mixed.round().astype(np.uint8), aspect)


def gray(background: np.ndarray, *, aspect: float = 1.0) -> bytes:
    """A slice (H, W) uint8 as PNG."""
    return _enlarged(np.repeat(background[..., None], 3, axis=2), aspect)


def coloured_labels(
    background: np.ndarray, labels: np.ndarray, colours: Sequence[str], *, aspect: float = 1.0
) -> bytes:
    """Structures over a slice as PNG: background (H, W) uint8, labels (H, W), colours `#rrggbb` by class number."""
    gray = np.repeat(background[..., None].astype(np.float32), 3, axis=2)
    mixed = np.where((labels > 0)[..., None], 0.45 * gray + 0.55 * rgb(colours)[labels], gray)
    return _enlarged(mixed.round().astype(np.uint8), aspect)


def page(report: Report) -> bytes:
    """A report as one HTML file that needs no network: its pictures and the code of its figures are inside."""
    plots = enumerate(report.figures.items())
    content = {
        "title": report.title,
        "facts": report.facts,
        "pictures": {name: base64.b64encode(png).decode() for name, png in report.pictures.items()},
        "figures": {name: _figure(figure, with_code=number == 0) for number, (name, figure) in plots},
        "tables": {name: _table(table) for name, table in report.tables.items()},
        "code": report.code,
        "link": report.link,
    }
    return str(_template().render(content)).encode()


def reading_of(names: Sequence[str], *, volume: int | None = None, together: bool = False) -> str:
    """The Python that reads a scan: one file, one of its volumes, all of them `together`, or several files."""
    if len(names) > 1:
        return f"stacked([{', '.join(f'read_scan(Path({name!r}))' for name in names)}])"
    if together:
        return f"read_channels(Path({names[0]!r}))"
    return f"read_scan(Path({names[0]!r})" + (f", volume={volume})" if volume is not None else ")")


def code_for(
    reading: str, models: Sequence[str], plane: str, index: int, *, own: Mapping[str, str] | None = None
) -> str:
    """The Python that computes a view again: what reads the scan, names of networks, plane and slice.

    own: networks that the user opened -> the Python of the request that opens them again.
    """
    own = own or {}
    opening = "".join(
        f"opened = foreign.opened({request})\nnetworks[{name!r}] = opened.card, opened.model\n"
        for name, request in own.items()
    )
    readers = [name for name in ("read_channels", "read_scan", "stacked") if f"{name}(" in reading]
    return f"""from pathlib import Path

from scse_viz import zoo
from scse_viz.inference import segment_slice
from scse_viz.scans import {", ".join(readers)}{OPENING if own else ""}

scan = {reading}
names = {[name for name in models if name not in own]!r}
networks = {{name: (zoo.read_card(name), zoo.load(name)) for name in names}}
{opening}results = {{
    name: segment_slice(scan.slice({plane!r}, {index}), model, card) for name, (card, model) in networks.items()
}}

card, model = networks[{models[0]!r}]
result = results[{models[0]!r}]
result.labels  # (H, W) class numbers, named by card.structures
result.gates  # by block: result.gates["encoder1"].spatial_gate (h, w), .channel_gate (C,)
"""


OPENING = """
from scse_viz.zoo import foreign
from scse_viz.zoo.foreign import Answers, Request"""


@cache
def _template() -> Any:
    """The page's template; every text in it is escaped."""
    from jinja2 import Environment, StrictUndefined  # 30 ms that the first page need not wait for

    source = Path(__file__).with_name("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source)


def _table(table: pd.DataFrame) -> str:
    return str(table.to_html(border=0, na_rep="–", float_format="{:.4g}".format))


def _figure(figure: go.Figure, *, with_code: bool) -> str:
    return str(figure.to_html(full_html=False, include_plotlyjs=with_code, config={"displaylogo": False}))


def _enlarged(pixels: np.ndarray, aspect: float) -> bytes:
    """(H, W, 3) uint8 -> PNG, pixels of their true shape and large enough to be looked at."""
    height, width = pixels.shape[0] * aspect, pixels.shape[1]
    factor = max(1.0, ENLARGED / max(height, width))
    picture = Image.fromarray(pixels).resize(
        (max(1, round(width * factor)), max(1, round(height * factor))), Image.Resampling.NEAREST
    )
    stream = io.BytesIO()
    picture.save(stream, format="png")
    return stream.getvalue()
