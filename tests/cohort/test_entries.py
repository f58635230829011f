"""Which scans a folder, a glob, a BIDS tree and a table name."""

import json

import pytest

from scse_viz.cohort import CohortError, Entry, find_entries


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_a_folder_gives_its_scans_by_name_and_a_glob_what_it_finds(tmp_path):
    touch(tmp_path, "b.nii.gz", "a.nii", ".hidden.nii", "notes.txt", "a.json")
    wanted = [Entry(tmp_path / "a.nii"), Entry(tmp_path / "b.nii.gz")]
    assert find_entries([str(tmp_path)]) == wanted
    assert find_entries([f"{tmp_path}/*.gz", str(tmp_path)]) == wanted[::-1]


def test_a_table_gives_labels_and_facts_with_paths_relative_to_it(tmp_path):
    table = tmp_path / "all.tsv"
    table.write_text("path\tlabels\tgroup\tage\nx/a.nii\tx/l.nii\tA\t61\nb.nii\t\tB\t\n", encoding="utf-8")
    assert find_entries([str(table)]) == [
        Entry(tmp_path / "x/a.nii", tmp_path / "x/l.nii", {"group": "A", "age": "61"}),
        Entry(tmp_path / "b.nii", None, {"group": "B", "age": ""}),
    ]


def test_a_bids_tree_gives_images_of_a_suffix_with_their_participants_and_labels(tmp_path):
    names = ["sub-1/ses-1/anat/sub-1_ses-1_T1w.nii.gz", "sub-2/anat/sub-2_T1w.nii", "sub-2/anat/sub-2_T2w.nii"]
    labels = "derivatives/x/sub-1/anat/sub-1_ses-1_desc-aseg_dseg.nii.gz"
    touch(tmp_path, *names, labels)
    (tmp_path / "dataset_description.json").write_text(json.dumps({"Name": "x"}), encoding="utf-8")
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-1\t30\nsub-2\tn/a\n", encoding="utf-8")
    assert find_entries([str(tmp_path)]) == [
        Entry(tmp_path / names[0], tmp_path / labels, {"participant_id": "sub-1", "age": "30"}),
        Entry(tmp_path / names[1], None, {"participant_id": "sub-2"}),
    ]
    assert [entry.path for entry in find_entries([str(tmp_path)], "T2w")] == [tmp_path / names[2]]


@pytest.mark.parametrize("name", ["nothing", "nothing/*.nii", "."])
def test_what_holds_no_scan_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CohortError, match="no scans there; give a folder, a glob, a BIDS tree, or a table"):
        find_entries([name])


def test_a_row_without_a_path_is_refused(tmp_path):
    (tmp_path / "all.csv").write_text("path,group\n,A\n", encoding="utf-8")
    with pytest.raises(CohortError, match="a row lacks its path"):
        find_entries([str(tmp_path / "all.csv")])
