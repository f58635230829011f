"""Five sessions at once: `python -m tests.load.drive 1 5 20 30` is the whole table."""

from pathlib import Path

from tests.load.drive import alone, together
from tests.load.server import Server

HEADS, SLICES = range(5), (70, 94)


def test_five_sessions_with_whole_heads_see_what_each_would_see_alone(tmp_path: Path) -> None:
    with Server(tmp_path / "alone") as server:
        expected = alone(server, HEADS, SLICES)
    with Server(tmp_path / "together") as server:
        seen = together(server, HEADS, SLICES, pause=0)
    assert seen.errors == []
    assert seen.pictures == expected
    assert len({expected[head, "slice 70"] for head in HEADS}) == len(HEADS)  # each head has pictures of its own
