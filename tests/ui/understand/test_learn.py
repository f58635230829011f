"""Understand, Learn: every lesson with numbers of a real network, and what was measured beside the paper's table."""

import numpy as np
import pytest

from scse_viz.ui.shell import cached
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.ui.understand import tiles
from scse_viz.zoo import PRETRAINED, read_card
from scse_viz.zoo.scores import Measured, NetworkResults, Score, results
from tests.ui.shown import figures
from tests.ui.understand.understand_page import LEARN, opened, texts, with_upload


@pytest.mark.parametrize(
    ("lesson", "heading", "charts"),
    [
        ("cSE", "which channels matter", {"understand_squeeze", "understand_excite"}),
        ("sSE", "which pixels matter", {"understand_kernel"}),
        ("scSE", "both at once", set()),
        ("When it hurts", "Why can scSE make a model worse?", {"understand_factors", "understand_crop"}),
    ],
)
def test_every_lesson_is_drawn_with_the_numbers_of_a_real_network(lesson, heading, charts):
    app = with_upload(understand_lesson=lesson, block="encoder2")
    assert heading in texts(app)
    assert set(figures(app)) == charts
    if lesson in ("cSE", "sSE", "scSE"):
        assert "encoder2 of brain-unet-scse on ball.nii" in texts(app)
        assert any("data:image/png" in part.proto.body for part in app.get("html"))
        assert app.latex


def test_the_tiles_name_the_convention_and_are_mirrored_in_the_radiological_one():
    for convention, side in (("neurological", "left"), ("radiological", "right")):
        app = with_upload(understand_lesson="sSE", block="encoder2", plane="axial", convention=convention)
        html = "".join(part.proto.body for part in app.get("html"))
        assert f"{convention}: {side} is drawn left" in html
        assert 'class="tiles-key placed"' in html
        assert (tiles.MIRRORED in html) == (convention == "radiological")


def test_a_matrix_of_channels_is_not_mirrored():
    soca = {"understand_lesson": "Relatives", "understand_relatives": "SOCA", "block": "encoder2"}
    app = opened(understand=LEARN, anatomy="hippocampus", plane="coronal", convention="radiological", **soca)
    parts = [part.proto.body for part in app.get("html")]
    [matrix] = [part for part in parts if "covariance of" in part]
    assert "placed" not in matrix
    assert tiles.MIRRORED in "".join(parts)


def test_the_last_lines_of_what_we_measured_are_what_cards_and_results_say():
    app = with_upload(understand_lesson="When it hurts", block="encoder2")
    of_planes = [read_card(f"brain-unet-{v}").figures["dice"]["synthetic"] for v in ("none", "cse", "sse", "scse")]
    means = [np.mean([plane["mean"] for plane in planes.values()]) for planes in of_planes]
    stages, margins = (table.value for table in app.table[:2])
    assert stages.iloc[-1].tolist() == pytest.approx(means, abs=0.0006)
    measured = results(PRETRAINED)
    cut = [measured[f"brain-unet-{v}"].data["heads"].by_subject()["samseg-s1"] for v in ("none", "cse", "sse", "scse")]
    assert margins.iloc[-1].tolist() == pytest.approx(cut, abs=0.0006)
    assert "0.086, 0.017, 0.008, 0.004, 0.004 behind; scSE likewise: 0.071, 0.042, 0.036, 0.031" in texts(app)
    assert "So none of the changes helped, and all networks are trained as before." in texts(app)


def test_a_lesson_on_a_gate_that_the_network_lacks_is_shown_on_its_sibling():
    app = with_upload(understand_lesson="sSE", variant="cSE", block="encoder2")
    assert "cSE, chosen in the sidebar, lacks this gate; shown is brain-unet-sse." in texts(app)


def test_the_papers_table_is_beside_ours():
    app = with_upload()
    paper, ours = (table.value for table in app.dataframe[:2])
    assert paper.loc["U-Net"].tolist() == [0.763, 0.825, 0.837, 0.843]
    assert list(ours.columns) == ["none", "cSE", "sSE", "scSE"]
    assert ours.loc["U-Net"].between(0.3, 1).all()


def test_results_by_subject_replace_those_of_the_cards(monkeypatch):
    def measured(dice):
        score = {"thalamus": Score(dice, 1.0)}
        return {"heads": Measured("Four heads", ("axial",), {"one": {"axial": score}, "two": {"axial": score}})}

    known = {
        name: NetworkResults(name, "brain", "unet", name[11:], 0, "", 1, 0.0, 1, (1, 1), 1.0, measured(dice))
        for name, dice in (("brain-unet-none", 0.5), ("brain-unet-cse", 0.625))
    }
    monkeypatch.setattr(cached, "network_results", lambda: known)
    app = opened(understand=LEARN, understand_lesson="The paper and ours")
    ours = app.dataframe[1].value
    assert ours.loc["U-Net", ["none", "cSE"]].tolist() == [0.5, 0.625]
    assert "Four heads" in texts(app)


def test_the_papers_figures_never_stand_without_their_caveat():
    app = with_upload(understand_lesson="The paper and ours")
    assert any("these figures are unchecked" in caption.value for caption in app.caption)


def test_a_folder_without_experiments_says_so(monkeypatch):
    monkeypatch.setattr(understand_cached, "experiments", dict)
    app = with_upload(understand_lesson="When it hurts")
    assert not app.exception
    assert any("missing from the folder of the networks" in caption.value for caption in app.caption)
