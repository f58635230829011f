"""Understand, can the map be believed: shipped results, and the tests of one slice."""

import json
from base64 import b64decode
from typing import NamedTuple

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz.scans.samples import samples
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.zoo import read_card
from scse_viz.zoo.beliefs import FOLDER as BELIEF_FOLDER
from scse_viz.zoo.beliefs import BeliefResults, BeliefRow, GateTests, write_belief

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.understand import page
sidebar.begin()
page.page()
"""
CROP = next(sample for sample in samples().values() if sample.anatomy == "hippocampus")
NAME = "hippocampus-unet-scse"
GOOD = GateTests(spread=0.2, survived=0.1, survived_by_chance=0.05, repeated=0.9, between=0.1)
CONSTANT = GateTests(spread=0.001, survived=0.1, survived_by_chance=0.05, repeated=0.9, between=0.1)


class Maps(NamedTuple):
    """The pictures of a figure, and the words in it."""

    pictures: list[np.ndarray]
    words: list[str]


def opened(**address: str) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=120)
    asked = {"understand": "Can the map be believed?", "anatomy": "hippocampus", "scan": CROP.short, "variant": "scSE"}
    app.query_params.update({**asked, **address})
    app.run()
    assert not app.exception
    return app


def charts(app: AppTest) -> list[str]:
    """The keys of the charts, in order: the last part of their widget ids."""
    return [json.loads(element.proto.spec)["layout"]["xaxis"]["title"]["text"] for element in app.get("plotly_chart")]


def test_one_slice_is_tested_when_asked_for_and_says_what_follows():
    app = opened(block="encoder2")
    assert "Not measured yet" in " ".join(caption.value for caption in app.caption)
    assert charts(app) == []
    app.button(key="understand_test").click().run()
    assert not app.exception
    assert charts(app) == ["test", "column (pixels)", "share of pixels (0 to 1)", "redrawn down to"]
    said = " ".join(element.value for element in app.markdown)
    assert "encoder2, map" in said
    assert "encoder2, channel weights" in said


def test_maps_of_the_tests_follow_the_convention_and_name_it():
    plain, mirrored = (_maps(convention) for convention in ("neurological", "radiological"))
    assert "neurological: left is drawn left" in plain.words
    assert "radiological: right is drawn left" in mirrored.words
    assert len(plain.pictures) >= 4  # the slice and a map, each with the structure's outline
    for before, after in zip(plain.pictures, mirrored.pictures, strict=True):
        assert not np.array_equal(before, before[:, ::-1])
        np.testing.assert_array_equal(after, before[:, ::-1])


def _maps(convention: str) -> Maps:
    app = opened(block="encoder2", plane="coronal", convention=convention)
    app.button(key="understand_test").click().run()
    assert not app.exception
    [chart] = [part for part in app.get("plotly_chart") if "column (pixels)" in part.proto.spec]
    figure = json.loads(chart.proto.spec)
    pictures = [
        np.frombuffer(b64decode(z["bdata"]), z["dtype"]).reshape([int(side) for side in z["shape"].split(",")])
        for z in (trace["z"] for trace in figure["data"])
    ]
    return Maps(pictures, [text["text"] for text in figure["layout"]["annotations"]])


def test_a_gate_of_channels_alone_has_no_map_to_remove_pixels_by():
    app = opened(variant="cSE", block="encoder1")
    app.button(key="understand_test").click().run()
    assert not app.exception
    assert charts(app) == ["test", "redrawn down to"]


def test_what_was_measured_is_drawn_by_variant_and_by_gate(tmp_path, monkeypatch: pytest.MonkeyPatch):
    rows = [
        BeliefRow("encoder1", kind, "anterior hippocampus", "crop", "coronal", (3,), tests, (1.0, 0.1))
        for kind, tests in (("map", CONSTANT), ("weights", GOOD))
    ]
    results = BeliefResults(NAME, read_card(NAME).sha256, ("classifier", "encoder1"), tuple(rows), "2026-01-02", "abc")
    write_belief(tmp_path / BELIEF_FOLDER / f"{NAME}.json", results)
    monkeypatch.setattr("scse_viz.ui.understand.cached.PRETRAINED", tmp_path)
    understand_cached.beliefs.clear()
    app = opened()
    understand_cached.beliefs.clear()
    assert charts(app) == ["gate, and the tests that it passed", "test"]
    cells = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][0]
    assert cells["text"] == [["constant", "2 of 2"]]
    said = " ".join(element.value for element in app.markdown)
    assert "encoder1, map: the same everywhere: a scale, nothing to read in it." in said
    assert "Measured 2026-01-02 with commit abc" in " ".join(caption.value for caption in app.caption)
