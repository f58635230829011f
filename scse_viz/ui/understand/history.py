"""Understand, growth: how attention came to be while the networks were trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from scse_viz.analysis.gates import BlockGates, named_arrays
from scse_viz.figures.history import Curves, growth_curves
from scse_viz.rendering.colours import variant_colours
from scse_viz.ui.components.keys import keys
from scse_viz.ui.shell import export, sidebar
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.words import ALL_VARIANT_TITLES, variant_title, verbatim
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand.grid import Line
from scse_viz.ui.understand.grid import draw as draw_grid
from scse_viz.zoo import Card
from scse_viz.zoo.history import GrowthError, GrowthFile
from scse_viz.zoo.scores import NOT_COUNTED

STEP, REFERENCE, DICE_OF, BLOCKS = "understand_step", "understand_reference", "understand_dice", "blocks"
PLAYING = "understand_playing"
PACE = 0.8
"""Seconds from one moment to the next while it plays."""
MEAN = "mean of structures"
LEFT_OUT = (NOT_COUNTED,)


@dataclass(frozen=True, eq=False)
class Grown:
    """Networks with what was kept while they were trained, by the title of the variant."""

    cards: Mapping[str, Card]
    files: Mapping[str, GrowthFile]

    @property
    def steps(self) -> list[int]:
        """The moments of all of them."""
        return sorted({int(step) for file in self.files.values() for step in file.steps})


def draw(view: View) -> None:
    """Curves over the training, and the gates at a moment of it."""
    with st.sidebar:
        family = sidebar.choose_architecture(view)
        variants = {variant_title(card.variant): card for card in family.values()}
        chosen = st.pills(
            "Variants",
            list(variants),
            selection_mode="multi",
            default=list(variants)[:4],
            key="variants",
            bind="query-params",
            help="The networks to follow, side by side. All were trained alike, on the same images in the same order.",
        )
        offered = list(dict.fromkeys(block.name for card in family.values() for block in card.block_table))
        blocks = st.pills(
            "Blocks",
            offered,
            selection_mode="multi",
            default=offered,
            key=BLOCKS,
            bind="query-params",
            help="The blocks whose gates are drawn.",
        )
    if not chosen:
        st.info("Choose at least one variant in the sidebar.")
        return
    grown = _read({title: card for title, card in variants.items() if title in chosen})
    if not grown.files:
        return
    with st.sidebar:
        back, on = partial(_move, grown.steps, -1), partial(_move, grown.steps, 1)
        keys.listen({"ArrowLeft": back, "ArrowRight": on}, key="understand_keys")
    left, right, play = st.columns([2, 2, 1], vertical_alignment="bottom")
    with left:
        names = [MEAN, *next(iter(grown.files.values())).classes[1:]]
        if st.session_state.get(DICE_OF, MEAN) not in names:
            del st.session_state[DICE_OF]  # a structure of another anatomy
        dice_of = st.selectbox(
            "Dice of",
            names,
            key=DICE_OF,
            bind="query-params",
            help="On images kept aside for validation; the mean leaves out background and extra-cerebral CSF.",
        )
    with right:
        count = min(len(file.references) for file in grown.files.values())
        reference = st.segmented_control(
            "Reference slice",
            range(1, count + 1),
            default=1,
            required=True,
            key=REFERENCE,
            bind="query-params",
            help="Gates were recorded on these slices of a real head, the same for all networks.",
        )
    with play:
        playing = st.session_state.get(PLAYING, False)
        label, icon = ("Stop", ":material/stop:") if playing else ("Play", ":material/play_arrow:")
        st.button(label, key="understand_play", icon=icon, on_click=_toggle, args=(grown.steps,), width="stretch",
                  help="From the first step to the last, one moment after the other.")  # fmt: skip
    shown = [block for block in offered if block in blocks]
    st.fragment(_draw_moment, run_every=PACE if playing else None)(view, grown, dice_of, reference - 1, shown)


def _read(cards: Mapping[str, Card]) -> Grown:
    files, missing = {}, []
    for title, card in cards.items():
        try:
            files[title] = understand_cached.growth(card)
        except GrowthError as error:
            missing.append(str(error))
    for sentence in missing:
        st.info(verbatim(sentence))
    return Grown({title: cards[title] for title in files}, files)


def _move(steps: Sequence[int], by: int) -> None:
    """One moment on, or back."""
    now = st.session_state.get(STEP, steps[-1])
    place = steps.index(now) + by if now in steps else len(steps) - 1
    st.session_state[STEP] = steps[min(max(place, 0), len(steps) - 1)]


def _toggle(steps: Sequence[int]) -> None:
    playing = st.session_state[PLAYING] = not st.session_state.get(PLAYING, False)
    if playing and st.session_state.get(STEP, steps[-1]) == steps[-1]:
        st.session_state[STEP] = steps[0]


def _draw_moment(view: View, grown: Grown, dice_of: str, reference: int, blocks: Sequence[str]) -> None:
    steps = grown.steps
    if st.session_state.get(STEP, steps[-1]) not in steps:
        del st.session_state[STEP]  # a moment of other networks
    if st.session_state.get(PLAYING):
        _advance(steps)
    step = st.select_slider(
        "Training step",
        steps,
        value=steps[-1],
        key=STEP,
        bind="query-params",
        help="The moments at which gates were recorded, about evenly spread on a logarithmic scale. The arrow keys go "
        "from one to the next.",
    )
    curves = {title: _curves(file, dice_of) for title, file in grown.files.items()}
    figure = growth_curves(curves, step=step, colours=variant_colours(ALL_VARIANT_TITLES), dice_of=dice_of)
    export.chart(figure, key="understand_growth")
    _draw_gates(grown, step, reference, blocks)
    table = pd.concat({title: _table(each) for title, each in curves.items()}, names=["variant", "row"])
    export.offer(
        view, page="understand-growth", models=list(grown.cards.values()), figures={"growth": figure},
        tables={"growth": table}, arrays=_arrays(grown, step, reference), code=_code(grown, step, reference),
    )  # fmt: skip


def _advance(steps: Sequence[int]) -> None:
    later = [step for step in steps if step > st.session_state.get(STEP, steps[-1])]
    if later:
        st.session_state[STEP] = later[0]
        return
    st.session_state[PLAYING] = False
    st.rerun()


def _curves(file: GrowthFile, dice_of: str) -> Curves:
    dice = file.mean_dice(LEFT_OUT) if dice_of == MEAN else file.dice[:, file.classes.index(dice_of)]
    return Curves(file.steps, dice, file.validation_loss, file.loss_steps, file.losses)


def _draw_gates(grown: Grown, step: int, reference: int, blocks: Sequence[str]) -> None:
    lines = []
    for title, gates in _gates(grown, step, reference).items():
        file = grown.files[title]
        moment = file.moment_at(step)
        dice, loss = file.mean_dice(LEFT_OUT)[moment], file.validation_loss[moment]
        lines.append(Line(title, (f"Dice {dice:.2f}", f"loss {loss:.2f}", f"step {file.steps[moment]:,}"), gates))
    draw_grid(lines, blocks, next(iter(grown.files.values())).references[reference])


def _gates(grown: Grown, step: int, reference: int) -> dict[str, dict[str, BlockGates]]:
    return {title: file.gates_at(file.moment_at(step), reference) for title, file in grown.files.items()}


def _table(curves: Curves) -> pd.DataFrame:
    return pd.DataFrame({"step": curves.steps, "Dice": curves.dice, "validation loss": curves.validation_loss})


def _arrays(grown: Grown, step: int, reference: int) -> dict:
    return {
        f"{grown.cards[title].name}/{name}": gate
        for title, found in _gates(grown, step, reference).items()
        for name, gate in named_arrays(found).items()
    }


def _code(grown: Grown, step: int, reference: int) -> str:
    name = next(iter(grown.cards.values())).name
    return f"""
from scse_viz.zoo.history import read_growth

growth = read_growth(zoo.home("{name}") / "{name}.growth.npz")
growth.gates_at(growth.moment_at({step}), {reference})
"""
