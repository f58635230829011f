"""The changes planned on the page Intervene, block by block: as text of the address, as changes, and as Python."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from urllib.parse import quote, unquote

from scse_viz.intervention import Change, GateChange, Invert, Mean, Off, Region, Shuffle, Strength

LEAVE, OFF, STRENGTH = "leave", "off", "strength"
ACTIONS = {
    LEAVE: "as it is",
    OFF: "off",
    "mean": "mean",
    "invert": "invert",
    "shuffle": "shuffle",
    STRENGTH: "strength",
    "open": "1 inside",
    "close": "0 inside",
}
"""Actions on the gates of a block: word in the address -> title."""
OF_ATTENTION = (LEAVE, OFF, "mean", STRENGTH)
"""Actions that apply to a non-local block."""
REGIONS = {"open": 1.0, "close": 0.0}
"""Actions that set a spatial gate inside a structure only -> its value there."""
WHOLE, CHANNEL, SPATIAL = "whole block", "channel gate", "spatial gate"
STRENGTHS = (0.0, 2.0)
_WITHOUT = "without"
_MOST_CHANNELS = 4096


@dataclass(frozen=True)
class Setting:
    """The setting of one block: an action on its gates, the strength if that is the action, channels knocked out."""

    action: str = LEAVE
    strength: float = 1.0
    without: tuple[int, ...] = ()

    @property
    def shown_strength(self) -> float:
        """The position of the slider."""
        return {LEAVE: 1.0, OFF: 0.0, STRENGTH: self.strength}.get(self.action, 1.0)


Plan = Mapping[str, Setting]
"""Settings by block, in the order of the network; blocks that are unchanged are absent."""


@dataclass(frozen=True)
class Manner:
    """The manner of actions: the gates they act on, the seed of shuffles, and the region of a structure.

    `region` turns a value into a Region, inside the structure chosen on the page. `divided` are the blocks that cannot
    be bypassed as a whole: off and strength act on each of their gates.
    """

    gates: str = WHOLE
    seed: int = 0
    region: Callable[[float], Region] | None = None
    divided: frozenset[str] = frozenset()


def with_setting(plan: Plan, block: str, setting: Setting, blocks: Sequence[str]) -> dict[str, Setting]:
    """The plan with one block's setting replaced; blocks: of the network, in order."""
    if setting.action == STRENGTH and setting.strength == 1:
        setting = replace(setting, action=LEAVE)
    if setting.action != STRENGTH:
        setting = replace(setting, strength=1.0)
    changed = {**plan, block: setting}
    ordered = sorted(changed, key=lambda name: blocks.index(name) if name in blocks else len(blocks))
    return {name: changed[name] for name in ordered if changed[name] != Setting()}


def write_plan(plan: Plan) -> str:
    """A plan as text of the address: `encoder1:off,bottleneck:strength:0.5,decoder1:mean:without:3.7`."""
    return ",".join(":".join([quote(block, safe=" #/"), *_words(setting)]) for block, setting in plan.items())


def read_plan(text: str, blocks: Sequence[str]) -> tuple[dict[str, Setting], bool]:
    """The plan in an address, for a network of these blocks, and whether all of it was valid."""
    plan: dict[str, Setting] = {}
    whole = True
    for part in filter(None, text.split(",")):
        quoted, *words = part.split(":")
        block = unquote(quoted)
        try:
            if block not in blocks or block in plan:
                raise ValueError(block)
            plan = with_setting(plan, block, _setting(words), blocks)
        except ValueError:
            whole = False
    return plan, whole


def sentence(plan: Plan) -> str:
    """A plan in words."""
    return " · ".join(f"{block} {', '.join(_said(setting))}" for block, setting in plan.items())


def changes_of(
    plan: Plan, manner: Manner, gates: Mapping[str, Sequence[str]], channels: Mapping[str, int]
) -> dict[str, Change]:
    """A plan as changes of one network; gates: block -> its gates, as fields of a Change.

    What does not apply to the network is left out: an action on a gate it lacks, a channel beyond its `channels`.
    """
    changes = {}
    for block, setting in plan.items():
        if block not in gates:
            continue  # the plan was made for another network
        change = change_of(setting, manner, gates[block], divided=block in manner.divided)
        change = replace(change, without=tuple(channel for channel in setting.without if channel < channels[block]))
        if change != Change():
            changes[block] = change
    return changes


def change_of(setting: Setting, manner: Manner, gates: Sequence[str], *, divided: bool = False) -> Change:
    """A setting as a change of a block's gates; no change where the block lacks the gate.

    Attention has no value to invert or to shuffle: of actions on gates it takes the mean.
    """
    if not gates:
        return Change()
    if setting.action in REGIONS:
        inside = "spatial_gate" in gates and manner.region is not None
        return Change(spatial_gate=manner.region(REGIONS[setting.action])) if inside and manner.region else Change()
    chosen = {CHANNEL: ["channel_gate"], SPATIAL: ["spatial_gate"]}.get(manner.gates, list(gates))
    if len(gates) == 1 or manner.gates == WHOLE:
        chosen = list(gates)
        if setting.action in (OFF, STRENGTH) and not divided:
            return Change(strength=setting.shown_strength)
    change = _gate_change(setting, manner.seed)
    channel, spatial, full, attention = (
        change if gate in chosen and gate in gates else None
        for gate in ("channel_gate", "spatial_gate", "full_gate", "attention")
    )
    attention = attention if isinstance(attention, Mean) else None
    return Change(channel, spatial, full_gate=full, attention=attention)


def python_of(changes: Mapping[str, Change], plane: str, index: int, structure: int) -> str:
    """Python that repeats the changes, to follow that of `report.code_for`."""
    made = ",\n".join(f"    {block!r}: {_python(change, structure)}" for block, change in changes.items())
    return f"""
from scse_viz.inference.ablation import region
from scse_viz.intervention import Change, Invert, Mean, Off, Shuffle, Strength

scan_slice = scan.slice({plane!r}, {index})
changes = {{
{made}
}}
after = segment_slice(scan_slice, model, card, changes=changes)
after.labels != result.labels  # (H, W), where the prediction changed
"""


def _words(setting: Setting) -> Iterator[str]:
    if setting.action != LEAVE:
        yield setting.action
    if setting.action == STRENGTH:
        yield f"{setting.strength:g}"
    if setting.without:
        yield _WITHOUT
        yield ".".join(_runs(setting.without))


def _setting(words: Sequence[str]) -> Setting:
    """Words of the address -> a setting. Raises ValueError for invalid words."""
    left = list(words)
    action, strength = LEAVE, 1.0
    without: tuple[int, ...] = ()
    if left and left[0] != _WITHOUT:
        action = left.pop(0)
    if action == STRENGTH and left:
        strength = float(left.pop(0))
    if len(left) == 2 and left[0] == _WITHOUT:
        without = tuple(sorted({channel for run in left[1].split(".") for channel in _channels(run)}))
        left = []
    if left or not words or action not in ACTIONS or not STRENGTHS[0] <= strength <= STRENGTHS[1]:
        raise ValueError(":".join(words))
    return Setting(action, strength, without)


def _runs(channels: Sequence[int]) -> Iterator[str]:
    """Rising channels as words: 3, 4, 5, 9 -> "3-5", "9"."""
    for _, run in groupby(enumerate(channels), key=lambda pair: pair[1] - pair[0]):
        first, *_, last = [channel for _, channel in run] * 2
        yield str(first) if first == last else f"{first}-{last}"


def _channels(run: str) -> range:
    """A word of `_runs` -> its channels. Raises ValueError for an invalid one."""
    first, _, last = run.partition("-")
    channels = range(int(first), int(last or first) + 1)
    if not 0 <= channels.start < channels.stop <= _MOST_CHANNELS:
        raise ValueError(run)
    return channels


def _said(setting: Setting) -> Iterator[str]:
    if setting.action == STRENGTH:
        yield f"at strength {setting.strength:g}"
    elif setting.action != LEAVE:
        yield ACTIONS[setting.action]
    if setting.without:
        named = ", ".join(_runs(setting.without)).replace("-", " to ")
        yield f"without channel{'s' if len(setting.without) > 1 else ''} {named}"


def _gate_change(setting: Setting, seed: int) -> GateChange | None:
    made: Mapping[str, GateChange] = {
        OFF: Off(),
        "mean": Mean(),
        "invert": Invert(),
        "shuffle": Shuffle(seed),
        STRENGTH: Strength(setting.shown_strength),
    }
    return made.get(setting.action)


def _python(change: Change, structure: int) -> str:
    if not isinstance(change.spatial_gate, Region):
        return repr(change)
    inside = f"region(result.labels == {structure}, {change.spatial_gate.value}, scan_slice, card)"
    return repr(replace(change, spatial_gate=None)).replace("spatial_gate=None", f"spatial_gate={inside}")
