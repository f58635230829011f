"""The stages of any network: which blocks share a resolution and a side, and how two networks correspond."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile

from scse_viz.blocks import BlockInfo

ENCODER, BOTTLENECK, DECODER = "encoder", "bottleneck", "decoder"
SIDES = (ENCODER, BOTTLENECK, DECODER)
_NAMED = {
    ENCODER: re.compile(r"enc|down|backbone", re.IGNORECASE),
    BOTTLENECK: re.compile(r"bottleneck|bridge|cent(er|re)|middle", re.IGNORECASE),
    DECODER: re.compile(r"dec|up|head", re.IGNORECASE),
}
"""How the first part of a path tells the side."""


@dataclass(frozen=True)
class Stage:
    """Blocks that follow one another at one down-sampling factor `scale` on one of SIDES; `name` is what they share."""

    name: str
    side: str
    scale: int
    blocks: tuple[str, ...]


def sides(table: Sequence[BlockInfo]) -> dict[str, str]:
    """The side of every block: as its name says, if all names say it, else by where the coarsest blocks are.

    Then what comes before the first of the coarsest blocks is the encoder, and what comes after the last the decoder.
    """
    named = {block.name: _named_side(block.name) for block in table}
    if all(named.values()):
        return named
    deepest = max((block.scale for block in table), default=1)
    at = [number for number, block in enumerate(table) if block.scale == deepest]
    return {
        block.name: ENCODER if number < at[0] else DECODER if number > at[-1] else BOTTLENECK
        for number, block in enumerate(table)
    }


def stages(table: Sequence[BlockInfo]) -> tuple[Stage, ...]:
    """The stages of a network, in the order of its blocks."""
    side = sides(table)
    short = short_names([block.name for block in table])
    ordered: list[Stage] = []
    for (where, scale), members in groupby(table, key=lambda block: (side[block.name], block.scale)):
        names = tuple(block.name for block in members)
        ordered.append(Stage(_shared([short[name] for name in names]), where, scale, names))
    return _with_own_names(ordered)


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Paths of modules without the parts that tell nothing apart: `encoder.blocks.3.1.se` -> `encoder.3.1`.

    Left out are last parts whose module holds no other block, but numbers, and what all paths with one first part share
    in their middle.
    """
    holders = Counter(name[:end] for name in names for end, letter in enumerate(name) if letter == ".")
    short = {name: _without_last(name, holders) for name in names}
    for first in {path.partition(".")[0] for path in short.values()}:
        among = {name: path.split(".")[1:] for name, path in short.items() if path.partition(".")[0] == first}
        shared = len(_in_common([*among.values()]))
        if len(among) > 1 and all(len(rest) > shared for rest in among.values()):
            short.update({name: ".".join([first, *rest[shared:]]) for name, rest in among.items()})
    return short


def _without_last(name: str, holders: Mapping[str, int]) -> str:
    while name.count(".") > 1:
        holder, _, last = name.rpartition(".")
        if holders[holder] > 1 or last.isdigit():
            break
        name = holder
    return name


def corresponding(tables: Sequence[Sequence[BlockInfo]]) -> dict[str, tuple[str | None, ...]]:
    """Blocks of several networks by resolution: row -> the block of every network there, None where it has none.

    A row is one side, one down-sampling factor and one place, counted from the end: the last blocks there correspond,
    the ones before them, and so on. Rows are in the order of a pass: encoder from fine to coarse, bottleneck, decoder.
    """
    positions_of_tables = [_positions(table) for table in tables]
    rows = sorted({position for positions in positions_of_tables for position in positions}, key=_order)
    most = Counter(position[:2] for position in rows)
    return {
        _row_name(*position[:2], most[position[:2]] - position[2] if most[position[:2]] > 1 else 0): tuple(
            positions.get(position) for positions in positions_of_tables
        )
        for position in rows
    }


def _positions(table: Sequence[BlockInfo]) -> dict[tuple[str, int, int], str]:
    """(side, scale, how many blocks come after it there) -> block."""
    side = sides(table)
    after: Counter[tuple[str, int]] = Counter()
    positions = {}
    for block in reversed(table):
        where = side[block.name], block.scale
        positions[*where, after[where]] = block.name
        after[where] += 1
    return positions


def _order(place: tuple[str, int, int]) -> tuple[int, int, int]:
    side, scale, after = place
    return SIDES.index(side), -scale if side == DECODER else scale, -after


def _row_name(side: str, scale: int, number: int) -> str:
    return f"{side} 1/{scale}" + (f", {number}" if number else "")


def _named_side(name: str) -> str:
    first = name.partition(".")[0]
    return next((side for side, pattern in _NAMED.items() if pattern.match(first)), "")


def _shared(names: Sequence[str]) -> str:
    """What paths have in common: `encoder.3.0`, `encoder.3.1` -> `encoder.3`."""
    return ".".join(_in_common([name.split(".") for name in names]))


def _in_common(paths: Sequence[Sequence[str]]) -> list[str]:
    """The parts that paths begin with, all of them."""
    return [parts[0] for parts in takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False))]


def _with_own_names(unnamed: Sequence[Stage]) -> tuple[Stage, ...]:
    """Stages with unique names: the resolution is added where two share one, or where there is none to share."""
    names = [stage.name for stage in unnamed]
    named: list[Stage] = []
    for stage in unnamed:
        name = (
            stage.name if stage.name and names.count(stage.name) == 1 else f"{stage.name or stage.side} 1/{stage.scale}"
        )
        used = {earlier.name for earlier in named}
        number = next(n for n in range(1, len(unnamed) + 1) if (name if n == 1 else f"{name} ({n})") not in used)
        named.append(Stage(name if number == 1 else f"{name} ({number})", stage.side, stage.scale, stage.blocks))
    return tuple(named)
