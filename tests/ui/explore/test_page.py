"""The page Explore: what it shows for every kind of block, and which of it a link restores."""

import base64
import io
import json

import nibabel as nib
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz import zoo
from scse_viz.inference.features import inspect_block
from scse_viz.models import BLOCK_NAMES
from scse_viz.scans import read_scan, samples
from tests.ui.shown import messages

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.explore import page as explore
sidebar.begin()
explore.page()
"""
PLACE = {"plane": "axial", "axial": "73", "point": "95,60"}


def opened(**address: str) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=120)
    app.query_params.update(address)
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    parts = [app.caption, app.info, app.error, app.subheader, app.markdown]
    return "\n".join(element.value for kind in parts for element in kind)


def figure(app: AppTest, key: str) -> dict:
    chart = next(element for element in app.get("plotly_chart") if element.proto.id.endswith(key))
    return json.loads(chart.proto.spec)


def test_the_network_is_drawn_with_every_block_and_one_chosen():
    network, panels = messages(opened(block="bottleneck"))
    assert [row["title"] for row in network["rows"]] == ["prediction", *BLOCK_NAMES]
    assert {row["cells"][0]["kind"] for row in network["rows"][1:]} == {"gate"}
    assert network["selected"] == "bottleneck"
    assert "128 channels" in network["rows"][5]["detail"]
    assert "16 mm" in network["rows"][5]["detail"]
    assert panels["columns"][0]["title"] == "bottleneck: spatial gate"
    assert panels["rows"][0]["cells"][0]["picture"] == network["rows"][5]["cells"][0]["picture"]


@pytest.mark.parametrize(
    ("variant", "first", "sentence"),
    [
        ("none", "encoder3: mean |activation|", "This network has no gates"),
        ("cSE", "prediction", "its channel weights are the same at every pixel"),
        ("sSE", "encoder3: spatial gate", "no channel gate"),
        ("scSE", "encoder3: spatial gate", "Most excited: channels"),
    ],
)
def test_every_variant_shows_what_it_has_and_says_what_it_lacks(variant, first, sentence):
    app = opened(variant=variant, block="encoder3")
    columns = [column["title"] for column in messages(app)[1]["columns"]]
    assert columns[0] == first
    assert [title.split(", ")[-1] for title in columns[-2:]] == ["before", "after"]
    assert sentence in texts(app)
    measures = {metric.label: metric.value for metric in app.metric}
    assert ("channel half" in measures) == (variant == "scSE")
    assert (measures["Ratio"] == "1.00") == (variant == "none")


def test_the_halves_of_scse_make_up_the_whole():
    measures = {metric.label: metric.value for metric in opened(block="encoder2").metric}
    halves = [float(measures[name].rstrip("%")) for name in ("channel half", "spatial half")]
    assert sum(halves) == pytest.approx(100, abs=1)


def test_the_most_excited_channel_is_looked_at_first_and_another_block_has_its_own():
    app = opened(block="encoder2")
    for block in ("encoder2", "encoder4"):
        app.selectbox(key="block").set_value(block).run()
        assert not app.exception
        bars = figure(app, "explore_weights")["data"][0]
        assert app.number_input(key="explore_channel").value == unpacked(bars["customdata"])[0]


def test_a_channel_of_the_address_is_drawn_before_and_after_on_one_scale():
    header = messages(opened(block="encoder2", explore_channel="7"))[1]
    before, after = header["rows"][0]["cells"][-2:]
    assert header["columns"][-1]["title"] == "channel 7, after"
    assert before["span"] == after["span"]
    assert before["map_mm"] == [2, 2]


def test_a_pixel_of_the_address_has_its_probabilities_and_its_profile():
    app = opened(**PLACE, variant="sSE")
    scan = read_scan(samples.samples()["colin27"].scan)
    name = "brain-unet-sse"
    inspection = inspect_block(scan.slice("axial", 73), zoo.load(name), zoo.read_card(name), "decoder1")
    shown = unpacked(figure(app, "explore_classes")["data"][0]["x"])
    np.testing.assert_allclose(shown, np.sort(inspection.probabilities[:, 95, 60])[-6:], rtol=1e-5)
    assert "the pixel you picked" in texts(app)
    assert [message["picked"] for message in messages(app)] == [[95, 60], [95, 60]]


def test_without_a_pixel_the_least_confident_one_is_shown():
    app = opened()
    assert "least confident" in texts(app)
    assert "point" not in app.query_params


@pytest.mark.parametrize("point", ["here", "1,2,3", "9999,0", "-1,4"])
def test_a_pixel_outside_the_slice_is_named_and_replaced(point):
    app = opened(**{**PLACE, "point": point})
    assert any("link" in caption.value and "point" in caption.value for caption in app.caption)
    assert "least confident" in texts(app)


def test_a_pixel_stays_from_slice_to_slice_but_not_in_another_plane():
    app = opened(**PLACE)
    app.slider(key="axial").set_value(80).run()
    assert messages(app)[0]["picked"] == [95, 60]
    app.button_group(key="plane").set_value("coronal").run()
    assert not app.exception
    assert "least confident" in texts(app)
    assert "point" not in app.query_params


def test_a_channel_that_a_block_lacks_is_named_and_replaced():
    app = opened(block="encoder1", explore_channel="99")
    assert any("explore_channel" in caption.value for caption in app.caption)
    assert app.number_input(key="explore_channel").value < 16


def test_an_uploaded_scan_without_labels_is_explored_and_a_bad_one_leaves_it_there():
    app = opened(scan="your own file", block="bottleneck")
    voxels = np.random.default_rng(0).random((24, 32, 20), dtype=np.float32)
    image = nib.Nifti1Image(voxels, np.diag([1.0, 1.5, 2.0, 1.0]))
    app.file_uploader(key="scan_file").upload("noise.nii", image.to_bytes()).run()
    assert not app.exception
    header = messages(app)[1]
    assert header["rows"][0]["reference"] is None
    assert "noise.nii" in texts(app)
    app.file_uploader(key="scan_file").set_value(("bad.nii", b"not an image", "application/octet-stream")).run()
    assert not app.exception
    assert "bad.nii" in app.error[0].value
    assert messages(app)[1]["slice"] == header["slice"]


def test_a_picture_of_one_slice_can_be_explored():
    app = opened(scan="your own file", variant="cSE")
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(0).random((24, 32), dtype=np.float32))
    app.file_uploader(key="scan_file").upload("flat.npy", stream.getvalue()).run()
    assert not app.exception
    assert messages(app)[1]["columns"][0]["title"] == "prediction"


def unpacked(values: list | dict) -> list:
    """A list of a figure, which Plotly may have encoded."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).tolist()
    return values
