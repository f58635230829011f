"""Which blocks of several networks share a row: those of one name, or those of one resolution."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from scse_viz.stages import corresponding
from scse_viz.ui.shell.words import resolution
from scse_viz.zoo import Card

ALIGN = "compare_align"
NAME, RESOLUTION = "name", "resolution"
MOST_ROWS = 12
"""Rows of maps that a first visit shows."""


@dataclass(frozen=True)
class Alignment:
    """Rows of the page, in the order of a pass: row -> sha256 of a network -> its block."""

    by: str
    rows: Mapping[str, Mapping[str, str]]

    def blocks_of(self, card: Card) -> dict[str, str]:
        """Row -> block, of one network."""
        return {row: blocks[card.sha256] for row, blocks in self.rows.items() if card.sha256 in blocks}

    @property
    def sentence(self) -> str:
        """How networks of different blocks were aligned; empty where all have the same blocks."""
        counts = Counter(name for blocks in self.rows.values() for name in blocks)
        if all(count == len(self.rows) for count in counts.values()):
            return ""
        together = sum(len(blocks) > 1 for blocks in self.rows.values())
        return f"Blocks are aligned by {self.by}: {together} of {len(self.rows)} rows hold more than one network."

    def detail(self, row: str, cards: Sequence[Card]) -> str:
        """What a row holds: the names of blocks where they differ from the row's, their channels and resolution."""
        aligned = [
            (card, block)
            for card in cards
            for block in card.block_table
            if block.name == self.rows[row].get(card.sha256) and block.ran
        ]
        names = dict.fromkeys(block.name for _, block in aligned if block.name != row)
        channels = sorted({block.channels for _, block in aligned})
        sizes = " or ".join(dict.fromkeys(resolution(card, block.scale) for card, block in aligned))
        counts = f"{' or '.join(map(str, channels))} channels" if channels else "never runs"
        return "\n".join(filter(None, [*names, counts, f"{sizes} per pixel" if sizes.endswith("mm") else sizes]))


def align(cards: Sequence[Card]) -> Alignment:
    """Align blocks as chosen in the sidebar; the choice is offered where the blocks of the networks differ.

    By name where all networks share a name, unless chosen otherwise.
    """
    tables = [[block.name for block in card.block_table] for card in cards]
    if all(table == tables[0] for table in tables):
        return Alignment(NAME, by_name(cards))
    shared = set.intersection(*(set(table) for table in tables))
    chosen = st.segmented_control(
        "Align blocks by",
        (NAME, RESOLUTION),
        default=NAME if shared else RESOLUTION,
        required=True,
        key=ALIGN,
        bind="query-params",
        help="name: blocks of one name share a row. resolution: blocks of encoder or decoder at one down-sampling "
        "factor share a row, the last of a stage with the last, the one before it with the one before it, and so on.",
    )
    return Alignment(str(chosen), by_name(cards) if chosen == NAME else by_resolution(cards))


def by_name(cards: Sequence[Card]) -> dict[str, dict[str, str]]:
    """Rows of blocks of one name, those of the first network first."""
    names = dict.fromkeys(block.name for card in cards for block in card.block_table)
    having = {card.sha256: {block.name for block in card.block_table} for card in cards}
    return {name: {network: name for network, blocks in having.items() if name in blocks} for name in names}


def by_resolution(cards: Sequence[Card]) -> dict[str, dict[str, str]]:
    """Rows of blocks of one side and resolution, from the encoder to the decoder."""
    rows = corresponding([card.block_table for card in cards])
    return {
        row: {card.sha256: block for card, block in zip(cards, blocks, strict=True) if block is not None}
        for row, blocks in rows.items()
    }


def first_rows(alignment: Alignment, cards: Sequence[Card]) -> list[str]:
    """The rows whose maps a first visit shows: all, or if there are many, those at which most networks run a block."""
    if len(alignment.rows) <= MOST_ROWS:
        return list(alignment.rows)
    running = {card.sha256: {block.name: block for block in card.block_table if block.ran} for card in cards}
    counts, mapped = {}, {}
    for row, blocks in alignment.rows.items():
        run = [running[network][block] for network, block in blocks.items() if block in running[network]]
        counts[row] = len(run)
        mapped[row] = any(set(block.gates) != {"channel_gate"} for block in run)
    together = [row for row, count in counts.items() if count == max(counts.values())]
    chosen = sorted(together, key=lambda row: not mapped[row])[:MOST_ROWS]
    return [row for row in alignment.rows if row in chosen]
