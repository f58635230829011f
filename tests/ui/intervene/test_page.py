"""The page Intervene: gates and channels are changed, taken back, linked to, swept; and it says what it cannot do."""

import nibabel as nib
import numpy as np
import plotly.graph_objects as go
import plotly.io
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from scse_viz import zoo
from scse_viz.analysis.ablation import changed_share
from scse_viz.inference import segment_slice
from scse_viz.intervention import OFF, Change, Invert
from scse_viz.models import BLOCK_NAMES
from scse_viz.scans import read_scan
from scse_viz.scans.samples import samples
from scse_viz.ui.shell import export
from tests.packed import header_of

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.intervene import page as intervene
sidebar.begin()
intervene.page()
"""
PREDICTIONS, GATES = "intervene_panels", "intervene_gates_panels"
PLACE = {"plane": "axial", "axial": "80"}


def opened(**address: str) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=300)
    app.query_params.update({**PLACE, **address})
    app.run()
    assert not app.exception
    return app


def ran(changed: AppTest | Element) -> None:
    """Run the page after a widget was changed."""
    app = changed.run()
    assert not app.exception


def metric(app: AppTest, label: str) -> str:
    return next(element.value for element in app.metric if element.label == label)


def grids(app: AppTest) -> dict[str, bytes]:
    """What the grids of panels were sent, by their keys."""
    return {element.key: element.proto.bytes for element in app.get("bidi_component") if element.key.endswith("panels")}


def message(app: AppTest, grid: str = PREDICTIONS) -> dict:
    """The header of what a grid of panels was sent."""
    return header_of(grids(app)[grid])


def alts(app: AppTest, grid: str) -> list[str]:
    return [cell["alt"] for row in message(app, grid)["rows"] for cell in row["cells"]]


def figures(app: AppTest) -> list[go.Figure]:
    return [plotly.io.from_json(element.proto.spec) for element in app.get("plotly_chart")]


@pytest.fixture(scope="module")
def slice_of_colin():
    """The slice that the page opens: scan, network, card."""
    return read_scan(samples()["colin27"].scan), zoo.load("brain-unet-scse"), zoo.read_card("brain-unet-scse")


def labels(case, changes):
    scan, model, card = case
    return segment_slice(scan.slice("axial", 80), model, card, changes=changes).labels


def test_nothing_is_changed_at_first_and_the_page_says_what_to_do():
    app = opened()
    assert metric(app, "Changed pixels") == "0"
    assert metric(app, "Dice, before with after") == "1.000"
    assert any("Nothing is changed" in element.value for element in app.markdown)
    assert app.button(key="intervene_undo").disabled
    assert app.button(key="intervene_reset").disabled
    assert [column["title"] for column in message(app)["columns"]] == ["before", "after", "changed"]
    assert list(grids(app)) == [PREDICTIONS]  # no gate was changed, so none is drawn


def test_a_block_switched_off_shows_what_the_library_computes(slice_of_colin):
    app = opened()
    ran(app.selectbox(key="intervene_encoder1").set_value("off"))
    before, after = labels(slice_of_colin, {}), labels(slice_of_colin, {"encoder1": OFF})
    assert metric(app, "Changed pixels") == f"{np.count_nonzero(before != after):,}"
    assert metric(app, "Share of structures") == f"{changed_share(before, after):.1%}"
    assert app.slider(key="intervene_encoder1_strength").value == 0
    assert app.query_params["intervene"] == "encoder1:off"
    assert alts(app, GATES)[1:] == ["encoder1: the block is bypassed: no gate is applied"] * 2
    table = app.dataframe[0].value
    thalamus = next(structure.number for structure in slice_of_colin[2].structures if structure.name == "thalamus")
    assert table.loc["thalamus", "after, cm²"] == pytest.approx(np.count_nonzero(after == thalamus) / 100)


def test_a_gate_alone_is_changed_where_gates_are_chosen(slice_of_colin):
    app = opened(intervene="encoder2:invert", intervene_gates="spatial gate")
    before = labels(slice_of_colin, {})
    after = labels(slice_of_colin, {"encoder2": Change(spatial_gate=Invert())})
    assert metric(app, "Changed pixels") == f"{np.count_nonzero(before != after):,}"
    assert [row["title"] for row in message(app, GATES)["rows"]] == ["encoder2"]


def test_the_slider_sets_a_strength_and_one_is_as_it_is():
    app = opened()
    ran(app.slider(key="intervene_bottleneck_strength").set_value(0.5))
    assert app.query_params["intervene"] == "bottleneck:strength:0.5"
    assert app.selectbox(key="intervene_bottleneck").value == "strength"
    ran(app.slider(key="intervene_bottleneck_strength").set_value(1.0))
    assert "intervene" not in app.query_params
    assert app.selectbox(key="intervene_bottleneck").value == "leave"


def test_changes_are_undone_one_by_one_and_all_at_once():
    app = opened(intervene="decoder1:mean")
    ran(app.selectbox(key="intervene_encoder1").set_value("invert"))
    ran(app.selectbox(key="intervene_encoder2").set_value("shuffle"))
    ran(app.button(key="intervene_undo").click())
    assert app.query_params["intervene"] == "encoder1:invert,decoder1:mean"
    ran(app.button(key="intervene_reset").click())
    assert "intervene" not in app.query_params
    assert metric(app, "Changed pixels") == "0"
    ran(app.button(key="intervene_undo").click())
    assert app.query_params["intervene"] == "encoder1:invert,decoder1:mean"


def test_channels_are_knocked_out_from_the_list_and_come_back(slice_of_colin):
    app = opened(block="encoder2")
    ran(app.multiselect(key="intervene_without").set_value([7, 3]))
    assert app.query_params["intervene"] == "encoder2:without:3.7"
    before, after = labels(slice_of_colin, {}), labels(slice_of_colin, {"encoder2": Change(without=(3, 7))})
    assert metric(app, "Changed pixels") == f"{np.count_nonzero(before != after):,}"
    ran(app.selectbox(key="block").set_value("encoder1"))
    assert app.multiselect(key="intervene_without").value == []
    assert app.query_params["intervene"] == "encoder2:without:3.7"
    ran(app.button(key="intervene_all").click())
    assert app.query_params["intervene"] == "encoder1:without:0-15,encoder2:without:3.7"
    ran(app.button(key="intervene_all").click())
    assert app.query_params["intervene"] == "encoder2:without:3.7"


def test_a_structure_bounds_a_region_and_one_that_is_absent_is_named():
    app = opened(intervene="encoder1:open", intervene_structure="thalamus")
    assert not app.warning
    assert metric(app, "Changed pixels") != "0"
    ran(app.selectbox(key="intervene_structure").set_value("fourth ventricle"))
    assert "No fourth ventricle is predicted in this slice" in app.warning[0].value
    assert metric(app, "Changed pixels") == "0"


def test_a_link_restores_the_view_and_names_what_it_cannot_use():
    app = opened(
        intervene="encoder1:off,encoder9:mean,bottleneck:strength:0.25:without:1-2",
        intervene_gates="channel gate (cSE)",  # as older links have it
        intervene_seed="12",
    )
    assert app.query_params["intervene"] == "encoder1:off,bottleneck:strength:0.25:without:1-2"
    assert app.selectbox(key="intervene_encoder1").value == "off"
    assert app.number_input(key="intervene_seed").value == 12
    assert app.button_group(key="intervene_gates").value == "channel gate"
    assert "intervene" in next(element.value for element in app.caption if "link" in element.value)


def test_a_network_without_gates_offers_its_channels_only():
    app = opened(
        variant="none", intervene="encoder1:off,encoder2:without:3", block="encoder2", intervene_channels="true"
    )
    assert "no gates to change" in app.info[0].value
    assert not [element for element in app.selectbox if element.key == "intervene_encoder1"]
    assert app.multiselect(key="intervene_without").value == [3]
    assert metric(app, "Changed pixels") != "0"
    assert any("no channel gate" in element.value for element in app.caption)
    assert any("Spearman" in element.value for element in app.markdown)


@pytest.mark.parametrize(("variant", "offered"), [("cSE", False), ("sSE", True)])
def test_regions_are_offered_where_there_is_a_spatial_gate(variant, offered):
    app = opened(variant=variant)
    assert ("1 inside" in app.selectbox(key="intervene_encoder1").options) == offered
    assert app.selectbox(key="intervene_structure").disabled == (not offered)


def test_sweeps_compute_every_block_and_every_channel():
    app = opened(block="encoder1")
    ran(app.toggle(key="intervene_sweep").set_value(True))
    ran(app.toggle(key="intervene_channels").set_value(True))
    assert not app.get("progress")
    bars, blocks, scatter = figures(app)
    assert len(bars.data[0].customdata) == 16
    assert sorted(name for bar in blocks.data for name in bar.y) == sorted(BLOCK_NAMES)
    assert len(scatter.data[0].customdata) == 16
    said = next(element.value for element in app.markdown if "Spearman" in element.value)
    assert "over 16 channels" in said
    assert "Ranked by mean activation" in said
    ran(app.segmented_control(key="intervene_effect").set_value("Dice lost"))
    assert figures(app)[1].layout.xaxis.title.text == "mean Dice lost (with labels)"


def test_without_labels_there_is_no_dice_with_them():
    voxels = 100.0 * (np.linalg.norm(np.stack(np.meshgrid(*[np.linspace(-1, 1, 24)] * 3, indexing="ij")), axis=0) < 0.8)
    app = opened(scan="your own file", intervene="encoder1:off")
    app.file_uploader(key="scan_file").upload(
        "ball.nii", nib.Nifti1Image(voxels.astype(np.float32), np.eye(4)).to_bytes()
    )
    ran(app)
    assert [element.label for element in app.metric][-1] == "Mean confidence"
    assert app.segmented_control(key="intervene_effect").options == ["changed pixels", "moved probability"]
    assert len([element for element in app.dataframe if element.key == "intervene_dice"]) == 0


def test_a_bad_upload_says_so_and_keeps_the_picture():
    app = opened(scan="your own file")
    before = message(app)["slice"]
    app.file_uploader(key="scan_file").upload("bad.nii", b"not an image")
    ran(app)
    assert "bad.nii" in app.error[0].value
    assert message(app)["slice"] == before


def test_the_code_of_the_page_makes_the_picture_of_the_page(slice_of_colin, monkeypatch):
    app = opened(intervene="encoder1:close,decoder2:off:without:3", intervene_structure="thalamus")
    app.session_state["export"] = True
    ran(app)
    code = next(element.value for element in app.code if "changes = {" in element.value)
    monkeypatch.chdir(export.__file__.partition("scse_viz/ui")[0])
    space: dict = {}
    exec(code, space)
    changed = np.count_nonzero(space["after"].labels != space["result"].labels)
    assert metric(app, "Changed pixels") == f"{changed:,}"
