"""The controls of the page Intervene: one strip for each block, how actions are meant, undo and reset."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from scse_viz.ui.intervene.plan import (
    ACTIONS,
    CHANNEL,
    LEAVE,
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
STRIP = 100
"""Width of the strip of a block, in pixels: nine stand side by side in a usual window."""
FIRST_STRENGTH = 0.5
UNDOS = 100
_PLAN, _HISTORY, _BLOCKS = "intervene_plan", "intervene_history", "intervene_blocks"
_HELP = (
    "as it is: nothing is changed. off: the gate is 1; the whole block is bypassed, and what enters it leaves it. "
    "mean: every pixel, or channel, gets the gate's average. invert: 1 − gate. shuffle: the same values at other "
    "places. strength k, set by the slider: 1 + k (gate − 1). 1 or 0 inside: the spatial gate has this value inside "
    "the structure chosen below, and is as it is elsewhere."
)
_STRENGTH_HELP = (
    "1 + k (gate − 1), for the whole block u + k (v − u) of what enters and leaves it: 0 is off, 1 as it is, 2 twice "
    "the effect, where a gate below 0.5 becomes negative."
)


def begin(blocks: Sequence[str]) -> None:
    """Take the plan from the address at the first run, and keep it there afterwards; blocks: of the network shown."""
    st.session_state[_BLOCKS] = tuple(blocks)
    if _PLAN not in st.session_state:
        plan, whole = read_plan(st.query_params.get(ADDRESS, ""), blocks)
        st.session_state[_PLAN], st.session_state[_HISTORY] = plan, []
        if not whole:
            address.lose(ADDRESS)
    address.put(ADDRESS, write_plan(current()))


def current() -> Plan:
    """What is to be changed, as it stands."""
    plan: Plan = st.session_state[_PLAN]
    return plan


def put(block: str, setting: Setting) -> None:
    """Change what is done at one block; only in a callback, before the widgets are drawn."""
    _set(with_setting(current(), block, setting, st.session_state[_BLOCKS]))


def setting_of(block: str) -> Setting:
    """What is done at one block."""
    return current().get(block, Setting())


def uses_region() -> bool:
    """Whether any block is changed inside a structure."""
    return any(setting.action in REGIONS for setting in current().values())


def draw(gates: Mapping[str, Sequence[str]]) -> None:
    """Draw a strip for every block of a network, side by side as it runs; gates: block -> those that it has."""
    with st.container(horizontal=True, gap="xsmall"):
        for block in gates:
            with st.container(width=STRIP, gap="xsmall"):
                _draw_strip(block, gates[block])


def draw_manner(gates: Sequence[str], structures: Sequence[Structure]) -> tuple[str, int, int]:
    """How actions are meant: the gates they act on, the number of the structure of a region, the seed of a shuffle."""
    chosen, names = WHOLE, [each.name for each in structures[1:]]
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
            help="Inside it as this network predicts it, before any change.",
        )
        seed = st.number_input(
            "Seed of shuffle",
            0,
            9999,
            0,
            key="intervene_seed",
            bind="query-params",
            width=150,
            help="Another seed, another order.",
        )
    return chosen, 1 + names.index(structure), int(seed)


def draw_said() -> None:
    """The plan in words, and the ways back."""
    plan = current()
    with st.container(horizontal=True, vertical_alignment="center"):
        if plan:
            st.markdown(f"**Changed:** {verbatim(sentence(plan))}", width="stretch")
        else:
            st.markdown("Nothing is changed yet: choose an action for a block, or click a channel.", width="stretch")
        st.button(
            "Undo",
            key="intervene_undo",
            on_click=_undo,
            disabled=not st.session_state[_HISTORY],
            icon=":material/undo:",
            help="Take back the last change.",
        )
        st.button(
            "Reset all",
            key="intervene_reset",
            on_click=_set,
            args=({},),
            disabled=not plan,
            icon=":material/restart_alt:",
            help="All blocks as they are, and all channels back.",
        )


def _draw_strip(block: str, gates: Sequence[str]) -> None:
    setting = setting_of(block)
    actions = [action for action in ACTIONS if action not in REGIONS or "spatial_gate" in gates]
    action_key, strength_key = f"intervene_{block}", f"intervene_{block}_strength"
    st.session_state[action_key] = setting.action if setting.action in actions else LEAVE
    st.session_state[strength_key] = setting.shown_strength
    st.selectbox(
        block,
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
