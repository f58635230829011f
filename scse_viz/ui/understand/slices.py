"""Understand over several slices: which ones, and a run over them with a progress bar."""

import time
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from scse_viz.ui.shell.sidebar import View

Result = TypeVar("Result")
KEY = "understand_slices"
MOST = 40
"""Slices of a run: enough for means and spreads within seconds."""
THIS, ALL = "this slice", "the whole plane"
PATIENT = 0.4
"""Seconds before a run shows its progress; cached slices take less."""


def choose_scope() -> bool:
    """Whether only the slice of the sidebar is used, rather than the whole plane."""
    chosen = st.segmented_control(
        "Slices",
        (ALL, THIS),
        default=ALL,
        required=True,
        key=KEY,
        bind="query-params",
        help=f"The slice of the sidebar, or slices spread evenly over its plane, {MOST} at most.",
    )
    return chosen == THIS


def spread(view: View) -> list[int]:
    """Slices spread evenly over the plane: every one, or every n-th so that there are at most MOST."""
    count = view.slice.grid.count
    step = -(-count // MOST)
    return list(range((count - 1) % step // 2, count, step))


def in_words(view: View) -> str:
    """The slices of `spread` in words."""
    chosen = spread(view)
    if len(chosen) == view.slice.grid.count:
        return f"all {len(chosen)} {view.plane} slices" if len(chosen) > 1 else "its one slice"
    return f"{len(chosen)} {view.plane} slices, every {_ordinal(chosen[1] - chosen[0])}"


def run(indices: list[int], compute: Callable[[int], Result]) -> list[Result]:
    """`compute` of every slice. An interrupted run resumes, if `compute` is cached."""
    results: list[Result] = []
    began, bar = time.monotonic(), st.empty()
    for number, index in enumerate(indices):
        if time.monotonic() - began > PATIENT:
            bar.progress(number / len(indices), text=f"Slice {number + 1} of {len(indices)}")
        results.append(compute(index))
    bar.empty()
    return results


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
