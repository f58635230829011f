"""The main job in a real browser: open, see maps, upload a scan, toggle variants, share the address."""

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.looks import ARTEFACTS, PATIENCE, ROOT, pixels_of


@dataclass
class Visit:
    """A page, and what it said and asked for while it was open."""

    page: Page
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    sent: list[float] = field(default_factory=list)  # messages to the server

    def watch(self) -> None:
        self.page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2].split(":")[0]))
        self.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(len(frame))))

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.drawn()

    def open_part(self, address: str, part: str, variants: Sequence[str]) -> None:
        query = "&".join(f"variants={variant}" for variant in variants)
        self.page.goto(f"{address}?{query}&compare_part={part.replace(' ', '+')}")
        expect(self.page.get_by_role("tab", name=part)).to_have_attribute("aria-selected", "true", timeout=PATIENCE)

    def drawn(self, columns: int | None = None) -> None:
        expect(self.page.locator(".panels[data-drawn]")).to_be_visible(timeout=PATIENCE)
        if columns is not None:
            expect(self.page.locator(".panels .head")).to_have_count(columns + 1, timeout=PATIENCE)
        expect(self.page.get_by_test_id("stSpinner")).to_have_count(0, timeout=PATIENCE)
        self.page.wait_for_timeout(300)  # a frame or two

    def map(self, name: str) -> np.ndarray:
        """The pixels (N, 4) of the panel whose alternative text begins with a name."""
        canvas = self.page.locator(f"canvas.map[aria-label^='{name}']")
        return pixels_of(canvas)

    def picture(self, name: str) -> np.ndarray:
        """The same as rows and columns, (height, width, 4)."""
        canvas = self.page.locator(f"canvas.map[aria-label^='{name}']")
        height = canvas.evaluate("canvas => canvas.height")
        return pixels_of(canvas).reshape(height, -1, 4)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    seen = Visit(page)
    seen.watch()
    yield seen
    context.close()
    assert seen.errors == []
    assert {host for host in seen.hosts if host} <= {"127.0.0.1"}


def voxel_of(place: Locator) -> list[int]:
    return [int(index) for index in re.findall(r"\d+", place.inner_text().partition(")")[0])]


def digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


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


def test_pointing_reads_the_same_place_in_every_panel(visit, address):
    visit.open(f"{address}?variants=sSE&variants=scSE&blocks=encoder1&axial=80")
    visit.drawn(columns=2)
    visit.page.locator("canvas.map[aria-label^='sSE, encoder1']").hover()
    expect(visit.page.locator(".place")).to_contain_text("voxel (90, 108, 80) · mm (", timeout=PATIENCE)
    expect(visit.page.locator(".caption.here", has_text="gate 0.")).to_have_count(2)


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


@pytest.mark.parametrize("format", ["png", "svg"])
def test_the_panels_are_saved_as_a_picture(visit, address, format, tmp_path):
    visit.open(f"{address}?variants=sSE&variants=scSE&blocks=encoder1")
    visit.drawn(columns=2)
    with visit.page.expect_download(timeout=PATIENCE) as download:
        visit.page.locator(f".bar button[name={format}]").click()
    file = tmp_path / f"maps.{format}"
    download.value.save_as(file)
    if format == "svg":
        text = file.read_text(encoding="utf-8")
        assert text.count("<image") >= 5  # slice, two predictions, two maps
        assert ">scSE</text>" in text
        assert ">encoder1</text>" in text
    else:
        with Image.open(file) as picture:
            assert picture.width >= 1500
            assert len(picture.convert("RGB").resize((200, 200)).getcolors(40_000)) > 500


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
    turned, kept = (np.abs(before[inner].astype(int) - each[inner]).mean() for each in (after[:, ::-1], after))
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
        assert said[row] == (min(float(each[1]) for each in ranges), max(float(each[2]) for each in ranges))
    visit.page.wait_for_url("**range=block**", timeout=PATIENCE)


def test_a_flat_gate_says_so_below_its_panel(visit, address):
    visit.open(f"{address}?variants=sSE&blocks=encoder1&blocks=decoder1&axial=80")
    visit.drawn(columns=1)
    expect(visit.page.locator(".flat")).to_have_count(1)
    expect(visit.page.locator(".flat")).to_contain_text("1.00: the gate passes nearly everything")
