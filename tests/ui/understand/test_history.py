"""Understand, training history: all variants step by step, and what it says where a file is missing."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from scse_viz.scans.samples import SAMPLE_DATA
from scse_viz.training.brain import recipe as brain
from scse_viz.training.hippocampus import recipe as hippocampus
from scse_viz.training.malc import recipe as malc
from scse_viz.ui.shell import cached
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand.grid import MIRRORED
from scse_viz.ui.understand.references import sides
from scse_viz.zoo import PRETRAINED, cards, listing, read_card, write_card
from scse_viz.zoo.history import SUFFIX
from tests.ui.shown import figures
from tests.ui.understand.understand_page import HISTORY, opened, texts, with_upload

SIDES = {"neurological": "neurological: left is drawn left", "radiological": "radiological: right is drawn left"}


def test_history_shows_all_variants_at_the_end_of_the_training():
    app = opened(understand=HISTORY)
    page = next(part.proto.body for part in app.get("html") if "history" in part.proto.body)
    for title in ("none", "cSE", "sSE", "scSE"):
        assert f"<b>{title}</b>" in page
    assert 'alt="scSE, bottleneck: spatial gate, mean' in page
    assert 'alt="cSE, encoder1: 16 channel weights, mean' in page
    assert app.select_slider(key="understand_step").value == read_card("brain-unet-scse").training["steps"]


def test_a_link_restores_a_snapshot_of_the_history():
    app = opened(
        understand=HISTORY, understand_step="112", variants=["sSE"], blocks=["encoder2"], understand_reference="2"
    )
    page = next(part.proto.body for part in app.get("html") if "history" in part.proto.body)
    assert "step 112" in page
    assert page.count('<div class="name">') == 1
    curves = figures(app)["understand_history"]
    assert curves["layout"]["shapes"][0]["x0"] == 112
    assert {trace["name"] for trace in curves["data"]} == {"sSE", "sSE, training"}


def test_play_begins_at_the_first_step_and_can_be_stopped():
    app = opened(understand=HISTORY, variants=["scSE"])
    app.button(key="understand_play").click().run()
    assert not app.exception
    assert app.button(key="understand_play").label == "Stop"
    assert app.select_slider(key="understand_step").value < 10
    app.button(key="understand_play").click().run()
    assert app.button(key="understand_play").label == "Play"


@pytest.mark.parametrize(
    ("anatomy", "reference", "plane", "mirrored"),
    [
        ("brain", "1", "coronal", True),
        ("brain", "2", "axial", True),
        ("hippocampus", "1", "sagittal", False),
        ("hippocampus", "2", "coronal", True),
        ("malc", "1", "coronal", True),
        ("malc", "2", "coronal", True),
    ],
)
def test_the_reference_slice_follows_the_convention_and_names_it(anatomy, reference, plane, mirrored):
    asked = {"understand": HISTORY, "anatomy": anatomy, "variants": ["sSE"], "understand_reference": reference}
    for convention in ("neurological", "radiological"):
        app = opened(**asked, convention=convention)
        page = next(part.proto.body for part in app.get("html") if "history" in part.proto.body)
        assert (MIRRORED in page) == (mirrored and convention == "radiological")
        [said] = [caption.value for caption in app.caption if caption.value.startswith("Reference slice")]
        assert f": {plane}" in said
        assert (SIDES[convention] if mirrored else "alike in both conventions") in said


@pytest.mark.parametrize("convention", ["neurological", "radiological"])
def test_where_left_is_not_known_the_replay_says_why_in_both_conventions(monkeypatch, tmp_path, convention):
    card = read_card("malc-unet-sse")
    own = replace(card, name="mine-unet-sse", anatomy="mine", training={"data": "images of my folder"})
    write_card(own, tmp_path)
    shutil.copy(PRETRAINED / f"{card.name}{SUFFIX}", tmp_path / f"{own.name}{SUFFIX}")
    monkeypatch.setenv("SCSE_VIZ_MODELS", str(tmp_path))
    monkeypatch.setattr(cached, "listing", listing)  # not the one that the app keeps for 30 s
    app = with_upload(understand=HISTORY, anatomy="mine", convention=convention)
    page = next(part.proto.body for part in app.get("html") if "history" in part.proto.body)
    assert MIRRORED not in page
    assert "left and right are not known, since it is of a scan that a network was trained with" in texts(app)
    assert "it is drawn alike in both conventions" in texts(app)


@pytest.mark.parametrize(
    ("name", "recipe", "scan"),
    [
        ("brain-smp-unet-scse", brain, "colin27"),
        ("hippocampus-unet-scse", hippocampus, "colin27"),
        ("malc-unet-scse", malc, "icbm2009a"),
    ],
)
def test_reference_slices_are_stored_with_left_drawn_left(name, recipe, scan):
    cut = (255 * recipe.reference_slices(SAMPLE_DATA / f"{scan}.nii.gz")[:, 0].clamp(0, 1)).numpy()
    stored = understand_cached.history(read_card(name)).references
    np.testing.assert_allclose(stored, cut, atol=1)
    assert np.abs(stored - cut[:, :, ::-1]).mean() > 3


def test_networks_of_other_reference_slices_have_no_common_sides():
    shipped = read_card("brain-unet-sse")
    own = replace(shipped, training={"data": "images of my folder"})
    assert sides([shipped], 0, radiological=True).mirrored
    assert not sides([shipped, own], 0, radiological=True).mirrored
    assert "not known" in sides([shipped], 2, radiological=True).words


def test_every_shipped_history_is_of_slices_whose_plane_is_known():
    for card in cards(PRETRAINED).values():
        for reference in range(len(understand_cached.history(card).references)):
            assert "not known" not in sides([card], reference, radiological=False).words


def test_a_network_without_a_history_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(understand_cached, "home", lambda name: tmp_path)
    app = opened(understand=HISTORY, variants=["sSE"])
    assert r"brain-unet-sse.history.npz is missing" in texts(app)
    assert not figures(app)


def test_without_a_variant_history_says_what_to_do():
    app = opened(understand=HISTORY)
    app.button_group(key="variants").set_value([]).run()
    assert not app.exception
    assert "at least one variant" in texts(app)
