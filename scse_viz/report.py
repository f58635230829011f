"""What a person takes along from a view: tables, arrays, pictures and one page that holds them all. Bytes, no files."""

import base64
import html
import io
import platform
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from scse_viz import __version__
from scse_viz.rendering.colours import ACTIVATION_SCALE, GATE_SCALES, colour_scale, rgb
from scse_viz.rendering.panels import GATE_RANGE, eight_bit

PACKAGES = ("torch", "numpy", "nibabel", "plotly", "streamlit")
OVERLAY = 0.7
"""How strongly maps cover the slice in a report."""
ENLARGED = 320
"""Pixels, at least, of the longer side of a picture in a report."""
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1b2429; background: #fff; }
body { max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #d5dbdf; padding: .2rem .7rem; text-align: left; }
td { text-align: right; } .facts td { text-align: left; }
.maps { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; }
figcaption { font-size: 13px; color: #55626a; }
img { display: block; image-rendering: pixelated; } pre { background: #f1f4f6; padding: 1rem; overflow-x: auto; }
"""


@dataclass(frozen=True, eq=False)
class Report:
    """One view, to be kept: `facts` (scan, model, hash, ...), pictures as PNG, figures, tables and Python code."""

    title: str
    facts: Mapping[str, str]
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    figures: Mapping[str, go.Figure] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    code: str = ""
    link: str = ""


def versions() -> dict[str, str]:
    """The versions of this program, of Python and of the packages that a result depends on, as far as installed."""
    found = {"scse-viz": __version__, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


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
    """Arrays by name -> a compressed .npz that `numpy.load` opens; nothing in it is pickled."""
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **{name: np.asarray(values) for name, values in arrays.items()})
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
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        f"<title>{html.escape(report.title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html.escape(report.title)}</h1>",
        '<table class="facts">',
        *(f"<tr><th>{html.escape(name)}</th><td>{html.escape(fact)}</td></tr>" for name, fact in report.facts.items()),
        "</table>",
    ]
    if report.pictures:
        parts += [
            '<h2>Maps</h2><div class="maps">',
            *map(_picture, report.pictures, report.pictures.values()),
            "</div>",
        ]
    for number, (name, figure) in enumerate(report.figures.items()):
        parts += [f"<h2>{html.escape(name)}</h2>", _figure(figure, with_code=number == 0)]
    for name, table in report.tables.items():
        parts += [f"<h2>{html.escape(name)}</h2>", table.to_html(border=0, na_rep="–", float_format="{:.4g}".format)]
    if report.code:
        parts.append(f"<h2>The same in Python</h2><pre>{html.escape(report.code)}</pre>")
    if report.link:
        parts.append(f"<h2>The view</h2><p>{html.escape(report.link)}</p>")
    return "\n".join([*parts, "</body></html>"]).encode()


def code_for(scan: str, models: Sequence[str], plane: str, index: int, *, volume: int | None = None) -> str:
    """The Python that computes a view again: scan file, names of networks, plane and slice."""
    reading = f"Path({scan!r})" + (f", volume={volume}" if volume is not None else "")
    return f"""from pathlib import Path

from scse_viz import zoo
from scse_viz.inference import segment_slice
from scse_viz.scans import read_scan

scan = read_scan({reading})
results = {{}}
for name in {list(models)!r}:
    card = zoo.read_card(name)
    results[name] = segment_slice(scan.slice({plane!r}, {index}), zoo.load(name), card)

result = results[{models[0]!r}]
result.labels  # (H, W) class numbers, named by card.structures
result.gates  # by block: result.gates["encoder1"].spatial_gate (h, w), .channel_gate (C,)
"""


def _picture(name: str, picture: bytes) -> str:
    data = base64.b64encode(picture).decode()
    label = html.escape(name, quote=True)
    return f'<figure><img src="data:image/png;base64,{data}" alt="{label}"><figcaption>{label}</figcaption></figure>'


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
