"""Compare, what it compares: networks with each other, architectures, and two scans."""

import json
from base64 import b64decode
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz import zoo
from scse_viz.analysis.gates import BlockGates
from scse_viz.inference import SliceResult
from scse_viz.ui.compare.alignment import Alignment
from scse_viz.ui.compare.choices import Column, ComparedSlice
from scse_viz.ui.compare.gates import likenesses
from scse_viz.ui.shell import cached, export
from scse_viz.zoo import save
from scse_viz.zoo.structures import BRAIN
from tests.cards import TINY
from tests.ui.compare.compare_page import OWN, ball, message, nifti, opened, titles
from tests.ui.shown import messages

SECOND = "Choose a second variant in the sidebar to see how far two networks agree."
GATED = "Choose a network with gates in the sidebar, such as cSE, sSE or scSE."
PAIR = "Choose two networks with gates in the sidebar, such as two of cSE, sSE and scSE."
CHANNELS = "None of the networks shown has channel weights. Choose one that has in the sidebar, such as cSE or scSE."


@pytest.mark.parametrize(
    ("shown", "part", "charts", "advice"),
    [
        (["none"], "Predictions", [], [SECOND]),
        (["none"], "Gates", [], [GATED, PAIR]),
        (["none"], "Channel weights", [], [CHANNELS]),
        (["cSE"], "Gates", ["compare_mean_channel_gate"], [PAIR]),
        (["cSE"], "Channel weights", ["channel_bars"], []),
        (["sSE"], "Gates", ["compare_mean_spatial_gate"], [PAIR]),
        (["none", "sSE"], "Predictions", ["compare_dice_0"], []),
        (["none", "sSE"], "Channel weights", [], [CHANNELS]),
    ],
)
def test_a_part_draws_what_few_networks_have_and_says_what_to_choose_for_the_rest(shown, part, charts, advice):
    app = opened(variants=shown, compare_part=part)
    assert [chart.proto.id.rpartition("-")[2] for chart in app.get("plotly_chart")] == charts
    assert [info.value for info in app.info] == advice


@pytest.mark.parametrize("shown", [["none"], ["cSE"], ["none", "sSE"]])
def test_maps_have_a_column_for_every_network_however_few(shown):
    app = opened(variants=shown, compare_part="Maps")
    assert titles(app) == shown
    assert not app.info


def test_one_part_at_a_time_is_computed_and_the_address_holds_which():
    app = opened(compare_part="Gates")
    assert messages(app) == []
    assert "How alike are the gates?" in " ".join(element.value for element in app.markdown)


def test_subtracting_a_map_shows_differences_and_leaves_the_rest():
    header = message(opened(compare_minus="sSE", blocks=["encoder1"]))
    assert [cell["kind"] for cell in header["rows"][2]["cells"]] == ["activation", "none", "gate", "difference"]
    assert header["rows"][2]["cells"][3]["span"] == [-1, 1]
    assert header["kinds"]["difference"]["scale"]
    assert "scSE, encoder1 minus sSE" in header["rows"][2]["cells"][3]["alt"]


def test_the_map_of_disagreement_is_beside_the_outvoted_networks():
    row = message(opened())["rows"][1]
    assert row["reference"]["readings"]["85"] == "1 of 4 differ"
    assert [cell["kind"] for cell in row["cells"]] == ["share"] * 4


def test_room_is_kept_for_networks_that_are_switched_off():
    assert [
        message(opened(variants=shown))["least_columns"] for shown in (["sSE"], ["none", "cSE", "sSE", "scSE"])
    ] == [4, 4]


def test_dice_between_networks_is_that_of_the_chosen_structure():
    app = opened(variants=["sSE", "scSE"], compare_part="Predictions")
    mean = dice_matrix(app)[0, 1]
    app.selectbox(key="compare_structure").select("thalamus").run()
    assert not app.exception
    thalamus = dice_matrix(app)[0, 1]
    assert 0 < mean < thalamus < 1


def dice_matrix(app: AppTest) -> np.ndarray:
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    on_dark, on_light = (
        np.frombuffer(b64decode(drawn["z"]["bdata"]), drawn["z"]["dtype"]).reshape(2, 2) for drawn in spec["data"][1:]
    )
    assert (spec["layout"]["coloraxis"]["cmin"], spec["layout"]["coloraxis"]["cmax"]) == (0, 1)
    return np.where(np.isnan(on_dark), on_light, on_dark)


def test_a_second_scan_has_its_own_grid_and_slice_and_shares_the_networks():
    app = opened(variants=["sSE", "scSE"], compare_second="true", blocks=["encoder1"])
    first, second = messages(app)
    assert "colin27" in first["slice"]["alt"]
    assert "icbm2009a" in second["slice"]["alt"]
    assert [column["title"] for column in second["columns"]] == ["sSE", "scSE"]
    app.slider(key="compare_axial").set_value(60).run()
    assert not app.exception
    assert "axial slice 60" in messages(app)[1]["slice"]["alt"]
    assert messages(app)[0]["slice"] == first["slice"]


def test_pixels_of_two_grids_are_not_compared_but_channel_weights_are():
    app = opened(variants=["sSE", "scSE"], compare_second="true", compare_part="Gates")
    options = app.button_group(key="compare_measure").options
    assert "Correlation of spatial gates, colin27" in options
    assert "Correlation of spatial gates, icbm2009a" in options
    assert "Rank correlation of channel gates" in options


def test_weights_of_unequal_numbers_of_channels_are_said_to_be_no_pair():
    """U-Net and SD-Net have no stage of the same width: nothing but the diagonal would be drawn."""
    app = opened(
        variants=["cSE"], compare_architectures=["U-Net", "SD-Net"], compare_part="Gates",
        compare_measure="Rank correlation of channel gates",
    )  # fmt: skip
    said = [caption.value for caption in app.caption if "No two of these networks" in caption.value]
    assert len(said) == 2, "of the block chosen, and of each block"


@pytest.mark.parametrize(
    ("older", "now"),
    [
        ("Overlap of sSE maps", "Overlap of spatial gates"),
        ("Overlap of sSE maps, icbm2009a", "Overlap of spatial gates, icbm2009a"),
        ("Correlation of sSE maps", "Correlation of spatial gates"),
    ],
)
def test_a_link_of_an_older_version_opens_the_same_measure(older, now):
    app = opened(
        variants=["sSE", "scSE"], compare_second="true" if "," in older else "false", compare_part="Gates",
        compare_measure=older, variant="scSE",
    )  # fmt: skip
    assert app.button_group(key="compare_measure").value == now
    assert not [caption.value for caption in app.caption if "cannot be used" in caption.value]


def test_a_second_scan_of_the_same_grid_and_slice_is_compared_pixel_by_pixel():
    app = opened(
        variants=["sSE"], compare_second="true", compare_scan="Colin27", axial="80", compare_axial="80",
        compare_part="Gates",
    )  # fmt: skip
    assert app.button_group(key="compare_measure").options == [
        "Correlation of spatial gates",
        "Overlap of spatial gates",
    ]


def test_a_second_upload_is_kept_apart_from_the_first():
    app = opened(variants=["sSE"], compare_second="true", compare_scan=OWN["scan"])
    app.file_uploader(key="compare_scan_file").upload("ball.nii", nifti(ball()))
    app.run()
    assert not app.exception
    assert ["colin27" in sent["slice"]["alt"] for sent in messages(app)] == [True, False]


@pytest.fixture
def zoo_of_three_architectures(tmp_path, monkeypatch):
    for architecture in ("unet", "sdnet", "densenet"):
        for variant in ("none", "sse", "scse"):
            card = replace(TINY, name=f"tiny-{architecture}-{variant}", architecture=architecture, variant=variant)
            card = replace(card, widths=(4, 4, 4, 4, 4), anatomy="brain", structures=BRAIN)
            save(card.network(seed=1), card, tmp_path)
    monkeypatch.setattr(cached, "cards", lambda: zoo.cards(tmp_path))
    monkeypatch.setattr(zoo, "load", partial(zoo.load, folder=tmp_path))


def test_architectures_stand_side_by_side_up_to_eight_columns(zoo_of_three_architectures):
    app = opened(compare_architectures=["U-Net", "SD-Net"])
    assert titles(app) == ["U-Net none", "U-Net sSE", "U-Net scSE", "SD-Net none", "SD-Net sSE", "SD-Net scSE"]
    assert message(app)["rows"][2]["cells"][4]["alt"].startswith("SD-Net sSE, encoder1")
    app.button_group(key="compare_architectures").set_value(["U-Net", "SD-Net", "DenseNet"]).run()
    assert not app.exception
    assert len(titles(app)) == 8
    assert "9 networks are chosen and the first 8 shown" in " ".join(element.value for element in app.caption)


def test_maps_of_two_architectures_are_subtracted(zoo_of_three_architectures):
    app = opened(compare_architectures=["U-Net", "DenseNet"], compare_minus="U-Net sSE", blocks=["decoder1"])
    kinds = [cell["kind"] for cell in message(app)["rows"][2]["cells"]]
    assert kinds == ["activation", "gate", "difference", "activation", "difference", "difference"]


def test_without_an_architecture_the_page_says_what_to_do():
    app = opened()
    app.button_group(key="compare_architectures").set_value([]).run()
    assert not app.exception
    assert "at least one architecture" in app.info[0].value
    app.button_group(key="compare_architectures").set_value(["U-Net"]).run()
    assert titles(app) == ["none", "cSE", "sSE", "scSE"]


def test_the_export_names_every_map_that_is_drawn(monkeypatch):
    exported: list[export.ExportContents] = []
    monkeypatch.setattr(export, "offer", lambda view, contents: exported.append(contents))
    opened(variants=["none", "cSE", "scSE"], blocks=["encoder2"])
    drawn = ["none encoder2 mean activation", "scSE encoder2 spatial gate", "networks that differ"]
    assert list(exported[0].maps) == drawn
    assert "cSE/encoder1/channel_gate" in exported[0].arrays
    assert exported[0].arrays["scSE/labels"].shape == (217, 181)


def test_networks_without_a_block_of_one_name_have_no_likeness():
    gates = [{name: BlockGates(channel_gate=np.arange(4.0))} for name in ("encoder1", "layer1")]
    results = [
        SliceResult(np.zeros((2, 2)), np.ones((2, 2)), np.zeros((2, 2)), block_gates, (1.0, 1.0))
        for block_gates in gates
    ]
    columns = tuple(
        Column(name, name, None, TINY, result, {block: block for block in result.gates})
        for name, result in zip("ab", results, strict=True)
    )
    assert likenesses([ComparedSlice("", None, columns, Alignment("name", {}))]) == []
