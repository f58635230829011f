"""Volume: all slices of a plane through one network, as heat maps, in three linked planes and in 3-D."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from scse_viz.analysis.gates import BlockGates
from scse_viz.inference.jobs import Job
from scse_viz.rendering.panels import Panel
from scse_viz.rendering.volumes import Layer
from scse_viz.scans import PLANES, ScanError
from scse_viz.ui.components.keys import keys
from scse_viz.ui.components.panels import panels
from scse_viz.ui.components.viewer import viewer
from scse_viz.ui.shell import address, cached, sidebar, variants
from scse_viz.ui.shell.labels import labels_panel, legend
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.variants import FIRST_VARIANTS
from scse_viz.ui.shell.words import verbatim
from scse_viz.ui.volume import cached as volume_cached
from scse_viz.ui.volume import export as volume_export
from scse_viz.ui.volume import run
from scse_viz.zoo import Card, WeightsError
from scse_viz.zoo.titles import variant_title


def page() -> None:
    """The page: the run, the slice, blocks by slices, three planes and 3-D, volumes."""
    view = sidebar.view()
    card = sidebar.choose_network(view)
    view = view.of(card)
    block = sidebar.choose_block(card)
    voxel = _choose_crosshair(view)
    _listen(view, card)
    place = f" · {view.position}" if view.position else ""
    st.markdown(f"#### {verbatim(view.scan.name)}{place}")
    job = run.find(view, card)
    try:
        with st.spinner("Segmenting and recording gates", show_time=False):
            prediction, map_ = volume_cached.panels(view.slice, card, block, job)
    except (ScanError, WeightsError) as error:
        st.error(verbatim(str(error)))
        return
    if view.slice.grid.count == 1:
        st.info("This scan is a single slice, so there is no volume to run; the other pages show all of it.")
    else:
        run.draw_progress(view, card)
    _draw_slice(view, card, block, prediction, map_, voxel)
    run.draw_results(view, card)
    if min(view.scan.voxels.shape) > 1:
        _draw_space(view, card, block, job, voxel)
    run.draw_tables(view, card)
    volume_export.offer(view, card, job, block)
    address.draw_lost()


def _choose_crosshair(view: View) -> tuple[int, int, int]:
    """The voxel in which the planes meet: the slice, and a slider for each of the other two planes."""
    voxel = [0, 0, 0]
    for plane, axis in PLANES.items():
        count = view.scan.voxels.shape[axis]
        if plane == view.plane:
            voxel[axis] = view.index
        elif count > 1 and plane in view.scan.planes:
            voxel[axis] = st.sidebar.slider(
                f"Crosshair, {plane}",
                0,
                count - 1,
                cached.first_slice(view.scan, plane),
                key=plane,
                bind="query-params",
                help="Where this plane cuts the slice; a click in a picture sets it too.",
            )
    return voxel[0], voxel[1], voxel[2]


def _listen(view: View, card: Card) -> None:
    """Keys 1 to 4 choose among the first variants of the architecture."""
    family = [sibling for sibling in view.networks.values() if sibling.architecture == card.architecture]
    actions = {
        str(number): partial(variants.show, variant_title(sibling.variant))
        for number, sibling in enumerate(family[:FIRST_VARIANTS], start=1)
    }
    with st.sidebar:  # at its end, where an element of no height moves nothing
        keys.listen(actions, key="volume_keys")


def _draw_slice(view: View, card: Card, block: str, prediction: Panel, map_: Panel, voxel: Sequence[int]) -> None:
    packed = panels.message(
        view,
        columns={"prediction": f"{card.name}, {card.parameters:,} parameters", block: map_.alt},
        rows=[panels.Row(block, "", (prediction, map_))],
        structures=legend(view, card.structures),
        reference=labels_panel(view, card.structures),
        options={"pick": True, "picked": _pixel(view, voxel)},
    )
    panels.draw(
        packed,
        key="volume_slice",
        on_pick=lambda row, column: _go_to(view, view.slice.voxel(row, column)),
    )


def _draw_space(view: View, card: Card, block: str, job: Job | None, voxel: Sequence[int]) -> None:
    st.subheader(
        "Three planes and 3-D",
        help="Click or drag in a plane: the others follow, and the slice above when the drag ends. Drag the 3-D view "
        "to rotate it. After a click the wheel steps through the slices of a plane, zooms it with Ctrl, and zooms 3-D.",
    )
    with st.spinner("Preparing the volume", show_time=False):
        layers = volume_cached.layers(view.scan, card, job, block)
    st.caption(_space_caption(view, block, job, layers))
    gates = job.gates[block] if job is not None and job.ready else BlockGates()
    viewer.draw(
        view,
        voxel,
        layers,
        structures=card.structures,
        legend=volume_cached.map_legend(gates, block),
        on_pick=lambda picked: _go_to(view, picked),
    )


def _space_caption(view: View, block: str, job: Job | None, layers: Mapping[str, Layer]) -> str:
    """What the 3-D view shows, and at which resolution."""
    parts = [f"The scan at {_size(layers['scan'])}."]
    if job is None or not job.ready:
        return f"{parts[0]} Run the plane to add the block's map and the structures."
    if job.under_way:
        return f"{parts[0]} The block's map and the structures are added when the run ends or is stopped."
    if "map" in layers:
        parts.append(
            f"The map of {block} at {_size(layers['map'])}: in {view.plane} slices it has the resolution of its stage."
        )
    else:
        reason = "it has a channel gate only" if job.gates[block].ran else "it never runs"
        parts.append(f"{block} has no map in this network: {reason}.")
    if job.ready < job.count:
        parts.append(f"Only {job.ready} of {job.count} slices are done.")
    return " ".join(parts)


def _size(layer: Layer) -> str:
    return " × ".join(f"{side:.3g}" for side in layer.voxel_mm) + " mm"


def _pixel(view: View, voxel: Sequence[int]) -> tuple[int, int]:
    """Row and column of the slice under a voxel."""
    across, down = (axis for axis in range(3) if axis != PLANES[view.plane])
    return view.slice.grid.height - 1 - voxel[down], voxel[across]


def _go_to(view: View, voxel: Sequence[int]) -> None:
    """Move slice and crosshair to a voxel, clipped to the scan: a browser may send one of the scan before."""
    for plane, axis in PLANES.items():
        if plane in view.scan.planes:
            st.session_state[plane] = min(max(0, int(voxel[axis])), view.scan.voxels.shape[axis] - 1)
