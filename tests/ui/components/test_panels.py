"""What a page tells the panels: the sides of the slice, the scale of gates, and flat gates in words."""

from dataclasses import replace

import pytest

from scse_viz import zoo
from scse_viz.rendering.panels import Panel
from scse_viz.scans import read_scan, samples
from scse_viz.ui.components.panels import panels
from scse_viz.ui.shell.address import PanelDisplay, read_display
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.source import Source
from tests.packed import header_of


@pytest.fixture(scope="module")
def view() -> View:
    return View(Source(read_scan(samples.samples()["icbm2009a"].scan)), "coronal", 100, zoo.cards())


def header(view: View, *cells: Panel) -> dict:
    panels.st.session_state["first_display"] = PanelDisplay()
    packed = panels.message(view, columns={}, rows=[panels.Row("encoder1", "", cells)], structures=())
    return header_of(packed)


def test_a_mirrored_slice_has_the_letters_of_the_sides_that_are_drawn(view):
    told = header(view)["slice"]
    assert (told["letters"], told["mirrored"]) == (["S", "R", "I", "L"], False)
    told = header(replace(view, radiological=True))["slice"]
    assert (told["letters"], told["mirrored"]) == (["S", "L", "I", "R"], True)
    assert told["convention"] == "radiological: right is drawn left"


def test_a_sagittal_slice_is_never_mirrored(view):
    told = header(replace(view, radiological=True, plane="sagittal"))["slice"]
    assert not told["mirrored"]
    assert told["letters"] == header(replace(view, plane="sagittal"))["slice"]["letters"]
    assert told["convention"] == "sagittal: alike in both conventions"


def test_an_image_without_directions_is_never_mirrored_and_names_no_convention(view):
    unknown = replace(view, source=Source(replace(view.scan, oriented=False)), radiological=True)
    told = header(unknown)["slice"]
    assert (told["mirrored"], told["convention"], told["letters"]) == (False, "", None)


def test_a_voxel_is_the_same_in_both_conventions(view):
    assert header(view)["voxel"] == header(replace(view, radiological=True))["voxel"]


def test_the_range_of_gates_is_kept_in_the_address_and_only_a_known_one():
    assert read_display({"range": "block"}) == (PanelDisplay(range="block"), [])
    assert read_display({"range": "all"}) == (PanelDisplay(), ["range"])


def test_a_flat_gate_is_told_in_words_beside_its_caption(view):
    cell = header(view, Panel("gate", "", span=(1, 1), mean=1.0, flat="1.00 at every pixel"))["rows"][0]["cells"][0]
    assert cell["flat"] == "1.00 at every pixel"
    assert cell["caption"] == "mean gate 1.00"
