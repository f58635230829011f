"""What is taken along opens again, with the numbers that were shown and nothing that needs a network."""

import io
import zipfile

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image

from scse_viz import report
from scse_viz.rendering.colours import colour_scale


def test_names_of_files_hold_nothing_that_a_file_system_or_shell_reads():
    assert report.file_stem("../a b$(c).nii", "explore", 7) == "a-b-c-.nii-explore-7"
    assert report.file_stem("...") == "scse-viz"
    assert len(report.file_stem("x" * 500)) == 120


def test_arrays_and_tables_open_again():
    arrays = {"encoder1/spatial_gate": np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)}
    opened = np.load(io.BytesIO(report.npz(arrays)), allow_pickle=False)
    np.testing.assert_array_equal(opened["encoder1/spatial_gate"], arrays["encoder1/spatial_gate"])
    table = pd.DataFrame({"sSE": [0.5, 0.25]}, index=pd.Index(["thalamus", "caudate"], name="structure"))
    archive = zipfile.ZipFile(io.BytesIO(report.zipped({"dice.csv": report.csv(table)})))
    assert archive.testzip() is None
    assert archive.read("dice.csv").decode().splitlines() == ["structure,sSE", "thalamus,0.5", "caudate,0.25"]


def test_objects_are_refused_and_not_pickled():
    with pytest.raises(ValueError, match="Object arrays"):
        report.npz({"bad": np.array([{}], dtype=object)})


def test_a_map_over_a_slice_has_the_colours_of_its_scale_and_the_shape_of_its_pixels():
    background = np.zeros((4, 8), dtype=np.uint8)
    picture = np.asarray(Image.open(io.BytesIO(report.overlay(background, np.ones((4, 8)), aspect=2.0))))
    assert picture.shape[:2] == (320, 320)
    np.testing.assert_allclose(picture[0, 0], report.OVERLAY * colour_scale("viridis")[-1].astype(float), atol=1)


def test_structures_over_a_slice_leave_the_background_gray():
    labels = np.array([[0, 1]])
    gray = np.full((1, 2), 100, dtype=np.uint8)
    picture = np.asarray(Image.open(io.BytesIO(report.coloured_labels(gray, labels, ["#000000", "#ff0000"]))))
    assert picture[0, 0].tolist() == [100, 100, 100]
    assert picture[0, -1].tolist() == [round(45 + 0.55 * 255), 45, 45]


def test_a_report_holds_everything_and_asks_for_nothing():
    made = report.Report(
        title="<scan>",
        facts={"model": "tiny & small"},
        pictures={"encoder1": report.overlay(np.zeros((2, 2), np.uint8), np.zeros((2, 2)))},
        figures={"bars": go.Figure(go.Bar(y=[1, 2])), "more": go.Figure(go.Bar(y=[3]))},
        tables={"Dice": pd.DataFrame({"a": [np.nan]})},
        code="x < y",
        link="http://localhost/?a=1",
    )
    text = report.page(made).decode()
    assert "&lt;scan&gt;" in text
    assert "tiny &amp; small" in text
    assert "x &lt; y" in text
    assert text.count("Plotly.newPlot(") >= 2
    for asking in ('src="http', "src='http", "<link", "@import"):
        assert asking not in text


def test_versions_name_this_program_and_what_it_computes_with():
    assert {"scse-viz", "Python", "torch", "numpy"} <= set(report.versions())
