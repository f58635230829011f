"""The tests of one block on the slice of the sidebar: asked for by a button, since they take a while."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.belief import GateTests, judge
from scse_viz.analysis.belief.removal import SHARES
from scse_viz.analysis.structures import LEAST_PIXELS
from scse_viz.figures import belief as figures
from scse_viz.inference.belief import CAM_NEEDS, Readout, SliceCase, SliceTests, can_explain, joined
from scse_viz.inference.belief.believe import MAP, WEIGHTS, Removal
from scse_viz.ui.shell import cached, export
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand.belief.verdicts import KINDS, advice, findings_table, gate_table
from scse_viz.ui.understand.structures import FIRST_STRUCTURE
from scse_viz.zoo import Card

STRUCTURE, TESTED = "understand_live_structure", "understand_live_tested"
WORK = "Redrawing weights, moving the slice, removing pixels"


@dataclass(frozen=True, eq=False)
class Tested:
    """What this part shows, for the export; `number` is the class of the structure."""

    number: int = 1
    figures: Mapping[str, go.Figure] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    maps: Mapping[str, export.SliceMap] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)


def draw(view: View, card: Card, block: str) -> Tested:
    """Offer the tests of a block on this slice, and draw them once they were asked for. Raises ScanError."""
    st.markdown(f"##### On this slice: {block} of {card.name}")
    sizes = np.bincount(cached.result(view.slice, card).labels.ravel(), minlength=len(card.structures))
    shown = [int(number) for number in np.flatnonzero(sizes >= LEAST_PIXELS) if number]
    if not shown:
        st.info("The network finds no structure in this slice. Choose another one in the sidebar.")
        return Tested()
    number = _choose_structure(card, shown)
    asked = (view.slice.key, card.sha256, block, number)
    if st.session_state.get(TESTED) != asked:
        if not st.button("Test this slice", key="understand_test", type="primary", help=f"Some 250 passes. {_cam()}"):
            st.caption("The tests run the network some 250 times: 10 to 40 seconds on two cores.")
            return Tested(number)
        st.session_state[TESTED] = asked
    bar = st.progress(0.0, text=WORK)

    def tell(share: float) -> None:
        bar.progress(min(share, 1.0), text=WORK)

    outcome = understand_cached.believed(view.slice, card, block, number, tell)
    bar.empty()
    if outcome is None:
        st.info("The reference labels have too few pixels of this structure here. Choose another one.")
        return Tested(number)
    return _draw(view, card, block, number, *outcome)


def _choose_structure(card: Card, numbers: list[int]) -> int:
    names = {card.structures[number].name: number for number in numbers}
    if st.session_state.get(STRUCTURE, next(iter(names))) not in names:
        del st.session_state[STRUCTURE]  # one that another slice shows
    chosen = st.selectbox(
        "Structure",
        list(names),
        index=list(names).index(FIRST_STRUCTURE) if FIRST_STRUCTURE in names else 0,
        key=STRUCTURE,
        bind="query-params",
        help="As the network predicts it here: what is lost is measured against its own prediction on the whole slice.",
    )
    return names[chosen]


def _draw(view: View, card: Card, block: str, number: int, case: SliceCase, tests: SliceTests) -> Tested:
    structure = card.structures[number].name
    numbers: dict[Readout, GateTests] = {gate: of_gate for gate, of_gate in joined([tests]).items() if gate[0] == block}
    judged = {f"{block}, {KINDS[kind]}": judge(of_gate, structure=structure) for (_, kind), of_gate in numbers.items()}
    st.markdown(advice(judged))
    drawn = {"tests on this slice": findings_table(judged)}
    export.chart(drawn["tests on this slice"], key="understand_live_verdicts")
    pixel_mm = _pixel_mm(view, case)
    maps = {"the gate's map": tests.maps[block]} if block in tests.maps else {}
    maps |= {"Seg-Grad-CAM": tests.cams[block]} if block in tests.cams else {}
    if maps:
        drawn["map and Seg-Grad-CAM"] = _draw_maps(view, case, maps)
        st.caption(
            f"The outline is {structure} as predicted. Each map is drawn from its minimum to its maximum. {_cam()}"
        )
    if block in tests.removal:
        drawn["deletion and insertion"] = _draw_removal(tests.removal[block])
    survived = {KINDS[kind]: tests.survived[block, kind] for kind in (MAP, WEIGHTS) if (block, kind) in tests.survived}
    first = next(iter(numbers.values()))
    drawn["randomisation"] = figures.survival_curve(tests.depths, survived, first.survived_by_chance)
    export.chart(drawn["randomisation"], key="understand_live_survival")
    st.caption(
        "Weights are redrawn from the last layer to the first. Layers after a block cannot change its gate, so the "
        "curve starts at 1 and falls where the block itself and what comes before it are redrawn."
    )
    facts = {KINDS[kind]: _facts(of_gate) for (_, kind), of_gate in numbers.items()}
    arrays = {f"{block}/survived {kind}": values for kind, values in survived.items()}
    return Tested(
        number,
        drawn,
        {"tests on this slice": gate_table(numbers, structure)},
        {f"{block}, {name}": export.SliceMap(values, pixel_mm) for name, values in maps.items()},
        arrays={**arrays, **{f"{block}/{name}": values for name, values in maps.items()}},
        documents={"belief.json": json.dumps({"structure": structure, **facts}, indent=1).encode()},
    )


def _pixel_mm(view: View, case: SliceCase) -> tuple[float, float]:
    """Height and width in mm of a pixel of the network's input."""
    grid, (height, width) = view.slice.grid, case.structure.shape
    return grid.row_mm * grid.height / height, grid.column_mm * grid.width / width


def _draw_maps(view: View, case: SliceCase, maps: Mapping[str, np.ndarray]) -> go.Figure:
    row_mm, column_mm = _pixel_mm(view, case)
    figure = figures.maps_beside(
        view.drawn(case.x[0].amax(dim=0).numpy()),
        {name: view.drawn(values) for name, values in maps.items()},
        view.drawn(case.structure),
        aspect=row_mm / column_mm,
        convention=view.convention,
    )
    export.chart(figure, key="understand_live_maps")
    return figure


def _draw_removal(removal: Removal) -> go.Figure:
    figure = figures.removal_curves(
        SHARES,
        (removal.map.deletion, removal.map.insertion),
        [(curves.deletion, curves.insertion) for curves in removal.random],
        {name: (curves.deletion, curves.insertion) for name, curves in removal.rivals.items()},
    )
    export.chart(figure, key="understand_live_removal")
    return figure


def _facts(tests: GateTests) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else value for name, value in asdict(tests).items()}


def _cam() -> str:
    return "" if can_explain() else f"{CAM_NEEDS}."
