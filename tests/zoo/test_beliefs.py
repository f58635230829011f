"""Results of the tests of maps: read as they were written, pooled, and one row of each shipped file made again."""

import math
from pathlib import Path

import pytest

from scse_viz.analysis.belief import GateTests
from scse_viz.analysis.belief.pointing import pointing
from scse_viz.analysis.belief.randomisation import survival_by_chance
from scse_viz.attention import record
from scse_viz.inference.belief import case_of
from scse_viz.inference.belief.believe import arrays_of
from scse_viz.inference.belief.removal import curves
from scse_viz.scans import read_labels, read_scan
from scse_viz.scans.samples import samples
from scse_viz.zoo import PRETRAINED, load, read_card
from scse_viz.zoo.beliefs import FOLDER, BeliefResults, BeliefRow, read_beliefs, write_belief
from scse_viz.zoo.scores import ResultsError


def row(scan: str, structure: str = "thalamus", **numbers: float) -> BeliefRow:
    return BeliefRow("encoder1", "map", structure, scan, "coronal", (3, 7), GateTests(**numbers), (1.0, 0.25))


def test_what_is_written_is_read_again_with_nan_as_null(tmp_path: Path) -> None:
    results = BeliefResults("net", "abc", ("classifier", "encoder.1"), (row("a", inside=0.25),), "2026-01-02", None)
    path = tmp_path / FOLDER / "net.json"
    write_belief(path, results)
    assert "NaN" not in path.read_text()
    [read_back] = read_beliefs(tmp_path).values()
    assert read_back.rows[0].tests.inside == 0.25
    assert math.isnan(read_back.rows[0].tests.deleted)
    assert (read_back.rows[0].slices, read_back.rows[0].survived, read_back.depths) == (
        (3, 7),
        (1.0, 0.25),
        results.depths,
    )
    assert read_back.has("a", "thalamus")
    assert not read_back.has("b", "thalamus")


def test_gates_are_pooled_over_scans_by_structure() -> None:
    rows = (row("a", inside=0.2), row("b", inside=0.4), row("a", "caudate", inside=0.9))
    results = BeliefResults("net", "abc", (), rows)
    assert results.by_gate("thalamus")["encoder1", "map"].inside == pytest.approx(0.3)
    assert (results.structures, results.scans) == (("thalamus", "caudate"), ("a", "b"))


@pytest.mark.parametrize("text", ["", "[]", '{"rows": []}', '{"rows": [{"tests": {"surprise": 1}}]}'])
def test_a_damaged_file_says_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / FOLDER / "net.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(ResultsError, match=r"net\.json: cannot be read .* run `scse-viz believe` again"):
        read_beliefs(tmp_path)


@pytest.mark.parametrize("name", read_beliefs(PRETRAINED))
def test_a_row_of_every_shipped_file_is_recomputed_exactly(name: str) -> None:
    """Of a map, where it lies and what deletion in its order does; of channel weights, their spread and their null."""
    results, card = read_beliefs(PRETRAINED)[name], read_card(name)
    assert results.sha256 == card.sha256
    row = next((row for row in results.rows if row.kind == "map" and row.block == "encoder3"), results.rows[0])
    sample, model = samples()[row.scan], load(name)
    scan = read_scan(sample.scan)
    number = next(structure.number for structure in card.structures if structure.name == row.structure)
    labels = read_labels(sample.labels, scan)
    [index] = row.slices
    case = case_of(scan.slice(row.plane, index), model, card, number, labels)
    values = arrays_of(record(model, case.x), case.size)[row.gate]
    head = case.head if values.ndim == 2 else None
    assert survival_by_chance(values, head) == pytest.approx(row.tests.survived_by_chance, abs=1e-4)
    assert values[... if head is None else head].std() == pytest.approx(row.tests.spread, abs=1e-4)
    if row.kind == "map":
        place, removal = pointing(values, case.structure, case.head), curves(case, model, values)
        assert (place.inside, place.leakage) == pytest.approx((row.tests.inside, row.tests.leakage), abs=1e-4)
        assert removal.areas == pytest.approx((row.tests.deleted, row.tests.inserted), abs=1e-4)
