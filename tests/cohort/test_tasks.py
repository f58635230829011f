"""The record of one scan against the numbers worked out from whole volumes."""

import os
import pickle
import re
from dataclasses import replace
from shutil import copyfile

import numpy as np
import pytest

from scse_viz import __version__, zoo
from scse_viz.analysis import dice
from scse_viz.analysis.structures import by_structure, mean_gates
from scse_viz.cohort import CohortError, Entry, ScanTask, find_entries, measure
from scse_viz.inference import segment_slices
from scse_viz.scans import read_labels, read_scan, volume_of


@pytest.fixture(scope="module")
def tasks(tiny_zoo, table):
    folder, card = tiny_zoo
    return [ScanTask(entry, card.name, folder, card.sha256) for entry in find_entries([str(table)])]


def test_a_record_has_the_numbers_of_the_whole_volume(tasks, tiny_zoo):
    folder, card = tiny_zoo
    record = measure(tasks[0])
    scan = read_scan(tasks[0].entry.path)
    results = [result for _, result in segment_slices(scan, zoo.load(card.name, folder), card, "axial")]
    labels = volume_of(np.stack([result.labels for result in results]), "axial")
    reference = read_labels(tasks[0].entry.labels, scan)
    names = [structure.name for structure in card.structures]

    assert record["error"] is None
    assert record["facts"] == {"group": "A", "age": "60"}
    assert record["volume_ml"] == {name: (labels == number).sum() / 1000 for number, name in enumerate(names) if number}
    scores = dice(labels.astype(np.int32), reference, 3)
    assert record["dice"] == pytest.approx({name: scores[number] for number, name in enumerate(names) if number})
    slices = [by_structure(result.gates, result.labels, 3, (1, 1)) for result in results]
    block = next(iter(results[0].gates))
    inside = {
        row["structure"]: row for row in record["gates"] if (row["block"], row["gate"]) == (block, "spatial_gate")
    }
    for name, mean in zip(names, mean_gates(slices, [block])[:, 0], strict=True):
        assert np.isnan(mean) if name not in inside else inside[name]["mean"] == pytest.approx(mean)
    weights = next(row["weights"] for row in record["gates"] if (row["block"], row["gate"]) == (block, "channel_gate"))
    np.testing.assert_allclose(weights, np.mean([part.gates[block].channel_gate for part in results], 0), rtol=1e-5)


def test_a_bad_file_is_a_record_with_its_sentence(tasks):
    assert measure(tasks[-1])["error"].startswith(f"{tasks[-1].entry.path.name}: ")
    lost = ScanTask(
        Entry(tasks[0].entry.path.with_name("nowhere.nii")), tasks[0].model, tasks[0].models, tasks[0].sha256
    )
    assert "nowhere.nii: cannot be opened" in measure(lost)["error"]


def test_other_weights_than_the_clients_are_refused(tasks):
    task = ScanTask(tasks[0].entry, tasks[0].model, tasks[0].models, "0" * 64)
    assert "other weights on the worker than on the client" in measure(task)["error"]


def test_a_key_changes_with_whatever_the_result_depends_on(tasks):
    one = tasks[0]
    others = [*tasks[1:], ScanTask(one.entry, one.model, one.models, one.sha256, slices=2)]
    assert len({task.key for task in [one, *others]}) == len(others) + 1
    assert ScanTask(one.entry, one.model, one.models, one.sha256).key == one.key


def test_a_task_has_the_key_of_its_client_wherever_it_is(tasks, monkeypatch):
    monkeypatch.setattr("scse_viz.cohort.tasks.__version__", "0.0")
    sent = pickle.loads(pickle.dumps(tasks[0]))
    assert sent.key == tasks[0].key != replace(sent).key
    with pytest.raises(CohortError, match=rf"scse-viz 0\.0 on the worker and {re.escape(__version__)} on the client"):
        measure(sent)


def test_a_scan_that_changes_while_it_is_read_has_no_record(tasks, tmp_path, monkeypatch):
    scan = tmp_path / "scan.nii"
    copyfile(tasks[0].entry.path, scan)
    task = replace(tasks[0], entry=Entry(scan), maps=tmp_path / "maps")

    def read_and_changed(path):
        read = read_scan(path)
        os.utime(path, (1, 1))
        return read

    monkeypatch.setattr("scse_viz.cohort.tasks.read_scan", read_and_changed)
    with pytest.raises(CohortError, match="another size or time than on the client"):
        measure(task)
    assert not (tmp_path / "maps").exists()


def test_a_key_changes_with_the_files_of_a_folder(tasks, tmp_path):
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "slice0.dcm").write_bytes(b"0")
    before = replace(tasks[0], entry=Entry(tmp_path / "series"))
    assert replace(before).key == before.key
    (tmp_path / "series" / "slice1.dcm").write_bytes(b"1")
    assert replace(before).key != before.key


def test_maps_are_kept_at_the_resolution_of_their_stage(tasks, tiny_zoo, tmp_path):
    one, (folder, card) = tasks[0], tiny_zoo
    scan = read_scan(one.entry.path)
    slices = [part for _, part in segment_slices(scan, zoo.load(card.name, folder), card, "axial", indices=[1, 4])]
    task = ScanTask(one.entry, one.model, one.models, one.sha256, slices=2, maps=tmp_path / "maps")
    record = measure(task)
    with np.load(tmp_path / "maps" / f"{record['key']}.npz") as maps:
        assert maps["slices"].tolist() == [1, 4]
        assert set(maps) == {"slices", *slices[0].gates}
        for block in slices[0].gates:
            wanted = np.stack([part.gates[block].spatial_gate for part in slices])
            np.testing.assert_allclose(maps[block], wanted, atol=1e-3)
