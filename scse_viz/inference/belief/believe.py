"""All tests of a network's gates on one slice, and their means over slices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from scse_viz.analysis.belief import GateTests
from scse_viz.analysis.belief.pointing import Pointing, one_sided_p, pointing
from scse_viz.analysis.belief.randomisation import survival, survival_by_chance
from scse_viz.analysis.belief.repeatability import likeness
from scse_viz.attention import Recording, record
from scse_viz.inference.belief.case import SliceCase, maps_of, weights_of
from scse_viz.inference.belief.gradcam import can_explain, grad_cam
from scse_viz.inference.belief.perturbation import interior, perturbed
from scse_viz.inference.belief.randomisation import cascade, stages
from scse_viz.inference.belief.removal import DRAWS, RemovalCurves, curves, edges, ends, random_orders
from scse_viz.system.devices import on_device

REDRAWN = 3
"""Networks with redrawn weights."""
MAP, WEIGHTS = "map", "weights"
Readout = tuple[str, str]
"""What is read from a block in a pass: the block, and MAP or WEIGHTS."""
Tell = Callable[[float], None]
"""Is told the share of the work that is done, 0 to 1."""
EDGES, RANDOM, GRADCAM = "edges of the picture", "random", "Seg-Grad-CAM"


@dataclass(frozen=True, eq=False)
class Removal:
    """The curves of a map, and of every other order: the edges, Seg-Grad-CAM, and several random ones."""

    map: RemovalCurves
    random: Sequence[RemovalCurves]
    rivals: Mapping[str, RemovalCurves]


@dataclass(frozen=True, eq=False)
class SliceTests:
    """Everything measured of one slice; `maps` (h, w) are those that were tested, `cams` Seg-Grad-CAM's, by block.

    `depths` names the depths of the network, top down, and `survived` has (depths,) of every gate; the gates of `cams`
    and `removal` are only those for which they were asked.
    """

    depths: tuple[str, ...]
    maps: Mapping[str, np.ndarray]
    cams: Mapping[str, np.ndarray]
    spread: Mapping[Readout, float]
    survived: Mapping[Readout, np.ndarray]
    by_chance: Mapping[Readout, float]
    repeated: Mapping[Readout, float]
    between: Mapping[Readout, float]
    removal: Mapping[str, Removal]
    pointing: Mapping[str, Pointing]


def believe(case: SliceCase, model: nn.Module, blocks: Sequence[str], tell: Tell = lambda share: None) -> SliceTests:
    """Test every gate on one slice, and the removal of pixels by the maps of `blocks` alone, which takes longest.

    Seg-Grad-CAM is left out where captum is missing. The network is only read, and runs on the processor. Raises
    ScanError for a network that does not segment, KeyError for a block that it lacks.
    """
    model = on_device(model, "cpu")  # where the slice and its maps are
    trained = arrays_of(record(model, case.x), case.size)
    tell(0.02)
    depths, survived = _randomised(case, model, trained, lambda share: tell(0.02 + 0.38 * share))
    repeated, between = _repeated(case, model, trained)
    tell(0.45)
    maps = {block: values for (block, kind), values in trained.items() if kind == MAP}
    tested = [block for block in blocks if block in maps and maps[block].min() < maps[block].max()]
    cams = {block: grad_cam(case, model, block) for block in tested} if can_explain() else {}
    removal = _removed(
        case, model, {block: maps[block] for block in tested}, cams, lambda share: tell(0.45 + share / 2)
    )
    pointings = {block: pointing(values, case.structure, case.head) for block, values in maps.items()}
    tell(1.0)
    return SliceTests(
        depths=depths,
        maps=maps,
        cams=cams,
        spread={gate: float(values[case.head if values.ndim == 2 else ...].std()) for gate, values in trained.items()},
        survived=survived,
        by_chance={gate: survival_by_chance(values, _head(values, case)) for gate, values in trained.items()},
        repeated=repeated,
        between=between,
        removal=removal,
        pointing=pointings,
    )


def arrays_of(recording: Recording, size: tuple[int, int]) -> dict[Readout, np.ndarray]:
    """The maps on the input's grid (h, w), which is `size`, and the channel weights (C,) of a pass of one image."""
    maps = {(block, MAP): values for block, values in maps_of(recording, size).items()}
    weights = {(block, WEIGHTS): values for block, values in weights_of(recording).items()}
    return maps | weights


def joined(slices: Sequence[SliceTests]) -> dict[Readout, GateTests]:
    """The tests of several slices of one scan -> numbers of every gate."""
    gates = dict.fromkeys(gate for tests in slices for gate in tests.spread)
    return {gate: _joined([tests for tests in slices if gate in tests.spread], gate) for gate in gates}


def surviving(slices: Sequence[SliceTests]) -> dict[Readout, np.ndarray]:
    """The mean |rho| of every gate at each depth, (depths,) top down."""
    gates = dict.fromkeys(gate for tests in slices for gate in tests.survived)
    return {gate: _mean([tests.survived[gate] for tests in slices if gate in tests.survived]) for gate in gates}


def _joined(slices: Sequence[SliceTests], gate: Readout) -> GateTests:
    block, kind = gate
    numbers = {
        "spread": _number([tests.spread[gate] for tests in slices]),
        "survived": _number([tests.survived[gate][-1] for tests in slices]),
        "survived_by_chance": _number([tests.by_chance[gate] for tests in slices]),
        "repeated": _number([tests.repeated[gate] for tests in slices]),
        "between": _number([tests.between[gate] for tests in slices]),
    }
    if kind == MAP:
        removals = [tests.removal[block] for tests in slices if block in tests.removal]
        numbers |= _removal_numbers(removals) if removals else {}
        numbers |= _pointing_numbers([tests.pointing[block] for tests in slices])
    return GateTests(**numbers)


def _removal_numbers(removals: Sequence[Removal]) -> dict[str, float]:
    numbers = {}
    for side, name, best in ((0, "deleted", min), (1, "inserted", max)):
        random = np.mean(
            [[random_curves.areas[side] for random_curves in removal.random] for removal in removals], axis=0
        )  # (draws,)
        numbers[name] = _number([removal.map.areas[side] for removal in removals])
        numbers[f"{name}_random"], numbers[f"{name}_random_best"] = float(random.mean()), float(best(random))
        for rival, suffix in ((EDGES, "edges"), (GRADCAM, "gradcam")):
            areas = [removal.rivals[rival].areas[side] for removal in removals if rival in removal.rivals]
            numbers[f"{name}_{suffix}"] = _number(areas)
    return numbers


def _pointing_numbers(points: Sequence[Pointing]) -> dict[str, float]:
    fewest = min(len(point.copies) for point in points)
    copies = np.mean([point.copies[:fewest] for point in points], axis=0)  # (N,)
    inside = _number([point.inside for point in points])
    return {
        "inside": inside,
        "border": _number([point.border for point in points]),
        "leakage": _number([point.leakage for point in points]),
        "inside_by_chance": float(copies.mean()) if fewest else float("nan"),
        "inside_p": one_sided_p(inside, copies),
        "hit": _number([point.hit for point in points]),
        "hit_by_chance": _number([point.hits_by_chance for point in points]),
    }


def _randomised(
    case: SliceCase, model: nn.Module, trained: Mapping[Readout, np.ndarray], tell: Tell
) -> tuple[tuple[str, ...], dict[Readout, np.ndarray]]:
    """The depths, and the mean |rho| of every gate after each."""
    depths = tuple(name for name, _ in stages(model, case.x))
    by_gate: dict[Readout, list[list[float]]] = {gate: [] for gate in trained}
    for draw in range(REDRAWN):
        for rows in by_gate.values():
            rows.append([])
        for number, (_, recording) in enumerate(cascade(model, case.x, draw)):
            redrawn = arrays_of(recording, case.size)
            for gate, values in trained.items():
                kept = survival(values, [redrawn[gate]], _head(values, case)) if gate in redrawn else 0.0
                by_gate[gate][-1].append(kept)
            tell((draw + (number + 1) / len(depths)) / REDRAWN)
    return depths, {gate: np.mean(rows, axis=0) for gate, rows in by_gate.items()}


def _repeated(
    case: SliceCase, model: nn.Module, trained: Mapping[Readout, np.ndarray]
) -> tuple[dict[Readout, float], dict[Readout, float]]:
    """The mean likeness of every gate to itself on changed copies of the slice, and to itself on other slices."""
    head = interior(case.head)
    same: dict[Readout, list[float]] = {gate: [] for gate in trained}
    elsewhere: dict[Readout, list[float]] = {gate: [] for gate in trained}
    for _, x, undo in perturbed(case.x):
        for gate, values in arrays_of(record(model, x), case.size).items():
            if gate in trained:
                back = undo(values) if values.ndim == 2 else values
                same[gate].append(likeness(trained[gate], back, head))
    for row in range(len(case.others)):
        for gate, values in arrays_of(record(model, case.others[row : row + 1]), case.size).items():
            if gate in trained:
                elsewhere[gate].append(likeness(trained[gate], values, head))
    repeated, between = ({gate: _number(values) for gate, values in measured.items()} for measured in (same, elsewhere))
    return repeated, between


def _removed(
    case: SliceCase,
    model: nn.Module,
    maps: Mapping[str, np.ndarray],
    cams: Mapping[str, np.ndarray],
    tell: Tell,
) -> dict[str, Removal]:
    if not maps:
        return {}
    between, scales = ends(case, model), {block: _scale(values) for block, values in maps.items()}
    steps = DRAWS * len(set(scales.values())) + len(maps) + 1
    done = 0

    def measured(order: np.ndarray) -> RemovalCurves:
        nonlocal done
        done += 1
        tell(done / steps)
        return curves(case, model, order, between)

    of_edges = measured(edges(case))
    random = {scale: [measured(order) for order in random_orders(case, scale)] for scale in set(scales.values())}
    removals = {}
    for block, values in maps.items():
        rivals = {EDGES: of_edges}
        if block in cams:
            rivals[GRADCAM] = curves(case, model, cams[block], between)
        removals[block] = Removal(measured(values), random[scales[block]], rivals)
    return removals


def _scale(values: np.ndarray) -> int:
    """The side in pixels of the squares that a map (h, w) on the input's grid consists of, a power of two."""
    scale = 1
    while 2 * scale <= min(values.shape):
        larger = 2 * scale
        coarse = values[::larger, ::larger]
        drawn = np.repeat(np.repeat(coarse, larger, axis=0), larger, axis=1)[: values.shape[0], : values.shape[1]]
        if not np.array_equal(drawn, values):
            break
        scale = larger
    return scale


def _head(values: np.ndarray, case: SliceCase) -> np.ndarray | None:
    return case.head if values.ndim == 2 else None


def _number(values: Sequence[float]) -> float:
    return float(_mean([np.asarray(values, dtype=np.float64)], axis=None)) if len(values) else float("nan")


def _mean(arrays: Sequence[np.ndarray], axis: int | None = 0) -> np.ndarray:
    """The mean of those that are not nan."""
    stacked = np.stack(arrays)
    counts = (~np.isnan(stacked)).sum(axis=axis)
    total = np.nansum(stacked, axis=axis)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
