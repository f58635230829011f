"""What is kept of the gates of a scan: a row a gate over its slices, and a row for each structure."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from scse_viz.analysis.gates import EDGE
from scse_viz.analysis.grids import areas, map_span
from scse_viz.analysis.health import Observation, Verdict, diagnose, observe, verdict_of
from scse_viz.analysis.structures import LEAST_PIXELS
from scse_viz.inference import SliceResult

WHOLE = "all"  # in place of a structure: a gate over whole slices


class GateSums:
    """Sums over the slices of a scan; structures: names of the classes, K; slice_mm of a pixel of labels (row, column).

    Slices are added one at a time, so that the maps of a scan are never held together.
    """

    def __init__(self, structures: list[str], slice_mm: tuple[float, float]) -> None:
        self.structures, self.slice_mm = structures, slice_mm
        self.inside: dict[str, np.ndarray] = {}  # block -> (4, K): area, and sums of gate, square and saturation
        self.observed: dict[tuple[str, str], list[Observation]] = {}
        self.pixels = np.zeros(len(structures), np.int64)

    def add(self, result: SliceResult) -> None:
        """Add the gates of a slice, with the labels that the network predicts on it."""
        self.pixels += np.bincount(result.labels.ravel(), minlength=len(self.structures))
        covered: dict[Any, np.ndarray] = {}
        for block, gates in result.gates.items():
            for kind in gates.kinds:
                self.observed.setdefault((block, kind), []).append(observe(getattr(gates, kind)))
            gate = gates.pixel_gate
            if gate is None:
                continue
            place = gate.shape, map_span(gates, self.slice_mm)
            if place not in covered:
                covered[place] = areas(result.labels, len(self.structures), *place)
            values = np.stack([np.ones_like(gate), gate, gate**2, (gate <= EDGE) | (gate >= 1 - EDGE)]).astype(float)
            self.inside[block] = self.inside.get(block, 0) + np.einsum("khw,nhw->nk", covered[place], values)

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for a gate over whole slices, and for a gate by pixel in each structure of LEAST_PIXELS or more.

        `spread` is the standard deviation within slices, in a structure that over all its pixels.
        """
        for (block, kind), seen in self.observed.items():
            yield {"block": block, "gate": kind, "structure": WHOLE, **_whole(seen)}
            if kind == "channel_gate" or block not in self.inside:
                continue
            for number in np.flatnonzero((self.pixels >= LEAST_PIXELS) & (self.inside[block][0] > 0)):
                inside = _in_structure(*self.inside[block][:, number])
                yield {"block": block, "gate": kind, "structure": self.structures[number], **inside}


def _whole(seen: list[Observation]) -> dict[str, Any]:
    diagnosis = diagnose({"": seen})
    weights = [gate.weights for gate in seen if gate.weights is not None]
    return {
        "mean": diagnosis.mean,
        "spread": diagnosis.spread_within,
        "saturation": diagnosis.saturation,
        "spread_slices": diagnosis.spread_slices,
        "health": _word(diagnosis.verdict),
        "weights": np.mean(weights, axis=0).astype(float).tolist() if weights else None,
    }


def _in_structure(area: float, total: float, squares: float, saturated: float) -> dict[str, Any]:
    mean, saturation = total / area, saturated / area
    spread = max(squares / area - mean**2, 0) ** 0.5
    return {
        "mean": float(mean),
        "spread": float(spread),
        "saturation": float(saturation),
        "spread_slices": None,
        "health": _word(verdict_of(spread, spread, saturation)),
        "weights": None,
    }


def _word(verdict: Verdict) -> str:
    return verdict.name.lower().replace("_", " ")
