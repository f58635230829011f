"""Volume, export: heat maps, tables, gates, and whole volumes that are computed on request."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from scse_viz.analysis.gates import named_arrays
from scse_viz.inference.jobs import Job
from scse_viz.scans.resampling import on_grid
from scse_viz.ui.shell import export
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.volume import cached as volume_cached
from scse_viz.ui.volume import numbers as volume_numbers
from scse_viz.ui.volume import run
from scse_viz.zoo import Card

CODE = """
from scse_viz.scans.resampling import to_image
from scse_viz.inference import segment_slices

slices = dict(segment_slices(scan, model, card, {plane!r}))  # every slice of the plane
"""
MAP_CODE = """
gates = {{index: result.gates[{block!r}].map for index, result in slices.items()}}
to_image(scan, {plane!r}, gates, {map_mm}).to_filename("gate.nii.gz")  # on the grid of the scan's file
"""


class OnRequest(Mapping[str, np.ndarray]):
    """Arrays by name, each computed on access."""

    def __init__(self, makers: Mapping[str, Callable[[], np.ndarray]]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> np.ndarray:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def offer(view: View, card: Card, job: Job | None, block: str) -> None:
    """Offer heat maps, tables, the map of a block and the prediction as volumes, and all gates as arrays."""
    if job is None or not job.ready:
        export.offer(view, export.ExportContents(page="volume", models=[card]))
        return
    tables = volume_numbers.tables(view, card, job)
    for number, field in run.NUMBERS.items():
        by_gate = {f"{name}/{kind}": numbers for (name, kind), numbers in getattr(job, field).items()}
        tables[f"{number} by slice"] = pd.DataFrame(by_gate)[job.done].rename_axis("slice")
    maps: dict[str, Callable[[], np.ndarray]] = {"prediction": job.label_volume}
    code = CODE.format(plane=job.plane)
    gates = job.gates[block]
    if gates.map is not None:
        maps[volume_cached.map_legend(gates, block).title] = lambda: map_volume(view, job, block)
        code += MAP_CODE.format(block=block, plane=job.plane, map_mm=tuple(round(side, 6) for side in gates.map_mm))
    export.offer(
        view,
        export.ExportContents(
            page="volume",
            models=[card],
            figures={number: run.heat_map(view, job, number) for number in run.NUMBERS},
            tables=tables,
            maps=OnRequest(maps),
            arrays={**named_arrays(job.gates), "labels": job.labels, "done": job.done},
            code=code,
        ),
    )


def map_volume(view: View, job: Job, block: str) -> np.ndarray:
    """The map of a block on the scan's grid (X, Y, Z), nan in slices not done."""
    gates, done = job.gates[block], np.flatnonzero(job.done).tolist()
    if gates.map is None:
        raise ValueError(f"block {block!r} has no map")
    return on_grid(view.scan, job.plane, {index: gates.map[index] for index in done}, gates.map_mm)
