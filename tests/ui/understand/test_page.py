"""Understand: each of its parts in each of its states, and what it says where there is nothing to show."""

import json

import nibabel as nib
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz.models import BLOCK_NAMES
from scse_viz.scans.samples import SAMPLE_DATA
from scse_viz.ui.understand import cached as understand_cached
from scse_viz.zoo import PRETRAINED, read_card
from scse_viz.zoo.scores import Measured, NetworkResults, Score, results

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.understand import page as understand
sidebar.begin()
understand.page()
"""
SMALL = (24, 32, 20)
ERRORS, HISTORY, LEARN = "Attention and error", "Training history", "Learn"


def opened(**address) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=180)
    app.query_params.update(address)
    app.run()
    assert not app.exception
    return app


def with_upload(labels: np.ndarray | None = None, **address) -> AppTest:
    """The page on a small bright ball in air, with labels or without; the first look is at Learn, which is quick."""
    app = opened(scan="your own file", **{"understand": LEARN, "understand_lesson": "The paper and ours", **address})
    app.file_uploader(key="scan_file").upload("ball.nii", nifti(ball()))
    app.run()
    if labels is not None:
        app.file_uploader(key="labels_file").upload("labels.nii", nifti(labels))
        app.run()
    assert not app.exception
    return app


def nifti(voxels: np.ndarray) -> bytes:
    return nib.Nifti1Image(voxels.astype(np.float32), np.diag([2.0, 2.0, 2.0, 1.0])).to_bytes()


def ball(radius: float = 0.8) -> np.ndarray:
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in SMALL), indexing="ij"))
    return 100.0 * (np.linalg.norm(grid, axis=0) < radius)


def shown(app: AppTest, part: str) -> AppTest:
    app.button_group(key="understand").set_value(part).run()
    assert not app.exception
    return app


def figures(app: AppTest) -> dict[str, dict]:
    return {chart.proto.id.rpartition("-")[2]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


def texts(app: AppTest) -> str:
    parts = [app.caption, app.info, app.error, app.subheader, app.markdown, app.success]
    return "\n".join(each.value for kind in parts for each in kind)


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


def test_gates_relative_to_their_mean_have_a_scale_about_nought():
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


def test_without_labels_gates_are_held_against_entropy():
    app = shown(with_upload(), ERRORS)
    assert "This scan has no labels" in texts(app)
    assert list(figures(app)) == ["understand_entropies"]
    assert not any(group.key == "understand_against" for group in app.button_group)


def test_with_labels_gates_are_held_against_errors_and_only_judged_pixels_count():
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
def test_a_network_without_maps_has_nothing_to_hold_against_errors(variant):
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


def test_the_last_lines_of_what_we_measured_are_what_cards_and_results_say():
    app = with_upload(understand_lesson="When it hurts", block="encoder2")
    of_planes = [read_card(f"brain-unet-{v}").figures["dice"]["synthetic"] for v in ("none", "cse", "sse", "scse")]
    means = [np.mean([plane["mean"] for plane in planes.values()]) for planes in of_planes]
    stages, margins = (table.value for table in app.dataframe[:2])
    assert stages.iloc[-1].tolist() == pytest.approx(means, abs=0.0006)
    measured = results(PRETRAINED)
    cut = [measured[f"brain-unet-{v}"].data["heads"].by_subject()["samseg-s1"] for v in ("none", "cse", "sse", "scse")]
    assert margins.iloc[-1].tolist() == pytest.approx(cut, abs=0.0006)
    assert "0.086, 0.017, 0.008, 0.004, 0.004 behind; scSE likewise: 0.071, 0.042, 0.036, 0.031" in texts(app)


def test_a_lesson_on_a_gate_that_the_network_lacks_is_shown_on_its_sibling():
    app = with_upload(understand_lesson="sSE", variant="cSE", block="encoder2")
    assert "cSE, chosen in the sidebar, lacks this gate; shown is brain-unet-sse." in texts(app)


def test_the_papers_table_stands_beside_ours():
    app = with_upload()
    paper, ours = (table.value for table in app.dataframe[:2])
    assert paper.loc["U-Net"].tolist() == [0.763, 0.825, 0.837, 0.843]
    assert list(ours.columns) == ["none", "cSE", "sSE", "scSE"]
    assert ours.loc["U-Net"].between(0.3, 1).all()


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


def test_what_was_measured_of_subjects_stands_before_the_cards(monkeypatch):
    def measured(dice):
        score = {"thalamus": Score(dice, 1.0)}
        return {"heads": Measured("Four heads", ("axial",), {"one": {"axial": score}, "two": {"axial": score}})}

    known = {
        name: NetworkResults(name, "brain", "unet", name[11:], 0, "", 1, 0.0, 1, (1, 1), 1.0, measured(dice))
        for name, dice in (("brain-unet-none", 0.5), ("brain-unet-cse", 0.625))
    }
    monkeypatch.setattr(understand_cached, "results", lambda: known)
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
