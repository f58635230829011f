"""Understand, training history: how gates developed while the networks were trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from scse_viz.analysis.gates import BlockGates, named_arrays
from scse_viz.figures.history import Curves, history_curves
from scse_viz.rendering.colours import variant_colours
from scse_viz.ui.components.keys import keys
from scse_viz.ui.shell import export, sidebar
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.variants import FIRST_VARIANTS, choose_several
from scse_viz.ui.shell.words import ALL_VARIANT_TITLES, verbatim
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand.grid import Line
from scse_viz.ui.understand.grid import draw as draw_grid
from scse_viz.ui.understand.references import sides
from scse_viz.zoo import Card
from scse_viz.zoo.history import HistoryError, TrainingHistory
from scse_viz.zoo.scores import NOT_COUNTED
from scse_viz.zoo.titles import variant_title

STEP, REFERENCE, DICE_OF, BLOCKS = "understand_step", "understand_reference", "understand_dice", "blocks"
PLAYING = "understand_playing"
PACE = 0.8
"""Seconds for which a snapshot is shown while playing."""
MEAN = "mean of structures"
EXCLUDED = (NOT_COUNTED,)


@dataclass(frozen=True, eq=False)
class Histories:
    """Networks and their training histories, by the title of the variant."""

    cards: Mapping[str, Card]
    files: Mapping[str, TrainingHistory]

    @property
    def steps(self) -> list[int]:
        """The steps of all their snapshots."""
        return sorted({int(step) for file in self.files.values() for step in file.steps})


def draw(view: View) -> None:
    """Curves over the training, and the gates in one snapshot of it."""
    with st.sidebar:
        chosen, blocks = _choose_networks(view)
    if not chosen:
        st.info("Choose at least one variant in the sidebar.")
        return
    histories = _read(chosen)
    if not histories.files:
        return
    with st.sidebar:
        back, on = partial(_move, histories.steps, -1), partial(_move, histories.steps, 1)
        keys.listen({"ArrowLeft": back, "ArrowRight": on}, key="understand_keys")
    left, right, play = st.columns([2, 2, 1], vertical_alignment="bottom")
    with left:
        dice_of = _choose_structure(histories)
    with right:
        reference = _choose_reference(histories)
    with play:
        playing = st.session_state.get(PLAYING, False)
        label, icon = ("Stop", ":material/stop:") if playing else ("Play", ":material/play_arrow:")
        st.button(label, key="understand_play", icon=icon, on_click=_toggle, args=(histories.steps,), width="stretch",
                  help="All snapshots in order, from the first step to the last.")  # fmt: skip
    st.fragment(_draw_snapshot, run_every=PACE if playing else None)(view, histories, dice_of, reference - 1, blocks)


def _choose_networks(view: View) -> tuple[dict[str, Card], list[str]]:
    """The cards chosen, by the title of the variant, and the names of the blocks to draw."""
    family = sidebar.choose_architecture(view)
    variants = {variant_title(card.variant): card for card in family.values()}
    chosen = choose_several(
        list(variants),
        FIRST_VARIANTS,
        "The networks to follow, side by side. They were trained alike, on the same images in the same order.",
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
    cards = {title: card for title, card in variants.items() if title in chosen}
    return cards, [block for block in offered if block in blocks]


def _choose_structure(histories: Histories) -> str:
    names = [MEAN, *next(iter(histories.files.values())).classes[1:]]
    if st.session_state.get(DICE_OF, MEAN) not in names:
        del st.session_state[DICE_OF]  # a structure of another anatomy
    return st.selectbox(
        "Dice of",
        names,
        key=DICE_OF,
        bind="query-params",
        help="On images held out for validation; the mean excludes background and extra-cerebral CSF.",
    )


def _choose_reference(histories: Histories) -> int:
    return st.segmented_control(
        "Reference slice",
        range(1, 1 + min(len(file.references) for file in histories.files.values())),
        default=1,
        required=True,
        key=REFERENCE,
        bind="query-params",
        help="Gates were recorded on these slices of a real head, the same for all networks.",
    )


def _read(cards: Mapping[str, Card]) -> Histories:
    files, missing = {}, []
    for title, card in cards.items():
        try:
            files[title] = understand_cached.history(card)
        except HistoryError as error:
            missing.append(str(error))
    for sentence in missing:
        st.info(verbatim(sentence))
    return Histories({title: cards[title] for title in files}, files)


def _move(steps: Sequence[int], by: int) -> None:
    """To the next snapshot, or back."""
    now = st.session_state.get(STEP, steps[-1])
    number = steps.index(now) + by if now in steps else len(steps) - 1
    st.session_state[STEP] = steps[min(max(number, 0), len(steps) - 1)]


def _toggle(steps: Sequence[int]) -> None:
    playing = st.session_state[PLAYING] = not st.session_state.get(PLAYING, False)
    if playing and st.session_state.get(STEP, steps[-1]) == steps[-1]:
        st.session_state[STEP] = steps[0]


def _draw_snapshot(view: View, histories: Histories, dice_of: str, reference: int, blocks: Sequence[str]) -> None:
    steps = histories.steps
    if st.session_state.get(STEP, steps[-1]) not in steps:
        del st.session_state[STEP]  # a snapshot of other networks
    if st.session_state.get(PLAYING):
        _advance(steps)
    step = st.select_slider(
        "Training step",
        steps,
        value=steps[-1],
        key=STEP,
        bind="query-params",
        help="The steps at which a snapshot was kept, about evenly spaced on a logarithmic scale. The arrow keys step "
        "through them.",
    )
    curves = {title: _curves(file, dice_of) for title, file in histories.files.items()}
    figure = history_curves(curves, step=step, colours=variant_colours(ALL_VARIANT_TITLES), dice_of=dice_of)
    export.chart(figure, key="understand_history")
    _draw_gates(view, histories, step, reference, blocks)
    table = pd.concat({title: _table(curve) for title, curve in curves.items()}, names=["variant", "row"])
    export.offer(
        view,
        export.ExportContents(
            page="understand-history",
            models=list(histories.cards.values()),
            figures={"history": figure},
            tables={"history": table},
            arrays=_arrays(histories, step, reference),
            code=_code(histories, step, reference),
        ),
    )


def _advance(steps: Sequence[int]) -> None:
    later = [step for step in steps if step > st.session_state.get(STEP, steps[-1])]
    if later:
        st.session_state[STEP] = later[0]
        return
    st.session_state[PLAYING] = False
    st.rerun()


def _curves(file: TrainingHistory, dice_of: str) -> Curves:
    dice = file.mean_dice(EXCLUDED) if dice_of == MEAN else file.dice[:, file.classes.index(dice_of)]
    return Curves(file.steps, dice, file.validation_loss, file.loss_steps, file.losses)


def _draw_gates(view: View, histories: Histories, step: int, reference: int, blocks: Sequence[str]) -> None:
    lines = []
    for title, gates in _gates(histories, step, reference).items():
        file = histories.files[title]
        snapshot = file.snapshot_at(step)
        dice, loss = file.mean_dice(EXCLUDED)[snapshot], file.validation_loss[snapshot]
        details = (f"Dice {dice:.2f}", f"loss {loss:.2f}", f"step {file.steps[snapshot]:,}")
        lines.append(Line(title, details, gates, histories.cards[title].multiple))
    drawn = sides(histories.cards.values(), reference, radiological=view.radiological)
    slice_ = next(iter(histories.files.values())).references[reference]
    draw_grid(lines, blocks, slice_, mirrored=drawn.mirrored)
    st.caption(f"Reference slice {reference + 1}, not of the scan in the sidebar: {drawn.words}.")


def _gates(histories: Histories, step: int, reference: int) -> dict[str, dict[str, BlockGates]]:
    return {title: file.gates_at(file.snapshot_at(step), reference) for title, file in histories.files.items()}


def _table(curves: Curves) -> pd.DataFrame:
    return pd.DataFrame({"step": curves.steps, "Dice": curves.dice, "validation loss": curves.validation_loss})


def _arrays(histories: Histories, step: int, reference: int) -> dict:
    return {
        f"{histories.cards[title].name}/{name}": gate
        for title, blocks in _gates(histories, step, reference).items()
        for name, gate in named_arrays(blocks).items()
    }


def _code(histories: Histories, step: int, reference: int) -> str:
    name = next(iter(histories.cards.values())).name
    return f"""
from scse_viz.zoo.history import read_history

history = read_history(zoo.home("{name}") / "{name}.history.npz")
history.gates_at(history.snapshot_at({step}), {reference})
"""
