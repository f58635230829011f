"""One picture that places every block: what it pools before it decides, against what it weighs."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from scse_viz.zoo.titles import VARIANT_TITLES

CHANNELS, PIXELS, PAIRS = "channels", "pixels", "pairs of pixels"
WEIGHED = (CHANNELS, PIXELS, PAIRS)
PLACES: Sequence[tuple[str, Sequence[tuple[tuple[str, ...], Sequence[str]]]]] = (
    ("space", (((CHANNELS,), ("cse", "eca", "soca")), ((CHANNELS, PIXELS), ("pe",)))),
    ("channels", (((PIXELS,), ("sse", "ag")),)),
    (
        "both",
        (((CHANNELS, PIXELS), ("scse", "scse-max", "scse-mul", "scse-concat", "scse-r16", "cbam")),),
    ),
    ("nothing", (((PAIRS,), ("nonlocal",)),)),
)
"""What is pooled -> what is weighed -> the variants there; none pools and weighs nothing, and is not drawn."""
NOTES = {
    "cse": "means",
    "eca": "means",
    "soca": "covariances",
    "pe": "rows and columns apart",
    "ag": "of skip and stage below",
    "cbam": "one after the other",
    "scse": "added",
    "scse-max": "larger one",
    "scse-mul": "product",
    "scse-concat": "joined",
    "scse-r16": "added",
}
STYLE = """<style>
.diagram { border-spacing: 4px; width: 100%; max-width: 880px; table-layout: fixed; font-size: 14px; }
.diagram th { font-weight: 600; text-align: left; padding: 4px 8px; }
.diagram td { padding: 6px 8px; border-radius: 6px; background: rgba(128, 128, 128, 0.10); vertical-align: top; }
.diagram td:empty { background: none; }
.diagram span { display: inline-block; margin: 2px 10px 2px 0; }
.diagram small { opacity: 0.75; }
.diagram .here { outline: 2px solid currentColor; outline-offset: 3px; border-radius: 3px; font-weight: 600; }
</style>"""


def draw(here: str | None = None) -> None:
    """Draw the table, with one variant marked."""
    heads = "".join(f'<th scope="col">weighs {weighed}</th>' for weighed in WEIGHED)
    rows = "".join(_rows(pooled, cells, here) for pooled, cells in PLACES)
    st.html(f'{STYLE}<table class="diagram"><tr><td></td>{heads}</tr>{rows}</table>')


def _rows(pooled: str, cells: Sequence[tuple[tuple[str, ...], Sequence[str]]], here: str | None) -> str:
    """The rows of what is pooled: one for each span of columns, under one heading."""
    head = f'<th scope="rowgroup" rowspan="{len(cells)}">pools {pooled}</th>'
    rows = []
    for number, (columns, variants) in enumerate(cells):
        first = WEIGHED.index(columns[0])
        before, after = "<td></td>" * first, "<td></td>" * (len(WEIGHED) - first - len(columns))
        inside = "".join(_entry(variant, here) for variant in variants)
        cell = f'<td colspan="{len(columns)}">{inside}</td>'
        rows.append(f"<tr>{'' if number else head}{before}{cell}{after}</tr>")
    return "".join(rows)


def _entry(variant: str, here: str | None) -> str:
    note = f" <small>{escape(NOTES[variant])}</small>" if variant in NOTES else ""
    mark = ' class="here" aria-current="true"' if variant == here else ""
    return f"<span{mark}>{escape(VARIANT_TITLES[variant])}{note}</span>"
