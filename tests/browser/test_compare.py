"""The main job in a real browser: open, see maps, upload a scan, toggle variants, share the address."""

import re
import shutil

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.looks import ARTEFACTS, PATIENCE, ROOT
from tests.browser.visits import Visit, digest


def test_the_first_visit_shows_maps(visit, address, request):
    visit.open(address)
    visit.drawn(columns=4)
    for name in ("none, prediction", "none, encoder1", "sSE, bottleneck", "scSE, decoder1"):
        colours = np.unique(visit.map(name), axis=0)
        assert len(colours) > 20, f"{name} is blank"
    ARTEFACTS.mkdir(exist_ok=True)
    picture = ARTEFACTS / "compare.png"
    visit.page.set_viewport_size({"width": 1440, "height": 1250})  # as far as the first maps
    visit.drawn(columns=4)
    visit.page.screenshot(path=picture)
    if request.config.getoption("--update-screenshot", default=False):
        (ROOT / "docs").mkdir(exist_ok=True)
        shutil.copyfile(picture, ROOT / "docs" / "screenshot.png")


def test_upload_toggle_and_share(visit, browser, address, tmp_path):
    scan = tmp_path / "ball.nii.gz"
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 48)] * 3, indexing="ij"))
    ball = np.linalg.norm(grid, axis=0)
    nib.save(nib.Nifti1Image(((ball < 0.9) * 60 + (ball < 0.5) * 40).astype(np.float32), np.diag([1, 1, 2, 1])), scan)
    visit.open(f"{address}?scan=your+own+file&variants=sSE&variants=scSE&plane=coronal")
    visit.page.locator(".st-key-scan_file input[type=file]").set_input_files(scan)
    expect(visit.page.get_by_role("heading", name="ball.nii.gz")).to_be_visible(timeout=PATIENCE)
    visit.drawn(columns=2)
    both = [digest(visit.map(f"{variant}, encoder2")) for variant in ("sSE", "scSE")]
    assert both[0] != both[1]
    toggle = visit.page.get_by_test_id("stSidebar").get_by_text("none", exact=True)
    toggle.click()
    visit.drawn(columns=3)
    assert digest(visit.map("none, encoder2")) not in both
    toggle.click()
    visit.drawn(columns=2)
    visit.page.get_by_test_id("stSidebar").get_by_text("sSE", exact=True).click()
    visit.drawn(columns=1)
    assert "variants=scSE" in visit.page.url
    assert "variants=sSE" not in visit.page.url


def test_the_address_restores_the_view_elsewhere(visit, browser, address):
    visit.open(f"{address}?variants=sSE&variants=scSE&plane=coronal&coronal=100&blocks=encoder2")
    visit.drawn(columns=2)
    before = digest(visit.map("scSE, encoder2"))
    opacity = visit.page.locator("input[name=opacity]")
    opacity.fill("25")
    visit.page.wait_for_url("**opacity=25**", timeout=PATIENCE)
    changed = digest(visit.map("scSE, encoder2"))
    assert changed != before
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    elsewhere = Visit(context.new_page())
    elsewhere.open(visit.page.url)
    elsewhere.drawn(columns=2)
    assert digest(elsewhere.map("scSE, encoder2")) == changed
    context.close()


def test_what_is_out_of_sight_is_drawn_when_it_comes_near_and_nothing_is_drawn_twice(visit, address):
    visit.page.add_init_script(
        """window.drawn = [];
        const draw = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (...how) {
            if (this.canvas.isConnected) window.drawn.push(this.canvas.getAttribute('aria-label'));
            return draw.apply(this, how);
        };"""
    )
    visit.open(f"{address}?variants=sSE&variants=scSE")
    visit.drawn(columns=2)
    names = visit.page.evaluate("window.drawn")
    assert any(name.startswith("sSE, prediction") for name in names)
    assert not any("decoder1" in name for name in names)
    last = visit.page.locator("canvas.map[aria-label^='sSE, decoder1']")
    last.scroll_into_view_if_needed()
    visit.page.wait_for_function("window.drawn.some(name => name.startsWith('sSE, decoder1'))", timeout=PATIENCE)
    visit.page.evaluate("window.drawn.length = 0")
    visit.page.get_by_text("Export: numbers").click()  # the page runs, and its maps are the same
    expect(visit.page.get_by_role("button", name="Report (HTML)")).to_be_visible(timeout=PATIENCE)
    visit.page.wait_for_timeout(500)
    assert visit.page.evaluate("window.drawn") == []


def test_keys_switch_variants_and_nothing_moves(visit, address):
    visit.open(f"{address}?blocks=encoder1")
    visit.drawn(columns=4)
    canvas = visit.page.locator("canvas.map[aria-label^='none, encoder1']")
    before = canvas.bounding_box()
    for key in "3443":  # faster than the page runs; each counts
        visit.page.keyboard.press(key)
    visit.page.keyboard.press("4")
    visit.drawn(columns=3)
    expect(visit.page.locator(".panels .head")).to_have_text(["slice", "none", "cSE", "sSE"], timeout=PATIENCE)
    assert canvas.bounding_box() == pytest.approx(before, abs=0.5)
    visit.page.get_by_test_id("stSidebar").get_by_role("combobox").first.focus()
    visit.page.keyboard.press("1")  # a field has its own use for it
    visit.page.wait_for_timeout(1000)
    expect(visit.page.locator(".panels .head")).to_have_count(4)


def test_differences_and_disagreement_are_drawn_and_read(visit, address):
    visit.open(f"{address}?variants=sSE&variants=scSE&blocks=encoder1&compare_minus=sSE&axial=80")
    visit.drawn(columns=2)
    expect(visit.page.locator(".kinds figcaption")).to_have_text(["difference of gates", "networks that differ"])
    for name in ("scSE, encoder1 minus sSE", "Where the 2 networks disagree", "sSE, disagreement"):
        assert len(np.unique(visit.map(name), axis=0)) > 20, f"{name} is blank"
    visit.page.locator("canvas.map[aria-label^='scSE, encoder1 minus sSE']").hover()
    expect(visit.page.locator(".caption.here", has_text="difference")).to_have_count(1)
    expect(visit.page.locator(".caption.here", has_text=re.compile("all agree|1 of 2 differ"))).to_have_count(1)


def test_an_address_that_names_the_page_leads_to_it(page, address):
    page.goto(f"{address}compare?variants=scSE&blocks=encoder1&opacity=40")
    expect(page.locator(".panels .head")).to_have_text(["slice", "scSE"], timeout=PATIENCE)
    expect(page.locator("input[name=opacity]")).to_have_value("40")


def test_two_scans_share_the_display(visit, address):
    visit.page.goto(f"{address}?variants=scSE&blocks=encoder1&compare_second=true")
    expect(visit.page.locator(".panels[data-drawn]")).to_have_count(2, timeout=PATIENCE)
    visit.page.wait_for_timeout(1000)
    opacities = visit.page.locator("input[name=opacity]")
    opacities.first.fill("30")
    expect(opacities.last).to_have_value("30")
    visit.page.wait_for_url("**opacity=30**", timeout=PATIENCE)


def test_gates_are_compared_in_numbers(visit, address):
    visit.open_part(address, "Gates", variants=["cSE", "sSE", "scSE"])
    charts = visit.page.get_by_test_id("stPlotlyChart")
    expect(charts.locator(".heatmaplayer")).to_have_count(12, timeout=PATIENCE)  # three, and one for each block
    visit.page.screenshot(path=ARTEFACTS / "compare-gates.png")
