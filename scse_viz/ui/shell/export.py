"""The export at the end of every page: figures, numbers, maps, arrays, report, link and code."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz import report
from scse_viz.analysis.gates import BlockGates
from scse_viz.rendering.panels import GATE_RANGE
from scse_viz.rendering.pictures import eight_bit
from scse_viz.scans.resampling import on_grid
from scse_viz.ui.shell import cached
from scse_viz.ui.shell.sidebar import View
from scse_viz.zoo import Card

FORMATS = ("png", "svg")


def chart(figure: go.Figure, *, key: str, **options: Any) -> Any:
    """`st.plotly_chart` whose camera button saves in the format chosen on the page, under the chart's own name."""
    chosen = st.session_state.get("figure_format") or FORMATS[0]
    config = {
        "displaylogo": False,
        "toImageButtonOptions": {"format": chosen, "filename": report.file_stem("scse-viz", key), "scale": 2},
    }
    return st.plotly_chart(figure, key=key, config=config, **options)


@dataclass(frozen=True, eq=False)
class SliceMap:
    """A map (h, w) over the slice from its top left corner, with pixels of `pixel_mm` (row, column).

    One in `arbitrary_units`, an activation or attention, is drawn on a scale of its own.
    """

    values: np.ndarray
    pixel_mm: tuple[float, float]
    arbitrary_units: bool = False


@dataclass(frozen=True, eq=False)
class ExportContents:
    """What a page exports: `page` names it in file names, `models` are the networks that it shows.

    `maps`: name -> a map of the slice, or a volume (X, Y, Z) on the scan's grid; `arrays`: name -> any array;
    `documents`: file name -> content, beside the tables; `code` follows the lines that read the scan and run networks.
    """

    page: str
    models: Sequence[Card]
    figures: Mapping[str, go.Figure] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    maps: Mapping[str, SliceMap | np.ndarray] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    code: str = ""


@dataclass(frozen=True)
class ExportFile:
    """A file to download: its name, and how its bytes are made, None where the view has none."""

    name: str
    content: Callable[[], bytes] | None


def offer(view: View, contents: ExportContents) -> None:
    """Offer what the page shows as files, as a link and as code; nothing is computed before it is requested."""

    def files(lines: str, address: str) -> dict[str, ExportFile]:
        return _files(view, contents, lines, address)

    offer_files(
        "Export: numbers, maps, arrays, report, link, code",
        files,
        lambda: code_of(view, contents.models) + contents.code,
        "A link to this view. It does not contain your own scan: whoever opens it uses theirs.",
    )


def offer_files(
    label: str, files: Callable[[str, str], Mapping[str, ExportFile]], code: Callable[[], str], of_link: str
) -> None:
    """The export of a page: files by the label of their button, made from code and address, a link, and code."""
    part = st.expander(label, icon=":material/download:", key="export", on_change="rerun")
    place = part.container()
    with part:  # also while it is closed, since the choice is in the address and charts are saved by it
        st.segmented_control(
            "Charts are saved as",
            FORMATS,
            default=FORMATS[0],
            required=True,
            key="figure_format",
            bind="query-params",
            help="Hover over a chart: the camera at its top right saves it. The toolbar above the maps saves maps.",
        )
    if not part.open:
        return  # eight elements less for the browser to go through in every run
    lines, address = code(), link()
    offered = files(lines, address)
    for column, (button, file) in zip(place.columns(len(offered)), offered.items(), strict=True):
        column.download_button(
            button,
            file.content or b"",
            file_name=file.name,
            on_click="ignore",
            disabled=file.content is None,
            width="stretch",
            key=f"export_{button}",
            help="This view has none." if file.content is None else None,
        )
    with part:
        st.caption(of_link)
        st.code(address, language=None, wrap_lines=True)
        st.caption("The same in Python:")
        st.code(lines, language="python")


def _files(view: View, contents: ExportContents, lines: str, address: str) -> dict[str, ExportFile]:
    scan = view.scan.name.removesuffix(".gz").removesuffix(".nii")
    stem = report.file_stem(scan, contents.page, view.plane, view.index)
    maps, arrays = contents.maps, contents.arrays
    return {
        "Numbers (CSV)": ExportFile(f"{stem}.zip", (lambda: numbers(contents)) if contents.tables else None),
        "Maps (NIfTI)": ExportFile(f"{stem}-maps.zip", (lambda: nifti(view, maps)) if maps else None),
        "Arrays (.npz)": ExportFile(f"{stem}.npz", (lambda: report.npz(arrays)) if arrays else None),
        "Report (HTML)": ExportFile(f"{stem}.html", lambda: build_report(view, contents, lines, address)),
    }


def link() -> str:
    """The address of the view as it is now."""
    address = (st.context.url or "").partition("?")[0]
    query = [(key, value) for key in st.query_params for value in st.query_params.get_all(key)]
    return f"{address}?{urlencode(query)}" if query else address


def code_of(view: View, models: Sequence[Card]) -> str:
    """Python that reads the scan and runs the networks on the slice; a sample is read from its own file."""
    sample = next((known for known in cached.known_samples().values() if known.scan.name == view.scan.name), None)
    name = f"{sample.scan.parent.name}/{sample.scan.name}" if sample else view.scan.name
    channels = list(dict.fromkeys(channel.name for channel in view.scan.channels))
    reading = report.reading_of(
        channels if len(channels) > 1 else [name],
        volume=None if sample else st.session_state.get("volume"),
        together=bool(view.scan.channels),
    )
    asked = st.session_state.get(cached.REQUESTED, {})
    own = {card.name: asked[card.sha256] for card in models if card.sha256 in asked}
    return report.code_for(reading, [card.name for card in models], view.plane, view.index, own=own)


def block_maps(gates: Mapping[str, BlockGates]) -> dict[str, SliceMap]:
    """The maps of the blocks that have one: the key of a block and what its map is -> map."""
    return {
        f"{key} {block.map_name}": SliceMap(block.map, block.map_mm, arbitrary_units=block.pixel_gate is None)
        for key, block in gates.items()
        if block.map is not None
    }


def slice_map(view: View, values: np.ndarray) -> SliceMap:
    """Values (H, W) on the pixels of the slice itself, as a map of it."""
    grid = view.slice.grid
    return SliceMap(values, (grid.row_mm, grid.column_mm))


def nifti(view: View, maps: Mapping[str, SliceMap | np.ndarray]) -> bytes:
    """Every map as a compressed NIfTI on the grid of the scan's file; of a slice's maps the other slices are nan."""
    files = {}
    for name, map_ in maps.items():
        image = view.scan.to_file_grid(_volume(view, map_))
        files[f"{report.file_stem(name)}.nii.gz"] = gzip.compress(image.to_bytes(), compresslevel=3)
    return report.zipped(files)


def build_report(view: View, contents: ExportContents, lines: str, address: str = "") -> bytes:
    """The view as one HTML page: facts, the slice with predictions and maps over it, figures, tables and code."""
    shape = view.slice.grid
    aspect = shape.row_mm / shape.column_mm
    background = view.drawn(eight_bit(view.slice.pixels, *cached.shown_intensities(view.scan)))
    pictures = {f"{view.scan.name}, {view.position or view.plane}": report.gray(background, aspect=aspect)}
    for card in contents.models:
        labels = view.drawn(cached.result(view.slice, card).labels)
        colours = [structure.colour for structure in card.structures]
        pictures[f"{card.name}: prediction"] = report.coloured_labels(background, labels, colours, aspect=aspect)
    for name, map_ in contents.maps.items():
        placed = view.drawn(view.slice.cut(_volume(view, map_)))
        if placed.dtype.kind in "iu" or np.isnan(placed).all():
            continue  # class numbers, which are drawn above in their colours; a slice without a map
        low, high = min(0.0, float(placed.min())), float(placed.max())
        own_scale = isinstance(map_, SliceMap) and map_.arbitrary_units
        span = GATE_RANGE if low >= 0 and high <= 1 and not own_scale else (low, high)
        pictures[f"{name}, {span[0]:.3g} to {span[1]:.3g}"] = report.overlay(background, placed, span, aspect=aspect)
    facts = {
        "scan": view.scan.name,
        "digest of the scan": view.scan.digest,
        "slice": view.position or view.plane,
        **({"left and right": view.convention} if view.convention else {}),
        **{card.name: f"sha256 {card.sha256}" for card in contents.models},
        "versions": ", ".join(f"{name} {version}" for name, version in report.versions().items()),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    title = f"scSE viz: {contents.page}, {view.scan.name}"
    return report.page(report.Report(title, facts, pictures, contents.figures, contents.tables, lines, address))


def _volume(view: View, map_: SliceMap | np.ndarray) -> np.ndarray:
    """A map of the slice -> (X, Y, Z) on the scan's grid; a volume stays as it is."""
    if isinstance(map_, np.ndarray):
        return map_
    return on_grid(view.scan, view.plane, {view.index: map_.values}, map_.pixel_mm)


def numbers(contents: ExportContents) -> bytes:
    """The tables as CSV, and the documents, in a .zip."""
    tables = {f"{report.file_stem(name)}.csv": report.csv(table) for name, table in contents.tables.items()}
    return report.zipped({**tables, **contents.documents})
