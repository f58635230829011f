"""The tests of all gates of a network for one structure of one scan, as rows of results."""

from collections.abc import Sequence

from torch import nn

from scse_viz.inference.belief.believe import SliceTests, Tell, believe, joined, surviving
from scse_viz.inference.belief.case import SliceCase
from scse_viz.zoo.beliefs import BeliefRow


def tests_of(cases: Sequence[SliceCase], model: nn.Module, blocks: Sequence[str], tell: Tell) -> list[SliceTests]:
    """The tests of several slices. Raises as `believe`."""
    tested: list[SliceTests] = []
    for case in cases:
        done = len(tested)
        tested.append(believe(case, model, blocks, lambda share, done=done: tell((done + share) / len(cases))))  # type: ignore[misc]
    return tested


def rows_of(
    tested: Sequence[SliceTests], *, structure: str, scan: str, plane: str, slices: Sequence[int]
) -> list[BeliefRow]:
    """A row of every gate, from the tests of some slices of one scan for one structure."""
    survived = surviving(tested)
    return [
        BeliefRow(
            block=gate[0],
            kind=gate[1],
            structure=structure,
            scan=scan,
            plane=plane,
            slices=tuple(slices),
            tests=tests,
            survived=tuple(survived[gate].tolist()),
        )
        for gate, tests in joined(tested).items()
    ]
