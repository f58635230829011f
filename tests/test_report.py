"""Exported files open again with the numbers that were shown; the report needs no network and runs no foreign code."""

import base64
import io
import zipfile
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image

from scse_viz import report
from scse_viz.rendering.colours import colour_scale
from scse_viz.zoo.foreign import Request


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
    lighter = np.asarray(Image.open(io.BytesIO(report.overlay(background + 100, np.ones((4, 8))))))
    np.testing.assert_allclose(lighter[0, 0] - picture[0, 0].astype(float), 100 * (1 - report.OVERLAY), atol=1)


def test_a_slice_is_gray_and_small_pixels_stay_as_they_are():
    slice_ = np.arange(400, dtype=np.uint8).reshape(1, 400) // 2
    picture = np.asarray(Image.open(io.BytesIO(report.gray(slice_))))
    assert picture.shape == (1, 400, 3)
    assert (picture == slice_[..., None]).all()


def test_the_code_of_a_view_reads_the_volume_that_is_shown():
    reading = report.reading_of(["a.nii"])
    assert "scan = read_scan(Path('a.nii'))\n" in report.code_for(reading, ["one"], "axial", 3)
    assert report.reading_of(["a.nii"], volume=2) == "read_scan(Path('a.nii'), volume=2)"
    assert report.reading_of(["a.nii"], volume=2, together=True) == "read_channels(Path('a.nii'))"
    several = report.code_for(report.reading_of(["t1.nii", "t2.nii"], together=True), ["one"], "axial", 3)
    assert "scan = stacked([read_scan(Path('t1.nii')), read_scan(Path('t2.nii'))])" in several
    assert "from scse_viz.scans import read_scan, stacked\n" in several
    code = report.code_for(reading, ["one", "mine"], "axial", 3, own={"mine": repr(Request("mine.zip"))})
    compile(code, "code", "exec")
    assert "names = ['one']\n" in code
    assert "opened = foreign.opened(Request(model='mine.zip'" in code


def test_structures_over_a_slice_leave_the_background_gray():
    labels = np.array([[0, 1]])
    gray = np.full((1, 2), 100, dtype=np.uint8)
    picture = np.asarray(Image.open(io.BytesIO(report.coloured_labels(gray, labels, ["#000000", "#ff0000"]))))
    assert picture[0, 0].tolist() == [100, 100, 100]
    assert picture[0, -1].tolist() == [round(45 + 0.55 * 255), 45, 45]


class Document(HTMLParser):
    """The tags of a page with their attributes, and its text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if not self.tags or self.tags[-1][0] not in ("script", "style"):
            self.text += data


def report_of(text: str) -> Document:
    """A report with `text` wherever a report has text."""
    made = report.Report(
        title=text,
        facts={text: text},
        pictures={text: report.overlay(np.zeros((2, 2), np.uint8), np.zeros((2, 2)))},
        figures={text: go.Figure(go.Bar(y=[1, 2], name=text), {"title": text}), "more": go.Figure(go.Bar(y=[3]))},
        tables={text: pd.DataFrame({text: [text]})},
        code=text,
        link=text,
    )
    return Document(report.page(made).decode())


def test_a_report_holds_everything_and_loads_nothing():
    page = report_of("plain")
    assert [tag for tag, _ in page.tags].count("h2") == 6, "maps, two figures, a table, code and link"
    assert page.text.count("plain") == 11
    [picture] = [attributes for tag, attributes in page.tags if tag == "img"]
    content = base64.b64decode(picture["src"].removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(content)).size == (320, 320)
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe")
        assert "href" not in attributes
        assert tag == "img" or "src" not in attributes


def test_the_code_of_plots_comes_once_before_the_first():
    two = {"one": go.Figure(go.Bar(y=[1])), "two": go.Figure(go.Bar(y=[2]))}
    page = report.page(report.Report("title", {}, figures=two)).decode()
    assert page.count("* plotly.js v") == 1
    assert page.index("* plotly.js v") < page.index('<div id="')


def test_names_of_files_cannot_bring_code_into_a_report():
    hostile = '</script></style><b onclick="x">\'&amp;</b>'
    plain, page = report_of("plain"), report_of(hostile)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert page.text.count(hostile) == 11


def test_empty_parts_of_a_report_have_no_heading():
    page = Document(report.page(report.Report("title", {"scan": "x"})).decode())
    assert [tag for tag, _ in page.tags if tag in ("h1", "h2")] == ["h1"]


def test_a_blank_in_a_table_is_a_dash():
    made = report.Report("title", {}, tables={"Dice": pd.DataFrame({"a": [np.nan, 0.123456]})})
    assert report.page(made).decode().count("<td>–</td>") == 1
    assert "<td>0.1235</td>" in report.page(made).decode()


def test_versions_name_this_program_and_what_it_computes_with():
    assert {"scse-viz", "Python", "torch", "numpy"} <= set(report.versions())
