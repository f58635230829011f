"""Parts of a page side by side where there is room, else one below the other; widths are in page.css."""

from collections.abc import Sequence
from typing import Any

import streamlit as st


def wide_columns(widths: int | Sequence[int], *, key: str, **options: Any) -> list[Any]:
    """`st.columns` for charts and tables, wide enough to be read."""
    return st.container(key=f"beside_{key}").columns(widths, **options)


def narrow_columns(count: int, *, key: str) -> list[Any]:
    """`st.columns` for small cards, as many to a row as fit."""
    return st.container(key=f"cards_{key}").columns(count)
