"""A network dropped on the sidebar: opened without typing, on all pages, in its own session alone."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz import zoo
from scse_viz.ui.shell import cached
from scse_viz.ui.understand import health
from tests import smp_files
from tests.cards import TINY

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.{page} import page
try:
    sidebar.begin()
    page.page()
finally:
    sidebar.end()
"""


@pytest.fixture(scope="module")
def lungs(tmp_path_factory) -> bytes:
    """A .zip of save_pretrained: three channels, three classes, scSE."""
    folder = tmp_path_factory.mktemp("networks") / "lungs"
    smp_files.network(in_channels=3).save_pretrained(folder)
    return smp_files.zipped(folder)


def opened(page: str, file: tuple[str, bytes], **address: str) -> AppTest:
    app = AppTest.from_string(PAGE.format(page=page), default_timeout=240)
    app.query_params.update({"anatomy": "hippocampus", **address})
    app.run()
    app.file_uploader(key="network_files").upload(*file)
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.sidebar.caption, *app.sidebar.markdown)).replace("\\", "")


def test_a_network_is_chosen_once_it_is_open_and_says_how_it_reads_an_image(lungs):
    app = opened("explore", ("lungs.zip", lungs))
    assert app.selectbox(key="architecture").value == "lungs"
    assert "One gray slice fills all 3 channels: it is repeated 3 times." in said(app)
    assert "9 blocks, 3 classes" in said(app)
    assert "Never used by the network: decoder.blocks.4.attention1.attention." in said(app)
    assert app.selectbox(key="block").value.startswith("decoder.blocks.")


@pytest.mark.parametrize("page", ["compare", "intervene", "volume", "understand"])
def test_every_page_shows_it(page, lungs):
    app = opened(page, ("lungs.zip", lungs))
    assert not app.error
    assert "lungs" in str([element.value for element in (*app.selectbox, *app.sidebar.get("button_group"))])


def test_what_the_form_says_makes_another_network(lungs):
    app = opened("explore", ("lungs.zip", lungs))
    (form,) = {element.key.rpartition("_")[2] for element in app.text_area}
    app.text_area(key=f"network_classes_{form}").set_value("background, left #112233, right")
    app.selectbox(key=f"network_scaling_{form}").set_value("z-score")
    app.number_input(key=f"network_size_{form}").set_value(64)
    next(button for button in app.button if button.label == "Apply").click()
    app.run()
    assert not app.exception
    assert "The scan's mean becomes 0, its standard deviation 1." in said(app)
    assert "Slices are resized to 64 × 64 pixels." in said(app)
    app.text_area(key=f"network_classes_{form}").set_value("a, b, c, d")
    next(button for button in app.button if button.label == "Apply").click()
    app.run()
    assert "class 3 is named, and the network has classes 0 to 2" in app.sidebar.error[0].value


def test_a_file_of_as_many_volumes_fills_the_channels_of_a_network(tmp_path):
    app = opened("explore", ("trained.zip", two_channels(tmp_path)), scan="your own file")
    volumes = nib.Nifti1Image(np.random.default_rng(0).random((30, 40, 30, 2)).astype(np.float32), np.eye(4))
    app.file_uploader(key="scan_file").upload("two.nii", volumes.to_bytes())
    app.run()
    assert not app.exception
    assert app.selectbox(key="architecture").value == "tiny-unet-scse"
    assert "Networks of 2 channels see all volumes at once; the chosen one is drawn." in said(app)
    assert not [element.value for element in app.error if "volume" in element.value]


@pytest.mark.parametrize(
    ("page", "address", "variable"),
    [
        ("explore", {}, "inspection"),
        ("intervene", {}, "after"),
        ("understand", {"understand": "Gate health"}, "exams"),
    ],
)
def test_the_code_of_a_page_opens_the_network_again_and_runs(page, address, variable, lungs, tmp_path, monkeypatch):
    monkeypatch.setattr(health, "SLICES", 1)
    scan = nib.Nifti1Image(np.random.default_rng(0).random((40, 44, 3)).astype(np.float32), np.eye(4)).to_bytes()
    app = opened(page, ("lungs.zip", lungs), scan="your own file", **address)
    app.file_uploader(key="scan_file").upload("noise.nii", scan)
    app.session_state["export"] = True
    app.run()
    if page == "intervene":
        next(element for element in app.selectbox if element.key.startswith("intervene_decoder")).set_value("off").run()
    assert not app.exception
    (tmp_path / "lungs.zip").write_bytes(lungs)
    (tmp_path / "noise.nii").write_bytes(scan)
    monkeypatch.chdir(tmp_path)
    space: dict = {}
    exec(compile(app.code[-1].value, "exported", "exec"), space)
    assert space["card"].name == "lungs"
    assert space[variable] is not None
    assert space["result"].labels.shape == (44, 40)


def two_channels(tmp_path) -> bytes:
    card = replace(TINY, in_channels=2, channels=("T1", "T2"))
    zoo.save(card.network(seed=1), card, tmp_path / "trained")
    return smp_files.zipped(tmp_path / "trained")


def test_several_files_fill_the_channels_of_a_network_and_are_named_in_the_code(tmp_path):
    app = opened("explore", ("trained.zip", two_channels(tmp_path)), scan="your own file")
    random = np.random.default_rng(0)
    first, second, other = (
        nib.Nifti1Image(random.random((30, 40, planes)).astype(np.float32), np.eye(4)).to_bytes()
        for planes in (20, 20, 21)
    )
    app.file_uploader(key="scan_file").upload("t1.nii", first)
    app.run()
    assert "sees 2 at once (T1, T2); give a 4-D file of them, or as many scans" in app.error[0].value
    app.file_uploader(key="channel_files").upload("t2.nii", other)
    app.run()
    assert "t2.nii: has another grid than t1.nii; resample the scans to one grid" in app.sidebar.error[0].value.replace(
        "\\", ""
    )
    app = opened("explore", ("trained.zip", two_channels(tmp_path)), scan="your own file")
    app.file_uploader(key="scan_file").upload("t1.nii", first)
    app.run()
    app.file_uploader(key="channel_files").upload("t2.nii", second)
    app.session_state["export"] = True
    app.run()
    assert not app.exception
    assert not app.error
    assert "Channels: 1 t1.nii, 2 t2.nii." in said(app)
    assert "scan = stacked([read_scan(Path('t1.nii')), read_scan(Path('t2.nii'))])" in app.code[-1].value


def test_channels_that_the_form_names_are_scans_of_their_own(lungs):
    app = opened("explore", ("lungs.zip", lungs))
    (form,) = {element.key.rpartition("_")[2] for element in app.text_area}
    app.text_input(key=f"network_channels_{form}").set_value("T1, T2, FLAIR")
    next(button for button in app.button if button.label == "Apply").click()
    app.run()
    assert not app.exception
    assert "Each of the 3 channels is a scan: T1, T2, FLAIR." in said(app)
    app.text_input(key=f"network_channels_{form}").set_value("T1, T2")
    next(button for button in app.button if button.label == "Apply").click()
    app.run()
    assert "2 channels are named and in_channels is 3" in app.sidebar.error[0].value.replace("\\", "")


def test_a_refusal_is_one_sentence_and_the_shipped_networks_stay(tmp_path):
    path = smp_files.saved(smp_files.network(), tmp_path / "whole.pth")
    app = opened("explore", ("whole.pth", path.read_bytes()))
    (error,) = app.sidebar.error
    assert "holds Python objects" in error.value
    assert app.selectbox(key="architecture").value == "U-Net"


def test_a_network_of_another_session_is_not_there(lungs):
    opened("explore", ("lungs.zip", lungs))
    other = AppTest.from_string(PAGE.format(page="explore"), default_timeout=240).run()
    assert "lungs" not in other.selectbox(key="architecture").options


def test_a_network_that_had_to_go_is_opened_again(lungs):
    app = opened("explore", ("lungs.zip", lungs))
    for key in [key for key in cached.store._entries if "upload" in str(key)]:
        cached.store.drop(key)
    app.run()
    assert not app.exception
    assert app.selectbox(key="architecture").value == "lungs"


def test_a_network_of_ours_opens_by_its_card(tmp_path):
    card = zoo.save(TINY.network(seed=1), TINY, tmp_path / "trained")
    app = opened("explore", ("trained.zip", smp_files.zipped(tmp_path / "trained")))
    assert card.name in said(app)
    assert not app.text_area
