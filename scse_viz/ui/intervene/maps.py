"""A slice before and after changes as pictures: predictions, changed pixels, and the gates that were changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from scse_viz.inference import SliceResult
from scse_viz.intervention import Change
from scse_viz.rendering.panels import Panel, block_panel, changed_panel, difference_panel, label_panel
from scse_viz.scans import slice_grid
from scse_viz.ui.components.panels import panels
from scse_viz.ui.components.panels.panels import Row
from scse_viz.ui.shell.labels import labels_panel, legend
from scse_viz.ui.shell.sidebar import View
from scse_viz.zoo import Card
from scse_viz.zoo.structures import Structure

PREDICTIONS = {
    "before": "The network as it is",
    "after": "The network with the changes",
    "changed": "Pixels whose predicted structure changed",
}
GATE_COLUMNS = {
    "gate before": "The network as it is",
    "gate after": "The gate with the changes",
    "after minus before": "Below 0 the gate is less open, above 0 more",
}


@dataclass(frozen=True, eq=False)
class Outcome:
    """A slice through a network before and after changes."""

    view: View
    card: Card
    changes: Mapping[str, Change]
    before: SliceResult
    after: SliceResult

    @property
    def changed(self) -> np.ndarray:
        """Where the labels differ (H, W)."""
        return self.before.labels != self.after.labels

    @property
    def pixel_area(self) -> float:
        """In mm²."""
        shape = slice_grid(self.view.scan, self.view.plane)
        return shape.row_mm * shape.column_mm


def draw_predictions(outcome: Outcome) -> None:
    """Draw the predictions before and after, and the pixels that changed."""
    names = [structure.name for structure in outcome.card.structures]
    predictions = [
        label_panel(result.labels, names, outcome.pixel_area, title=f"{title}, prediction")
        for title, result in (("before", outcome.before), ("after", outcome.after))
    ]
    changed = changed_panel(outcome.changed, outcome.pixel_area)
    rows = [Row("prediction", "", (*predictions, changed))]
    structures = legend(outcome.view, outcome.card.structures)
    reference = labels_panel(outcome.view, outcome.card.structures)
    _draw_panels(outcome, PREDICTIONS, rows, "intervene_panels", structures=structures, reference=reference)


def draw_gates(outcome: Outcome) -> None:
    """Draw the spatial gates of the changed blocks before and after; nothing where none was changed."""
    every = {block: _gate_panels(outcome, block) for block in outcome.changes}
    rows = [
        Row(block, "", tuple(replace(panel, caption=_caption(block, panel)) for panel in shown))
        for block, shown in every.items()
        if shown
    ]
    if not rows:
        return
    st.subheader("The changed gates", help="Spatial gates of the changed blocks before and after, on one scale.")
    _draw_panels(outcome, GATE_COLUMNS, rows, "intervene_gates_panels", structures=())


def _gate_panels(outcome: Outcome, block: str) -> tuple[Panel, ...]:
    """The spatial gate of a block before and after, and the difference; nothing where its gates did not change."""
    before = block_panel(outcome.before.gates[block], title=f"before, {block}")
    gate = outcome.before.gates[block].pixel_gate
    change = outcome.changes[block]
    if gate is None or before.map_mm is None or change == Change(without=change.without):
        return ()
    changed = outcome.after.gates[block].pixel_gate
    if changed is None:
        words = "the block is bypassed: no gate is applied"
        bypassed = Panel("none", f"{block}: {words}", note=words)
        return before, bypassed, bypassed
    after = block_panel(outcome.after.gates[block], title=f"after, {block}")
    return before, after, difference_panel(changed - gate, before.map_mm, title=f"{block}, after minus before")


def _caption(block: str, panel: Panel) -> str:
    """The block's name, since a grid names its first row after the slice, and the mean of the map."""
    return block if panel.mean is None else f"{block}, mean {panel.mean:{'+' if panel.kind == 'difference' else ''}.2f}"


def _draw_panels(
    outcome: Outcome,
    columns: Mapping[str, str],
    rows: Sequence[Row],
    key: str,
    *,
    structures: Sequence[Structure],
    reference: Panel | None = None,
) -> None:
    view = outcome.view
    packed = panels.message(
        view,
        columns=columns,
        rows=rows,
        structures=structures,
        reference=reference,
    )
    panels.draw(packed, key=key)
