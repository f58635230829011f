"""The reference labels of a scan as a panel beside the predictions."""

from collections.abc import Sequence

from scse_viz.rendering.panels import Panel, label_panel
from scse_viz.scans.samples import legend_of, of_structures
from scse_viz.ui.shell.sidebar import View
from scse_viz.zoo.structures import Structure


def legend(view: View, structures: Sequence[Structure]) -> tuple[Structure, ...]:
    """The legend of all panels: the structures, and the groups of them that the scan's labels name."""
    return legend_of(structures, view.source.groups)


def labels_panel(view: View, structures: Sequence[Structure]) -> Panel | None:
    """The reference labels of the slice in the numbers of `legend`; None where the scan has none."""
    reference = view.reference_labels
    if reference is None:
        return None
    shape = view.slice.grid
    names = [structure.name for structure in legend(view, structures)]
    drawn = of_structures(reference, view.source.groups, len(structures))
    return label_panel(drawn, names, shape.row_mm * shape.column_mm, title="Labels of the scan")
