"""Understand: its parts on a scan, and what they say where there is nothing to show."""

import numpy as np
import pytest

from scse_viz.models import BLOCK_NAMES
from scse_viz.scans.samples import SAMPLE_DATA
from tests.ui.shown import figures
from tests.ui.understand.understand_page import (
    ERRORS,
    HISTORY,
    LEARN,
    SMALL,
    ball,
    nifti,
    opened,
    shown,
    texts,
    with_upload,
)


def test_the_first_part_is_by_structure_over_the_whole_plane():
    app = shown(with_upload(), "By structure")
    table = figures(app)["understand_gates"]
    assert table["data"][0]["x"] == list(BLOCK_NAMES)
    assert "background" in table["data"][0]["y"]
    assert "all 20 axial slices" in texts(app)
    assert "Channel weights with and without a structure" in texts(app)


def test_one_slice_can_be_looked_at_alone():
    app = shown(with_upload(understand_slices="this slice"), "By structure")
    assert "Over axial slice" in texts(app)


def test_gates_relative_to_their_mean_have_a_scale_about_zero():
    app = shown(with_upload(understand_relative="true"), "By structure")
    heat = figures(app)["understand_gates"]["data"][0]
    assert heat["zmin"] == -heat["zmax"]


def test_channels_are_compared_for_a_structure_that_some_slices_have():
    app = shown(with_upload(understand_structure="cerebellar cortex"), "By structure")
    assert "with cerebellar cortex" in figures(app)["understand_profile"]["data"][0]["name"]
    assert "is not a test" in texts(app)


def test_a_structure_that_no_slice_has_says_what_to_do():
    app = shown(with_upload(understand_structure="amygdala"), "By structure")
    assert "amygdala: the network finds it in 0 of 20 slices" in texts(app)
    assert "Choose another structure, or another plane" in texts(app)
    assert list(figures(app)) == ["understand_gates"]


@pytest.mark.parametrize(
    ("variant", "sentence", "charts", "channels"),
    [
        ("none", "none has no gates", [], False),
        ("cSE", "cSE has no spatial gate", [], True),  # and finds no cortex in a ball, so that it has no profile
        ("sSE", "sSE has no channel gate", ["understand_gates"], False),
    ],
)
def test_what_a_variant_lacks_is_said_and_the_rest_is_shown(variant, sentence, charts, channels):
    app = shown(with_upload(variant=variant, understand_structure="cerebral cortex"), "By structure")
    assert sentence in texts(app)
    assert list(figures(app)) == charts
    assert ("cerebral cortex: the network finds it in 0 of 20 slices" in texts(app)) == channels


def test_without_labels_gates_are_compared_with_entropy():
    app = shown(with_upload(), ERRORS)
    assert "This scan has no labels" in texts(app)
    assert list(figures(app)) == ["understand_entropies"]
    assert not any(group.key == "understand_against" for group in app.button_group)


def test_with_labels_gates_are_compared_with_errors_and_only_judged_pixels_count():
    app = shown(with_upload(1 * (ball() > 0)), ERRORS)
    assert list(figures(app)) == ["understand_errors", "understand_histogram"]
    assert "a structure that the labels name (cerebral white matter)" in texts(app)
    app.button_group(key="understand_against").set_value("entropy").run()
    assert not app.exception
    assert list(figures(app)) == ["understand_entropies"]


def test_labels_that_do_not_fit_leave_entropy():
    app = with_upload(understand=ERRORS)
    app.file_uploader(key="labels_file").upload("short.nii", nifti(np.zeros((5, 5, 5))))
    app.run()
    assert not app.exception
    assert "short.nii" in app.error[0].value
    assert list(figures(app)) == ["understand_entropies"]


def test_a_slice_with_nothing_to_judge_says_so():
    labels = np.zeros(SMALL)
    labels[12, 16, 10] = 10  # a single voxel of the hippocampus
    app = shown(with_upload(labels, understand_slices="this slice", axial="0"), ERRORS)
    assert "Nothing to judge" in texts(app)
    app.slider(key="axial").set_value(10).run()
    assert not app.exception
    assert "1 judged pixels, 1 of them wrong (100.0%)" in texts(app)
    assert "All judged pixels are wrong here" in texts(app)


def test_a_slice_of_air_has_no_entropy_to_speak_of():
    app = shown(with_upload(understand_slices="this slice", axial="0"), ERRORS)
    assert "The network predicts background everywhere" in texts(app)


@pytest.mark.parametrize("variant", ["none", "cSE"])
def test_a_network_without_maps_has_nothing_to_compare_with_errors(variant):
    app = shown(with_upload(variant=variant), ERRORS)
    assert "has no spatial gate, so there is no map to compare with errors" in texts(app)
    assert not figures(app)


def test_a_bad_upload_says_so_and_keeps_the_view():
    app = with_upload(understand=ERRORS)
    app.file_uploader(key="scan_file").set_value(("bad.nii", b"not an image", "application/octet-stream"))
    app.run()
    assert not app.exception
    assert "bad.nii" in app.error[0].value
    assert "ball.nii" in texts(app)
    assert list(figures(app)) == ["understand_entropies"]


def test_values_of_the_address_that_make_no_sense_are_named_and_replaced():
    app = with_upload(understand=LEARN, understand_lesson="xSE", block="encoder7")
    assert app.button_group(key="understand_lesson").value == "cSE"
    app = opened(understand="Nowhere", understand_slices="some", understand_structure="liver", axial="73")
    note = next(caption.value for caption in app.caption if "This link has values" in caption.value)
    for key in ("understand", "understand_slices", "understand_structure"):
        assert key in note


@pytest.mark.parametrize(
    "address",
    [
        {"understand": "By structure", "variant": "sSE"},
        {"understand": ERRORS},
        {"understand": ERRORS, "understand_against": "entropy"},
        {"understand": HISTORY, "understand_step": "112"},
        {"understand": LEARN, "understand_lesson": "scSE", "block": "bottleneck"},
    ],
)
def test_the_python_that_a_part_gives_runs(address, monkeypatch):
    monkeypatch.chdir(SAMPLE_DATA.parent)
    app = opened(understand_slices="this slice", **address)
    app.session_state["export"] = True
    assert not app.run().exception
    exec(compile(app.code[-1].value, "exported", "exec"), {})
