"""The tests of all gates of a network for one structure of one scan, as rows of results."""

from collections.abc import Sequence

import numpy as np
from torch import nn

from scse_viz.inference.belief.believe import SliceTests, Tell, believe, joined, surviving
from scse_viz.inference.belief.case import cases_of, slices_with
from scse_viz.scans import Scan
from scse_viz.zoo import Card
from scse_viz.zoo.beliefs import BeliefRow


def rows_of(
    scan: Scan,
    labels: np.ndarray,
    model: nn.Module,
    card: Card,
    plane: str,
    number: int,
    *,
    slices: int = 2,
    blocks: Sequence[str] | None = None,
    name: str = "",
    tell: Tell = lambda share: None,
) -> tuple[tuple[str, ...], list[BeliefRow]]:
    """The depths of the network, and a row of every gate; none where no slice shows the structure.

    labels (X, Y, Z) are class numbers, `number` that of the structure. `blocks` are those by whose maps pixels are
    removed (default: all). Raises as `believe`.
    """
    indices = slices_with(labels, plane, number, slices)
    wanted = [block.name for block in card.block_table] if blocks is None else blocks
    tested: list[SliceTests] = []
    for case in cases_of(scan, model, card, plane, indices, number, labels):
        done = len(tested)
        tested.append(believe(case, model, wanted, lambda share, done=done: tell((done + share) / len(indices))))  # type: ignore[misc]
    if not tested:
        return (), []
    survived = surviving(tested)
    return tested[0].depths, [
        BeliefRow(
            block=gate[0],
            kind=gate[1],
            structure=card.structures[number].name,
            scan=name or scan.name,
            plane=plane,
            slices=tuple(indices),
            tests=tests,
            survived=tuple(survived[gate].tolist()),
        )
        for gate, tests in joined(tested).items()
    ]
