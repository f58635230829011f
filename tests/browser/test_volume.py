"""Volume in a real browser: run a plane, jump by a click, three planes that follow one another, a head in space."""

import io
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.looks import ARTEFACTS, PATIENCE

NO_WEBGL = """
const context = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return kind === "webgl2" ? null : context.call(this, kind, ...rest);
};
"""


@pytest.fixture
def scan(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A ball with a core off the middle, 40 x 44 x 24 voxels: one of each test's own, since runs are shared."""
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in (40, 44, 24)), indexing="ij"))
    core = np.linalg.norm(grid - np.array([0.3, 0.2, 0]).reshape(3, 1, 1, 1), axis=0) < 0.4
    noise = np.random.default_rng(zlib.crc32(request.node.name.encode())).random(core.shape)
    voxels = (np.linalg.norm(grid, axis=0) < 0.9) * 60 + core * 40 + noise
    path = tmp_path / "ball.nii.gz"
    nib.save(nib.Nifti1Image(voxels.astype(np.float32), np.diag([1, 1, 2, 1])), path)
    return path


def opened(page: Page, address: str, scan: Path, **keys: str) -> None:
    page.goto(f"{address}volume?scan=your+own+file&" + "&".join(f"{key}={value}" for key, value in keys.items()))
    settled(page)  # else the upload interrupts the first run, and the address loses what that had not come to
    page.locator(".st-key-scan_file input[type=file]").set_input_files(scan, timeout=PATIENCE)
    expect(page.locator("canvas.map[aria-label^='ball.nii.gz']")).to_be_visible(timeout=PATIENCE)
    settled(page)


def settled(page: Page) -> None:
    expect(page.locator(".panels[data-drawn]")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(500)  # a frame or two


def run(page: Page) -> None:
    page.get_by_role("button", name="Run 24 slices").click()
    expect(page.get_by_text("All 24 axial slices are done")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".js-plotly-plot .nsewdrag").first).to_be_visible(timeout=PATIENCE)


def viewer(page: Page, layers: int) -> None:
    """Wait until the viewer is on the screen and has drawn so many volumes."""
    page.locator(".solid").scroll_into_view_if_needed(timeout=PATIENCE)
    page.wait_for_function(
        "layers => document.querySelector('[data-testid=stMain]') && [...document.querySelectorAll('*')].some(host => "
        "host.shadowRoot?.querySelector('.solid[data-drawn]')?.dataset.drawn.split(',').length === layers)",
        arg=layers,
        timeout=PATIENCE,
    )


def click_plane(page: Page, across: float, down: float) -> None:
    """Click in the viewer, at shares of its width and height."""
    box = page.locator(".solid canvas").bounding_box()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def test_a_run_then_a_click_on_a_cell_goes_to_its_slice(page, address, scan):
    opened(page, address, scan, block="encoder2", axial="12")
    run(page)
    cells = page.locator(".js-plotly-plot .nsewdrag").first
    cells.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # the page has run again at the end of the run
    box = cells.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 5.5 / 24, box["y"] + box["height"] * 0.5)
    expect(page.locator(".hoverlayer .hovertext").first).to_contain_text("slice 5", timeout=PATIENCE)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url("**axial=5**", timeout=PATIENCE)
    expect(page.get_by_role("heading", name="axial slice 5")).to_be_visible(timeout=PATIENCE)
    settled(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**axial=6**", timeout=PATIENCE)


def test_planes_follow_a_click_in_one_and_show_map_and_prediction(page, address, scan):
    opened(page, address, scan, block="encoder2", axial="12", sagittal="20", coronal="22")
    run(page)
    viewer(page, layers=3)
    place = page.locator(".solid .place")
    expect(place).to_contain_text("voxel (20, 22, 12) · encoder2, spatial gate 0.", timeout=PATIENCE)
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "volume.png", timeout=PATIENCE)
    click_plane(page, 0.3, 0.75)  # in the axial plane, at the lower left: rows go posterior
    expect(place).not_to_contain_text("voxel (20, 22, 12)", timeout=PATIENCE)
    said = place.inner_text().split(")")[0].removeprefix("voxel (").split(", ")
    assert said[2] == "12"
    page.wait_for_url(f"**sagittal={said[0]}**", timeout=PATIENCE)
    page.wait_for_url(f"**coronal={said[1]}**", timeout=PATIENCE)
    expect(page.locator(".panels .place")).to_contain_text(f"voxel ({', '.join(said)})", timeout=PATIENCE)


def test_a_click_in_the_slice_moves_the_planes_and_the_display_is_in_the_address(page, address, scan):
    opened(page, address, scan, axial="12", sagittal="20", coronal="22", volume_display="axial,90,60,0,0,1,1,0")
    slice_ = page.locator("canvas.map[aria-label^='ball.nii.gz']")
    box = slice_.bounding_box()  # 40 columns and 44 rows of 1 mm
    slice_.click(position={"x": box["width"] * 10.5 / 40, "y": box["height"] * 8.5 / 44})
    page.wait_for_url("**sagittal=10**", timeout=PATIENCE)
    page.wait_for_url("**coronal=35**", timeout=PATIENCE)
    viewer(page, layers=1)
    expect(page.locator(".solid .place")).to_have_text("voxel (10, 35, 12)", timeout=PATIENCE)
    assert page.locator(".solid [name=show]").input_value() == "axial"
    assert page.locator(".solid [name=scan]").input_value() == "90"
    page.locator(".solid [name=scan]").fill("40")
    page.wait_for_url("**volume_display=axial*40*60*0*0*1*1*0**", timeout=PATIENCE)


def test_the_crosshair_stays_in_its_voxel_when_another_scan_comes(page, address, scan):
    page.goto(f"{address}volume?volume_display=axial,100,60,0,0,1,1,0&axial=12&sagittal=20&coronal=22")
    settled(page)
    viewer(page, layers=1)
    place = page.locator(".solid .place")
    expect(place).to_have_text("voxel (20, 22, 12)", timeout=PATIENCE)
    page.get_by_role("combobox", name="Scan").click()
    page.get_by_role("option", name="your own file").click()
    page.locator(".st-key-scan_file input[type=file]").set_input_files(scan, timeout=PATIENCE)
    expect(page.locator("canvas.map[aria-label^='ball.nii.gz']")).to_be_visible(timeout=PATIENCE)
    viewer(page, layers=1)
    expect(page.locator(".solid canvas[aria-label^='ball.nii.gz']")).to_be_visible(timeout=PATIENCE)
    settled(page)
    expect(place).to_have_text("voxel (20, 22, 12)", timeout=PATIENCE)


def test_the_wheel_is_the_pages_until_a_click_then_goes_through_slices_and_zooms_with_control(page, address, scan):
    opened(page, address, scan, axial="12", sagittal="20", coronal="22")
    viewer(page, layers=1)
    canvas, place = page.locator(".solid canvas[aria-label^='ball.nii.gz']"), page.locator(".solid .place")
    expect(place).to_have_text("voxel (20, 22, 12)", timeout=PATIENCE)
    before = canvas.bounding_box()
    page.mouse.move(before["x"] + 0.3 * before["width"], before["y"] + 0.3 * before["height"])  # in the coronal plane
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(1000)
    assert canvas.bounding_box()["y"] == before["y"] + 100
    expect(place).to_have_text("voxel (20, 22, 12)")
    click_plane(page, 0.3, 0.3)
    expect(place).not_to_have_text("voxel (20, 22, 12)", timeout=PATIENCE)
    said = place.inner_text()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_timeout(1000)
    expect(place).to_have_text(said)
    page.mouse.wheel(0, 100)
    expect(place).to_have_text(said.replace(", 22,", ", 23,"), timeout=PATIENCE)
    page.wait_for_url("**coronal=23**", timeout=PATIENCE)
    assert canvas.bounding_box()["y"] == before["y"] + 100


def test_the_viewer_is_drawn_down_to_its_end_when_its_top_is_scrolled_away(page, address, scan):
    opened(page, address, scan, axial="12", volume_display="axial,100,60,0,0,1,1,0")
    page.add_style_tag(content="[data-testid=stMainBlockContainer] { padding-bottom: 1000px !important; }")
    viewer(page, layers=1)
    canvas = page.locator(".solid canvas")
    page.get_by_test_id("stMain").evaluate("(main, y) => main.scrollBy(0, y + 200)", canvas.bounding_box()["y"])
    page.wait_for_timeout(2000)
    box = canvas.bounding_box()
    assert box["y"] == pytest.approx(-200, abs=1)
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot(timeout=PATIENCE))).convert("L"))
    end, middle = round(box["y"] + box["height"]), round(box["x"] + box["width"] / 2)
    assert (shot[end - 180 : end - 100, middle - 20 : middle + 20].mean(axis=1) > 40).all()  # in the ball


def test_without_webgl_the_page_says_so_and_works(page, address, scan):
    page.add_init_script(NO_WEBGL)
    opened(page, address, scan, block="encoder2")
    expect(page.locator(".solid")).to_contain_text("This browser offers no WebGL2", timeout=PATIENCE)
    run(page)


def test_the_planes_follow_the_radiological_convention_and_a_click_in_them_stays_right(page, address, scan):
    opened(page, address, scan, axial="12", sagittal="20", coronal="22", convention="radiological")
    viewer(page, layers=1)
    place = page.locator(".solid .place")
    expect(place).to_have_text("voxel (20, 22, 12)", timeout=PATIENCE)
    expect(page.locator(".solid .convention")).to_have_text("radiological: right is drawn left")
    slice_ = page.locator("canvas.map[aria-label^='ball.nii.gz']")
    box = slice_.bounding_box()  # 40 columns and 44 rows of 1 mm
    slice_.click(position={"x": box["width"] * 10.5 / 40, "y": box["height"] * 8.5 / 44})
    page.wait_for_url("**sagittal=29**", timeout=PATIENCE)
    page.wait_for_url("**coronal=35**", timeout=PATIENCE)
    viewer(page, layers=1)
    expect(place).to_have_text("voxel (29, 35, 12)", timeout=PATIENCE)
    settled(page)
    click_plane(page, 0.3, 0.3)  # in the coronal plane; its left is the right of the head
    expect(place).not_to_contain_text("voxel (29,", timeout=PATIENCE)
    right = int(place.inner_text().removeprefix("voxel (").split(",")[0])
    page.keyboard.press("ArrowLeft")
    expect(place).to_contain_text(f"voxel ({right + 1},", timeout=PATIENCE)
