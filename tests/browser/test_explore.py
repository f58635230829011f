"""Explore in a real browser: open a block, look at a channel, pick a pixel, share the view."""

import hashlib

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.looks import ARTEFACTS, PATIENCE, pixels_of


def opened(page: Page, address: str) -> None:
    page.goto(address)
    settled(page)


def settled(page: Page) -> None:
    for component in (".network", ".panels"):
        expect(page.locator(f"{component}[data-drawn]")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(500)  # a frame or two


def stage(page: Page, name: str) -> Locator:
    return page.locator(f".network button[data-stage={name}]")


def chosen(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible(timeout=PATIENCE)
    expect(stage(page, name)).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
    settled(page)


def digest(canvas: Locator) -> str:
    return hashlib.sha256(pixels_of(canvas).tobytes()).hexdigest()


def names(page: Page) -> list[str]:
    return page.locator(".panels .name").all_inner_texts()


def test_a_click_on_a_block_opens_it_large(page, address):
    opened(page, f"{address}explore?variant=scSE&axial=80")
    for name in ("encoder1", "bottleneck", "decoder2"):
        colours = np.unique(pixels_of(stage(page, name).locator("canvas")), axis=0)
        assert len(colours) > 20, f"{name} is blank"
    stage(page, "encoder3").click()
    chosen(page, "encoder3")
    page.wait_for_url("**block=encoder3**", timeout=PATIENCE)
    assert names(page)[0] == "encoder3: spatial gate"
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "explore.png")


def test_the_network_is_walked_with_the_keyboard(page, address):
    opened(page, f"{address}explore?variant=sSE&block=encoder4")
    stage(page, "encoder4").focus()
    page.keyboard.press("ArrowRight")
    expect(stage(page, "bottleneck")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    chosen(page, "decoder4")
    expect(stage(page, "decoder4")).to_be_focused()


def test_a_bar_and_a_pixel_are_clicked_and_a_link_restores_both(page, browser, address):
    opened(page, f"{address}explore?variant=scSE&block=encoder2&axial=80")
    first = names(page)
    bars = page.locator(".st-key-explore_weights .plot-container .point path")
    bars.nth(5).scroll_into_view_if_needed()
    box = bars.nth(5).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3)
    expect(page.locator(".panels .name").last).not_to_have_text(first[-1], timeout=PATIENCE)
    settled(page)
    page.locator(".panels canvas.map").first.click(position={"x": 200, "y": 300})
    expect(page.get_by_text("the pixel you picked")).to_be_visible(timeout=PATIENCE)
    settled(page)
    page.wait_for_url("**explore_channel=**", timeout=PATIENCE)
    page.wait_for_url("**point=**", timeout=PATIENCE)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    elsewhere = context.new_page()
    opened(elsewhere, page.url)
    assert names(elsewhere) == names(page)
    expect(elsewhere.get_by_text("the pixel you picked")).to_be_visible()
    page.mouse.move(0, 0)
    for there in (page, elsewhere):
        there.wait_for_timeout(300)
    assert digest(page.locator(".panels canvas.map").last) == digest(elsewhere.locator(".panels canvas.map").last)
    context.close()


def test_the_crosshair_is_moved_and_set_with_the_keyboard(page, address):
    opened(page, f"{address}explore?variant=sSE&axial=80&point=100,90")
    page.locator(".panels .grid").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_text("Voxel (92, 115, 80)")).to_be_visible(timeout=PATIENCE)
    page.wait_for_url("**point=101%2C92**", timeout=PATIENCE)


def test_opacity_reaches_the_drawing_before_anything_is_sent(page, address):
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(len(frame))))
    opened(page, f"{address}explore?variant=sSE")
    before, messages = digest(stage(page, "encoder1").locator("canvas")), len(sent)
    page.locator("input[name=opacity]").evaluate(
        """input => new Promise(done => {
            input.value = 10;
            input.dispatchEvent(new Event('input', {bubbles: true}));
            requestAnimationFrame(() => requestAnimationFrame(done));
        })"""
    )
    assert len(sent) == messages
    assert digest(stage(page, "encoder1").locator("canvas")) != before


def test_a_zoom_and_a_pixel_at_almost_the_same_moment_are_both_in_the_address(page, address):
    opened(page, f"{address}explore?variant=sSE&axial=80")
    page.locator("button[name=in]").click()
    page.locator(".panels canvas.map").first.click(position={"x": 200, "y": 300})
    expect(page.get_by_text("the pixel you picked")).to_be_visible(timeout=PATIENCE)
    page.wait_for_url(lambda url: "zoom=1.5" in url and "point=" in url, timeout=PATIENCE)


@pytest.mark.parametrize("width", [900, 1440])
def test_no_block_covers_another_or_leaves_the_page(width, page, address):
    page.set_viewport_size({"width": width, "height": 1000})
    opened(page, f"{address}explore?variant=cSE")
    boxes = [canvas.bounding_box() for canvas in page.locator(".network .stage canvas").all()]
    assert len(boxes) == 11
    for one, box in enumerate(boxes):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        for other in boxes[one + 1 :]:
            apart = (
                box["x"] + box["width"] <= other["x"]
                or other["x"] + other["width"] <= box["x"]
                or box["y"] + box["height"] <= other["y"]
                or other["y"] + other["height"] <= box["y"]
            )
            assert apart
