"""Intervene in a real browser: switch a gate off and see pixels change, click a channel away, take all of it back."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Locator, Page, expect

from tests.browser.looks import ARTEFACTS, PATIENCE, pixels_of

VIEW = "intervene?plane=axial&axial=80&block=encoder1"


def visit(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_text("Export: numbers")).to_be_visible(timeout=PATIENCE)
    rested(page)


def rested(page: Page) -> None:
    expect(page.locator(".panels[data-drawn]").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(500)  # a frame or two


def plan(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("intervene", [""])[0]


def becomes(page: Page, wanted: str) -> None:
    """Wait until the address has a plan."""
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("intervene", [""])[0] == wanted, timeout=PATIENCE)
    rested(page)


def expect_changed(page: Page, count: str) -> None:
    """Waits until the number of changed pixels matches a regular expression."""
    metric = page.get_by_test_id("stMetric").filter(has_text="Changed pixels").get_by_test_id("stMetricValue")
    expect(metric).to_have_text(re.compile(rf"^{count}$"), timeout=PATIENCE)


def pixels(page: Page, name: str) -> np.ndarray:
    return pixels_of(page.locator(f"canvas.map[aria-label^='{name}']"))


def click_bar(page: Page, chart: Locator, number: int) -> None:
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("[data-stale=true]")).to_have_count(0, timeout=PATIENCE)
    bar = chart.locator(".barlayer .point path").nth(number)
    expect(bar).to_be_visible(timeout=PATIENCE)
    chart.scroll_into_view_if_needed()
    before, box = None, bar.bounding_box()
    for _ in range(100):  # the chart is drawn anew after every change: until it lies still
        if box is not None and box == before:
            break
        page.wait_for_timeout(500)
        before, box = box, bar.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] - 3
    page.mouse.move(x, y)
    page.wait_for_timeout(300)  # plotly finds what is under the pointer before it is clicked
    page.mouse.click(x, y)


def test_a_gate_switched_off_changes_pixels_and_is_in_the_address(page, address):
    visit(page, address + VIEW)
    expect_changed(page, "0")
    before, after = pixels(page, "before, prediction"), pixels(page, "after, prediction")
    np.testing.assert_array_equal(before, after)
    page.get_by_test_id("stSelectbox").filter(has_text="decoder2").locator("input").click()
    page.get_by_role("option", name="off", exact=True).click()
    becomes(page, "decoder2:off")
    expect(page.get_by_text("Changed: decoder2 off")).to_be_visible()
    expect_changed(page, r"[1-9][\d,]*")
    expect(page.locator("canvas.map[aria-label^='Changed pixels: 0']")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(300)  # the panels of a message are drawn a frame or two after it comes
    np.testing.assert_array_equal(pixels(page, "before, prediction"), before)
    assert (pixels(page, "after, prediction") != before).any()
    assert len(np.unique(pixels(page, "Changed pixels").reshape(-1, 4), axis=0)) > 20
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "intervene.png")


def test_channels_are_clicked_away_and_back(page, address):
    visit(page, address + VIEW)
    chart = page.locator("[class*=st-key-intervene_bars]:visible")
    for number, wanted in ((3, "encoder1:without:3"), (5, "encoder1:without:3.5"), (5, "encoder1:without:3"), (3, "")):
        click_bar(page, chart, number)
        becomes(page, wanted)
    expect_changed(page, "0")
    page.get_by_role("button", name="Undo").click()
    becomes(page, "encoder1:without:3")
    page.get_by_role("button", name="Reset all").click()
    becomes(page, "")


def test_a_sweep_names_the_block_that_matters_most_and_what_high_weights_mark(page, address):
    visit(page, f"{address}{VIEW}&intervene_sweep=true&intervene_channels=true")
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=PATIENCE)
    blocks = page.locator(".st-key-intervene_blocks:visible")
    blocks.scroll_into_view_if_needed()
    names = blocks.locator(".ytick text").all_text_contents()
    assert len(names) == 9
    sizes = [float(text) for text in blocks.locator(".bartext").all_text_contents()]
    assert len(sizes) == 9
    assert max(sizes) > 0
    expect(page.get_by_text("Spearman's ρ")).to_be_visible()
    expect(page.get_by_text("over 16 channels")).to_be_visible()
    page.screenshot(path=ARTEFACTS / "intervene-sweeps.png")
