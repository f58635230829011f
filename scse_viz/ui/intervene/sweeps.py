"""Two sweeps over the unchanged network: every block changed in turn, and every channel of a block knocked out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz.analysis.ablation import permutation_p, spearman
from scse_viz.figures.ablation import ChannelEffects, block_bars, channel_scatter, channel_scatters, signed
from scse_viz.inference import SliceResult
from scse_viz.intervention import Change
from scse_viz.rendering.panels import GATE_RANGE
from scse_viz.ui.intervene import cached as intervene_cached
from scse_viz.ui.intervene.cached import Effect, NetworkSlice
from scse_viz.ui.intervene.channels import toggle
from scse_viz.ui.intervene.controls import setting_of
from scse_viz.ui.intervene.plan import ACTIONS, OFF, Manner, Setting, change_of
from scse_viz.ui.shell import export
from scse_viz.ui.shell.layout import wide_columns

MEASURES = {
    "changed": "changed pixels (share, 0 to 1)",
    "moved": "moved probability (share, 0 to 1)",
    "dice_lost": "mean Dice lost (with labels)",
}
TITLES = {"changed": "changed pixels", "moved": "moved probability", "dice_lost": "Dice lost"}
SWEPT = ("off", "mean", "invert", "shuffle")
WEIGHT, MAGNITUDE = "weight (0 to 1)", "mean |v| (a.u.)"
AGAINST = {"channel weight": WEIGHT, "mean activation": MAGNITUDE}
_SCATTER = "intervene_scatter"


@dataclass(frozen=True, eq=False)
class Sweeps:
    """Figures and tables of sweeps, to be exported."""

    figures: Mapping[str, go.Figure]
    tables: Mapping[str, pd.DataFrame]


def draw(at: NetworkSlice, before: SliceResult, manner: Manner, block: str, fixed: Mapping[str, str]) -> Sweeps:
    """Draw the sweeps; fixed: the blocks whose channels cannot be knocked out."""
    gates = {name: of_block.changeable for name, of_block in before.gates.items() if of_block.changeable}
    free = [name for name in before.gates if name not in fixed]
    st.subheader("How much does each contribute?")
    st.caption(
        "Each block, or channel, is changed alone and this slice is segmented again. The effect is that on this slice; "
        "on other slices it may differ."
    )
    titles = {title: name for name, title in TITLES.items() if name != "dice_lost" or at.reference_labels is not None}
    chosen = st.segmented_control(
        "Effect",
        list(titles),
        default=next(iter(titles)),
        required=True,
        key="intervene_effect",
        bind="query-params",
        help="changed pixels: those with another label, as a share of those that are a structure before or after. "
        "moved probability: the probability that moved to other classes, ½ Σ |p − q|, mean over structure pixels. "
        "Dice lost: mean Dice with the labels, before minus after; below 0 the change improved it.",
    )
    left, right = wide_columns(2, key="sweeps", gap="large")
    with left:
        blocks = _draw_blocks(at, gates, manner, titles[chosen])
    with right:
        channels = Sweeps({}, {})
        if block in free:
            channels = _draw_channels(at, before, block, titles[chosen])
    every = _draw_every_channel(at, before, free, titles[chosen]) if channels.figures else Sweeps({}, {})
    parts = (blocks, channels, every)
    return Sweeps(
        {name: figure for part in parts for name, figure in part.figures.items()},
        {name: table for part in parts for name, table in part.tables.items()},
    )


def _draw_blocks(at: NetworkSlice, gates: Mapping[str, Sequence[str]], manner: Manner, measure: str) -> Sweeps:
    st.markdown("##### Which block matters most?")
    if not gates:
        st.info("This network has no gates to change. Its channels can be swept, at the right.")
        return Sweeps({}, {})
    on = st.toggle(
        "Sweep over the blocks",
        key="intervene_sweep",
        bind="query-params",
        help="One pass of the network per block.",
    )
    action = st.segmented_control(
        "Each block in turn",
        SWEPT,
        format_func=lambda action: ACTIONS[action],
        wrap=True,
        default=OFF,
        required=True,
        key="intervene_sweep_action",
        bind="query-params",
        help="The action on the gates chosen above under “Actions change”.",
    )
    if not on:
        st.caption(f"{len(gates)} passes, one per block; the block with the largest effect comes first.")
        return Sweeps({}, {})
    effects: dict[str, Effect] = {}
    progress = st.progress(0.0, "Sweeping over the blocks")
    for done, block in enumerate(gates):
        progress.progress(done / len(gates), f"Sweeping over the blocks: {block}")
        effects[block] = intervene_cached.block_effect(at, block, _change(action, manner, block, gates[block]))
    progress.empty()
    figure = block_bars({name: getattr(effect, measure) for name, effect in effects.items()}, measure=MEASURES[measure])
    export.chart(figure, key="intervene_blocks")
    rows = {block: asdict(effect) for block, effect in effects.items()}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("block").rename(columns=TITLES)
    return Sweeps({"effect of each block": figure}, {"effect of each block": table})


def _change(action: str, manner: Manner, block: str, gates: Sequence[str]) -> Change:
    return change_of(Setting(action), manner, gates, divided=block in manner.divided)


def _draw_channels(at: NetworkSlice, before: SliceResult, block: str, measure: str) -> Sweeps:
    weighed = "channel_gate" in before.gates[block].kinds
    st.markdown("##### Do high channel weights mark important channels?" if weighed else "##### Which channels matter?")
    on = st.toggle(
        "Sweep over the channels",
        key="intervene_channels",
        bind="query-params",
        help="One pass of the network per channel of the block chosen in the sidebar.",
    )
    against = _choose_against(weighed)
    if not on:
        ranked = "weight" if weighed else "mean |v|"
        st.caption(f"One pass per channel of {block}: its {ranked} against the effect of knocking it out.")
        return Sweeps({}, {})
    effects = _channels(at, before, [block], measure, against)[block]
    left_out = setting_of(block).without
    figure = channel_scatter(effects, x_title=against, measure=MEASURES[measure], left_out=left_out)
    key = f"{_SCATTER}_{block}"
    export.chart(figure, key=key, on_select=lambda: toggle(block, key), selection_mode="points")
    by_magnitude = _channels(at, before, [block], measure, MAGNITUDE)[block] if against == WEIGHT else None
    _draw_rho(block, effects, against, None if by_magnitude is None else by_magnitude.rho)
    return Sweeps({f"channels of {block}": figure}, {f"effect of each channel of {block}": _table(at, before, [block])})


def _draw_every_channel(at: NetworkSlice, before: SliceResult, blocks: Sequence[str], measure: str) -> Sweeps:
    passes = sum(len(of_channels) for name, of_channels in intervene_cached.magnitudes(at).items() if name in blocks)
    on = st.toggle(
        "The same for the channels of all blocks",
        key="intervene_all_blocks",
        bind="query-params",
        help=f"On one scale. One pass per channel of the network: {passes:,}, which takes a minute or more.",
    )
    if not on:
        return Sweeps({}, {})
    against = AGAINST.get(str(st.session_state.get("intervene_against")), MAGNITUDE)
    effects = _channels(at, before, blocks, measure, against)
    span = GATE_RANGE if against == WEIGHT else None
    figure = channel_scatters(effects, x_title=against, measure=MEASURES[measure], span=span)
    export.chart(figure, key="intervene_scatters")
    return Sweeps({"channels of all blocks": figure}, {"effect of each channel": _table(at, before, blocks)})


def _channels(
    at: NetworkSlice, before: SliceResult, blocks: Sequence[str], measure: str, against: str
) -> dict[str, ChannelEffects]:
    """The channels of some blocks: what they are ranked by, their effect, and the rank correlation."""
    magnitudes = intervene_cached.magnitudes(at)
    channels = {}
    for block, of_channels in _sweep_channels(at, {name: len(magnitudes[name]) for name in blocks}).items():
        weights = before.gates[block].channel_gate
        x = weights if against == WEIGHT and weights is not None else magnitudes[block]
        y = np.array([getattr(effect, measure) for effect in of_channels])
        channels[block] = ChannelEffects(x, y, spearman(x, y))
    return channels


def _choose_against(weighed: bool) -> str:
    if not weighed:
        st.caption("This network has no channel gate: its channels are ranked by the mean |v| of the block's output.")
        return MAGNITUDE
    chosen = st.segmented_control(
        "Channels are ranked by",
        list(AGAINST),
        default=next(iter(AGAINST)),
        required=True,
        key="intervene_against",
        bind="query-params",
        help="channel weight: the channel's gate. mean activation: mean |v| of the channel in the block's output. "
        "Does the weight tell more than the activation alone?",
    )
    return AGAINST[chosen]


def _sweep_channels(at: NetworkSlice, counts: Mapping[str, int]) -> dict[str, list[Effect]]:
    """The effect of every channel of some blocks; an interrupted run resumes, since results are cached."""
    effects: dict[str, list[Effect]] = {block: [] for block in counts}
    total, done = sum(counts.values()), 0
    progress = st.progress(0.0, "Knocking out channels")
    for block, count in counts.items():
        for start in range(0, count, intervene_cached.TOGETHER):
            progress.progress(done / total, f"Knocking out channels: {block}, {start} of {count}")
            some = range(start, min(start + intervene_cached.TOGETHER, count))
            effects[block] += intervene_cached.channel_effects(at, block, some)
            done += len(some)
    progress.empty()
    return effects


def _draw_rho(block: str, effects: ChannelEffects, against: str, by_magnitude: float | None) -> None:
    if np.isnan(effects.rho):
        st.caption(f"{block}: no rank correlation, since one of the two is constant over the channels.")
        return
    p = permutation_p(effects.x, effects.y)
    name = "weight" if against == WEIGHT else "mean activation"
    often = f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"
    said = (
        f"Not distinguishable from chance: here, {name} does not mark the channels that matter."
        if p >= 0.05
        else f"Channels with a {'higher' if effects.rho > 0 else 'lower'} {name} tend to matter more."
    )
    beside = "" if by_magnitude is None else f" Ranked by mean activation: ρ = {signed(by_magnitude)}."
    st.markdown(
        f"**Spearman's ρ = {signed(effects.rho)}** over {len(effects.x)} channels ({often}). {said}{beside}",
        help="Rank correlation, −1 to 1. p is the share of 2,000 random permutations that correlate as strongly. Click "
        "a point to knock its channel out above.",
    )


def _table(at: NetworkSlice, before: SliceResult, blocks: Sequence[str]) -> pd.DataFrame:
    """A row for every channel of some blocks, with all of its effects."""
    magnitudes = intervene_cached.magnitudes(at)
    rows = [
        {
            "block": block,
            "channel": number,
            "weight": None if weights is None else weights[number],
            "mean |v|": magnitudes[block][number],
            **asdict(effect),
        }
        for block, effects in _sweep_channels(at, {name: len(magnitudes[name]) for name in blocks}).items()
        for weights in [before.gates[block].channel_gate]
        for number, effect in enumerate(effects)
    ]
    return pd.DataFrame(rows).set_index(["block", "channel"]).rename(columns=TITLES)
