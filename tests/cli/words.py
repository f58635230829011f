"""What the tests of the commands share: the card of their networks, and how a refusal looks."""

from dataclasses import replace

from scse_viz.zoo.structures import Structure
from tests.cards import TINY

CARD = replace(
    TINY,
    structures=tuple(Structure(n, name, f"#00000{n}") for n, name in enumerate(("background", "shell", "core"))),
    training={"crops": 12_000, "licence": "CC0-1.0"},
    figures={"mean_dice": 0.8125},
)


def refusal(capsys):
    """What stands on stderr: one line."""
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err
