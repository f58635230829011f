"""Controls of the page Intervene: a strip for each block, the manner of actions, undo and reset."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from scse_viz.blocks import BlockInfo
from scse_viz.stages import short_names, stages
from scse_viz.ui.intervene.plan import (
    ACTIONS,
    CHANNEL,
    LEAVE,
    OF_ATTENTION,
    OFF,
    REGIONS,
    SPATIAL,
    STRENGTH,
    STRENGTHS,
    WHOLE,
    Plan,
    Setting,
    read_plan,
    sentence,
    with_setting,
    write_plan,
)
from scse_viz.ui.shell import address
from scse_viz.ui.shell.words import verbatim
from scse_viz.zoo.structures import Structure

ADDRESS = "intervene"
"""The key of the plan in the address."""
STRIP, WIDE_STRIP, LONGEST = 100, 170, 12
"""Width of a strip in pixels: nine fit side by side in a usual window; wide ones for names beyond LONGEST letters."""
FIRST_STRENGTH = 0.5
UNDOS = 100
MOST_STRIPS = 12
"""Beyond so many blocks, one stage is shown at a time."""
STAGE = "intervene_stage"
_PLAN, _HISTORY, _BLOCKS = "intervene_plan", "intervene_history", "intervene_blocks"
_HELP = (
    "as it is: no change. off: the gate is 1; with the whole block, it is bypassed and its input is its output. mean: "
    "every pixel, or channel, gets the gate's mean. invert: 1 − gate. shuffle: the gate's values in random order. "
    "strength k, set by the slider: 1 + k (gate − 1). 1 or 0 inside: the spatial gate is set to this value inside the "
    "structure chosen below, and unchanged elsewhere. Relatives: a full gate (PE) has a value for every pixel of every "
    "channel; off for AG lets the skip pass as it is; a non-local block adds to its input: off, it adds nothing, with "
    "mean every pixel looks at all pixels alike, and its strength scales what it adds."
)
_STRENGTH_HELP = (
    "1 + k (gate − 1); for the whole block u + k (v − u), u its input and v its output. 0 is off, 1 as it is, 2 twice "
    "the effect, where a gate below 0.5 turns negative."
)


def begin(blocks: Sequence[str]) -> None:
    """Read the plan from the address in the first run, write it there in later ones; blocks: of the network shown."""
    st.session_state[_BLOCKS] = tuple(blocks)
    if _PLAN not in st.session_state:
        plan, whole = read_plan(st.query_params.get(ADDRESS, address.KEYS[ADDRESS].default), blocks)
        st.session_state[_PLAN], st.session_state[_HISTORY] = plan, []
        if not whole:
            address.lose(ADDRESS)
    address.put(ADDRESS, write_plan(current()))


def current() -> Plan:
    """The current plan."""
    plan: Plan = st.session_state[_PLAN]
    return plan


def put(block: str, setting: Setting) -> None:
    """Replace the setting of one block; only in callbacks, before widgets are drawn."""
    _set(with_setting(current(), block, setting, st.session_state[_BLOCKS]))


def setting_of(block: str) -> Setting:
    """The setting of one block."""
    return current().get(block, Setting())


def uses_region() -> bool:
    """Whether any block is changed inside a structure."""
    return any(setting.action in REGIONS for setting in current().values())


def draw(gates: Mapping[str, Sequence[str]], table: Sequence[BlockInfo], chosen: str) -> None:
    """Draw a strip for every block with gates, in the order of a pass; gates: block -> its gates.

    Where there are many, only those of one stage: that of the chosen block, unless the user chooses another.
    """
    shown = [block for block, kinds in gates.items() if kinds]
    if len(shown) > MOST_STRIPS:
        shown = [block for block in _choose_stage(table, shown, chosen) if block in shown]
    short = short_names(list(gates))
    with st.container(horizontal=True, gap="xsmall"):
        for block in shown:
            with st.container(width=STRIP if len(short[block]) <= LONGEST else WIDE_STRIP, gap="xsmall"):
                _draw_strip(block, short[block], gates[block])


def _choose_stage(table: Sequence[BlockInfo], gated: Sequence[str], chosen: str) -> tuple[str, ...]:
    """The blocks of one stage."""
    by_name = {stage.name: stage.blocks for stage in stages(table) if set(stage.blocks) & {*gated}}
    if st.session_state.get(STAGE) not in (None, *by_name):
        del st.session_state[STAGE]
    first = next((name for name, blocks in by_name.items() if chosen in blocks), next(iter(by_name)))
    name = st.pills(
        "Stage",
        list(by_name),
        default=first,
        required=True,
        key=STAGE,
        bind="query-params",
        help="The stage whose blocks are below. Blocks of several stages can be changed at once.",
    )
    return by_name[name]


def draw_manner(gates: Sequence[str], structures: Sequence[Structure]) -> tuple[str, int, int]:
    """Choose the gates that actions act on, the class number of the region's structure, and the seed of shuffles."""
    chosen, names = WHOLE, [listed.name for listed in structures[1:]]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(gates) > 1:
            chosen = st.segmented_control(
                "Actions change",
                [WHOLE, CHANNEL, SPATIAL],
                default=WHOLE,
                required=True,
                key="intervene_gates",
                bind="query-params",
                help="scSE is u c + u s. Off, for the whole block, returns u; with one gate off it is u + u s or "
                "u c + u, about twice as strong.",
            )
        structure = st.selectbox(
            "Structure of 1 or 0 inside",
            names,
            key="intervene_structure",
            bind="query-params",
            disabled="spatial_gate" not in gates,
            width=230,
            help="The region is the structure as predicted before any change.",
        )
        seed = st.number_input(
            "Seed of shuffle",
            0,
            9999,
            0,
            key="intervene_seed",
            bind="query-params",
            width=150,
            help="Each seed gives a different random order.",
        )
    return chosen, 1 + names.index(structure), int(seed)


def draw_said() -> None:
    """Draw the plan in words, with undo and reset."""
    plan = current()
    with st.container(horizontal=True, vertical_alignment="center"):
        if plan:
            st.markdown(f"**Changed:** {verbatim(sentence(plan))}", width="stretch")
        else:
            st.markdown("Nothing is changed. Choose an action for a block, or click a channel below.", width="stretch")
        st.button(
            "Undo",
            key="intervene_undo",
            on_click=_undo,
            disabled=not st.session_state[_HISTORY],
            icon=":material/undo:",
            help="Undo the last change.",
        )
        st.button(
            "Reset all",
            key="intervene_reset",
            on_click=_set,
            args=({},),
            disabled=not plan,
            icon=":material/restart_alt:",
            help="Restore all blocks and channels.",
        )


def _draw_strip(block: str, label: str, gates: Sequence[str]) -> None:
    setting = setting_of(block)
    actions = [action for action in ACTIONS if action not in REGIONS or "spatial_gate" in gates]
    if "attention" in gates:
        actions = [action for action in actions if action in OF_ATTENTION]
    action_key, strength_key = f"intervene_{block}", f"intervene_{block}_strength"
    st.session_state[action_key] = setting.action if setting.action in actions else LEAVE
    st.session_state[strength_key] = setting.shown_strength
    st.selectbox(
        label,
        actions,
        format_func=lambda action: ACTIONS[action],
        key=action_key,
        on_change=_take_action,
        args=(block,),
        help=_HELP,
    )
    st.slider(
        f"Strength of {block}",
        *STRENGTHS,
        step=0.05,
        key=strength_key,
        on_change=_take_strength,
        args=(block,),
        disabled=setting.action not in (LEAVE, OFF, STRENGTH),
        label_visibility="collapsed",
        help=_STRENGTH_HELP,
    )


def _take_action(block: str) -> None:
    action, setting = st.session_state[f"intervene_{block}"], setting_of(block)
    strength = FIRST_STRENGTH if action == STRENGTH else 1.0
    put(block, replace(setting, action=action, strength=strength))


def _take_strength(block: str) -> None:
    strength = round(float(st.session_state[f"intervene_{block}_strength"]), 2)
    put(block, replace(setting_of(block), action=STRENGTH, strength=strength))


def _undo() -> None:
    st.session_state[_PLAN] = st.session_state[_HISTORY].pop()


def _set(plan: Plan) -> None:
    before = current()
    if plan != before:
        st.session_state[_HISTORY] = [*st.session_state[_HISTORY][-UNDOS:], before]
        st.session_state[_PLAN] = plan
