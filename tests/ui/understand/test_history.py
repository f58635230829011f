"""Understand, training history: all variants step by step, and what it says where a file is missing."""

from scse_viz.ui.understand import cached as understand_cached
from scse_viz.zoo import read_card
from tests.ui.shown import figures
from tests.ui.understand.understand_page import HISTORY, opened, texts


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
