"""The page Cohort on results of a real run, and without any."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz.cohort import ScanTask, find_entries, gather, measure
from scse_viz.cohort.running import PARTS
from scse_viz.cohort.tasks import written
from scse_viz.ui.cohort.page import VARIABLE, offered
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
    assert offered(str(results)) == {results.name: results}
    assert offered(str(results.parent))[results.name] == results


def test_groups_effects_and_scans_are_those_of_the_run(monkeypatch, results):
    monkeypatch.setenv(VARIABLE, str(results))
    app = opened()
    assert app.caption[0].value == "4 of 5 rows were read, 1 refused."
    assert any("B minus A: Hedges" in found.value.replace("\\", "") for found in app.markdown)
    assert app.dataframe[-1].value["scan"].tolist() == [f"scan{number}.nii" for number in range(4)]
    app.selectbox(key="cohort_gate").select("spatial_gate").run()
    assert not app.exception
    app.selectbox(key="cohort_measure").select("saturation").run()
    assert not app.exception
    assert np.isfinite(app.dataframe[-1].value["saturation"]).all()


def test_damaged_results_are_a_sentence(monkeypatch, tmp_path):
    (tmp_path / "summary.json").write_text("{", encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert "no results of `scse-viz cohort`, or damaged ones" in opened().error[0].value.replace("\\", "")
