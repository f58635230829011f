"""Models in a real browser: a network is opened on the slice that is looked at."""

from playwright.sync_api import Page, expect

from tests.browser.looks import PATIENCE


def test_a_network_opens_in_explore_on_the_same_slice(page: Page, address: str) -> None:
    page.goto(f"{address}models?axial=76")
    card = page.get_by_test_id("stColumn").filter(has_text="brain-sdnet-sse")
    card.get_by_role("button", name="Open in Explore").click(timeout=PATIENCE)
    expect(page.get_by_text("brain-sdnet-sse, ")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="axial slice 76")).to_be_visible(timeout=PATIENCE)
    page.wait_for_url("**/explore?*axial=76*", timeout=PATIENCE)
