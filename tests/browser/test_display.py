"""The panels of Compare in a real browser: opacity, colours, convention and what is read change without a request."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.looks import PATIENCE
from tests.browser.visits import digest, voxel_of


def test_opacity_changes_pixels_before_anything_is_sent(visit, address):
    visit.open(f"{address}?variants=scSE&blocks=encoder1")
    visit.drawn(columns=1)
    before, sent = digest(visit.map("scSE, encoder1")), len(visit.sent)
    visit.page.locator("input[name=opacity]").evaluate(
        """input => new Promise(done => {
            input.value = 10;
            input.dispatchEvent(new Event('input', {bubbles: true}));
            requestAnimationFrame(() => requestAnimationFrame(done));
        })"""
    )
    assert len(visit.sent) == sent
    assert digest(visit.map("scSE, encoder1")) != before


def test_pointing_reads_the_same_place_in_every_panel(visit, address):
    visit.open(f"{address}?variants=sSE&variants=scSE&blocks=encoder1&axial=80")
    visit.drawn(columns=2)
    visit.page.locator("canvas.map[aria-label^='sSE, encoder1']").hover()
    expect(visit.page.locator(".place")).to_contain_text("voxel (90, 108, 80) · mm (", timeout=PATIENCE)
    expect(visit.page.locator(".caption.here", has_text="gate 0.")).to_have_count(2)


def test_the_radiological_convention_mirrors_panels_letters_and_what_is_read(visit, address):
    visit.open(f"{address}?variants=sSE&blocks=encoder1&axial=80")
    visit.drawn(columns=1)
    panel = visit.page.locator("canvas.map[aria-label^='sSE, encoder1']")
    panel.hover(position={"x": 30, "y": 100})
    place = visit.page.locator(".panels .place")
    expect(place).to_contain_text("voxel (", timeout=PATIENCE)
    voxel = voxel_of(place)
    width = panel.bounding_box()["width"]
    before = visit.picture("sSE, encoder1")
    visit.page.get_by_test_id("stSidebar").get_by_text("radiological", exact=True).click()
    visit.page.wait_for_url("**convention=radiological**", timeout=PATIENCE)
    expect(visit.page.locator(".convention")).to_have_text("radiological: right is drawn left", timeout=PATIENCE)
    visit.drawn(columns=1)
    panel.hover(position={"x": width - 30, "y": 100})
    visit.page.wait_for_timeout(300)
    assert voxel_of(place) == pytest.approx(voxel, abs=1)  # a panel's width is no whole number of pixels
    after = visit.picture("sSE, encoder1")
    inner = (slice(20, -20), slice(20, -20))  # without the letters at the edges
    turned, kept = (np.abs(before[inner].astype(int) - pixels[inner]).mean() for pixels in (after[:, ::-1], after))
    assert turned < 0.4 * kept


def test_gates_are_stretched_by_block_without_a_request_and_named_at_the_scale(visit, address):
    visit.open(f"{address}?variants=sSE&variants=scSE&blocks=encoder1&blocks=encoder2&axial=80")
    visit.drawn(columns=2)
    before, sent = digest(visit.map("sSE, encoder1")), len(visit.sent)
    keys = visit.page.locator(".stretched")
    expect(keys.first).to_be_hidden()
    visit.page.locator("select[name=range]").evaluate(
        """select => new Promise(done => {
            select.value = 'block';
            select.dispatchEvent(new Event('input', {bubbles: true}));
            requestAnimationFrame(() => requestAnimationFrame(done));
        })"""
    )
    assert len(visit.sent) == sent
    assert digest(visit.map("sSE, encoder1")) != before
    said = [tuple(map(float, keys.nth(row).locator("span").all_inner_texts())) for row in range(2)]
    for row, block in enumerate(("encoder1", "encoder2")):  # the row's range is that of its gates together
        texts = visit.page.locator(f"canvas.map[aria-label*='SE, {block}: spatial']").evaluate_all(
            "canvases => canvases.map(canvas => canvas.ariaLabel)"
        )
        ranges = [re.search(r"(\d\.\d+) to (\d\.\d+)", text) for text in texts]
        assert len(ranges) == 2
        assert said[row] == (min(float(limits[1]) for limits in ranges), max(float(limits[2]) for limits in ranges))
    visit.page.wait_for_url("**range=block**", timeout=PATIENCE)


def test_a_flat_gate_says_so_below_its_panel(visit, address):
    visit.open(f"{address}?variants=sSE&blocks=encoder1&blocks=decoder1&axial=80")
    visit.drawn(columns=1)
    expect(visit.page.locator(".flat")).to_have_count(1)
    expect(visit.page.locator(".flat")).to_contain_text("1.00: the gate passes nearly everything")


@pytest.mark.parametrize("format", ["png", "svg"])
def test_the_panels_are_saved_as_a_picture(visit, address, format, tmp_path):
    visit.open(f"{address}?variants=sSE&variants=scSE&blocks=encoder1&convention=radiological")
    visit.drawn(columns=2)
    with visit.page.expect_download(timeout=PATIENCE) as download:
        visit.page.locator(f".bar button[name={format}]").click()
    file = tmp_path / f"maps.{format}"
    download.value.save_as(file)
    if format == "svg":
        text = file.read_text(encoding="utf-8")
        assert text.count("<image") >= 5  # slice, two predictions, two maps
        assert ">scSE</text>" in text
        assert ">radiological: right is drawn left</text>" in text
        assert ">encoder1</text>" in text
        assert text.count("<text") == text.count("textLength=")  # in another font too, words end where they do here
        assert "Point at a panel" not in text
    else:
        with Image.open(file) as picture:
            assert picture.width >= 1500
            assert len(picture.convert("RGB").resize((200, 200)).getcolors(40_000)) > 500
