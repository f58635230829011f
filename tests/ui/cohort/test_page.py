"""The page Cohort on results of a real run, and without any."""

import errno
import os
from shutil import copytree

import pytest
from streamlit.testing.v1 import AppTest

from scse_viz.cohort import ScanTask, find_entries, gather, measure, read_cohort
from scse_viz.cohort.results import Cohort, FailedTask
from scse_viz.cohort.running import PARTS
from scse_viz.cohort.tasks import written
from scse_viz.memory import Store
from scse_viz.ui.cohort.page import VARIABLE, offered
from scse_viz.ui.shell import cached
from tests.cohort.conftest import table, tiny_zoo  # noqa: F401 - fixtures

PAGE = """
from scse_viz.ui.cohort import page as cohort
from scse_viz.ui.shell import sidebar
sidebar.begin()
cohort.page()
"""


@pytest.fixture(scope="module")
def results(tiny_zoo, table, tmp_path_factory):  # noqa: F811
    folder, card = tiny_zoo
    out = tmp_path_factory.mktemp("results")
    (out / PARTS).mkdir()
    tasks = [ScanTask(entry, card.name, folder, card.sha256) for entry in find_entries([str(table)])]
    for task in tasks:
        written(measure(task), out / PARTS)
    gather(out, [task.key for task in tasks])
    return out


def opened():
    app = AppTest.from_string(PAGE, default_timeout=120).run()
    assert not app.exception
    return app


def test_without_results_it_says_how_to_make_some(monkeypatch, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "Run `scse-viz cohort`" in opened().info[0].value
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    assert "Run `scse-viz cohort`" in opened().info[0].value


def test_a_folder_of_results_and_a_folder_of_folders_are_offered(results):
    assert offered(str(results)) == ({results.name: results}, [])
    assert offered(str(results.parent))[0][results.name] == results


def test_a_folder_that_may_not_be_read_is_named_and_the_rest_is_offered(monkeypatch, results):
    locked = results.parent / "locked"

    def listed(folder, real=os.listdir):
        if folder == locked:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(folder)

    locked.mkdir()
    monkeypatch.setattr(os, "listdir", listed)
    monkeypatch.setenv(VARIABLE, str(results.parent))
    app = opened()
    assert f"{locked}: Permission denied; let the app read it" in app.warning[0].value.replace("\\", "")
    assert results.name in app.selectbox(key="cohort").options


def test_a_cohort_is_read_once_and_counts_in_the_budget_of_all_sessions(monkeypatch, results):
    monkeypatch.setenv(VARIABLE, str(results))
    monkeypatch.setattr(cached, "store", store := Store(10**9))
    opened()
    (cohort,) = (value for value in store.values() if isinstance(value, Cohort))
    opened()
    (entry,) = (entry for entry in store._entries.values() if isinstance(entry.value, Cohort))
    assert entry.value is cohort
    weights = sum(cell.nbytes for cell in cohort.gates["weights"].dropna())
    tables = sum(part.memory_usage(deep=True).sum() for part in (cohort.scans, cohort.gates))
    assert store.nbytes > entry.nbytes >= tables + weights
    assert any(len(key) == 2 and key[0].endswith("_clustered") for key in store._entries)


def test_rows_that_failed_are_told(monkeypatch, results, tmp_path):
    copytree(results, tmp_path / "lost")
    keys = [part.stem for part in (tmp_path / "lost" / PARTS).iterdir()]
    gather(tmp_path / "lost", [*keys, "without a part"], [FailedTask("scan9.nii", "tiny-unet-scse", "worker died")])
    monkeypatch.setenv(VARIABLE, str(tmp_path / "lost"))
    assert opened().caption[0].value == "4 of 6 rows were read, 1 refused, 1 failed."


def test_groups_effects_and_scans_are_those_of_the_run(monkeypatch, results):
    monkeypatch.setenv(VARIABLE, str(results))
    app = opened()
    assert app.caption[0].value == "4 of 5 rows were read, 1 refused."
    effects, scans = app.dataframe[0].value, app.dataframe[-1].value
    assert effects.loc["A", "Hedges' g"] == ""
    assert " to " in effects.loc["B", "95 % interval"]
    assert scans["scan"].tolist() == [f"scan{number}.nii" for number in range(4)]
    assert effects["mean"].tolist() == pytest.approx(
        [scans["mean gate"][start::2].mean() for start in (0, 1)], abs=1e-4
    )
    app.selectbox(key="cohort_reference").select("B").run()
    turned = app.dataframe[0].value
    g, minus_g = (shown.replace("−", "-") for shown in (effects.loc["B", "Hedges' g"], turned.loc["A", "Hedges' g"]))
    assert float(g) == -float(minus_g) != 0


def test_a_measure_of_a_gate_in_a_structure_is_that_of_the_tables(monkeypatch, results):
    monkeypatch.setenv(VARIABLE, str(results))
    app = opened()
    app.selectbox(key="cohort_gate").select("spatial gate").run()
    app.selectbox(key="cohort_measure").select("saturation").run()
    structure = app.selectbox(key="cohort_structure").options[1]
    app.selectbox(key="cohort_structure").select(structure).run()
    assert not app.exception
    gates = read_cohort(results).gates.query("gate == 'spatial_gate' and structure == @structure")
    wanted = gates[gates["block"] == app.selectbox(key="cohort_block").value]
    shown = app.dataframe[-1].value
    assert shown["saturation"].tolist() == pytest.approx(wanted["saturation"].tolist())
    assert shown["health"].tolist() == wanted["health"].tolist()
    assert f"of {len(wanted)} scans" in app.caption[1].value


def test_columns_have_plain_names(monkeypatch, results):
    monkeypatch.setenv(VARIABLE, str(results))
    app = opened()
    columns = list(app.dataframe[-1].value)
    assert columns[:5] == ["scan", "mean gate", "health", "group", "age"]
    assert not any("." in column or "_" in column for column in columns)
    options = app.selectbox(key="cohort_against").options
    assert "age" in options
    assert any(option.startswith("Dice of ") for option in options)
    assert any(option.startswith("volume of ") for option in options)


def test_numbers_and_report_are_offered_as_on_other_pages(monkeypatch, results):
    monkeypatch.setenv(VARIABLE, str(results))
    app = opened()
    app.session_state["export"] = True
    assert not app.run().exception
    assert [button.label for button in app.get("download_button")] == ["Numbers (CSV)", "Report (HTML)"]


def test_damaged_results_are_a_sentence(monkeypatch, tmp_path):
    (tmp_path / "summary.json").write_text("{", encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert "no results of `scse-viz cohort`, or damaged ones" in opened().error[0].value.replace("\\", "")
