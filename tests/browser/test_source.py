"""Scans in a real browser: a file dropped on the sidebar is shown at once, and a sample again once it is removed."""

import base64
import io

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.looks import PATIENCE

DROP = """(zone, content) => {
    const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], 'mine.npy'));
    zone.dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true}));
}"""


def test_a_file_dropped_on_the_sidebar_is_shown_at_once(page: Page, address: str) -> None:
    page.goto(f"{address}explore")
    expect(page.get_by_role("heading", name="colin27.nii.gz")).to_be_visible(timeout=PATIENCE)
    zone = page.locator(".st-key-scan_file").get_by_test_id("stFileUploaderDropzone")
    samples = page.get_by_test_id("stSelectbox").filter(has_text="Scan shown")
    expect(zone).to_be_in_viewport()
    assert zone.bounding_box()["y"] < samples.bounding_box()["y"]

    file = io.BytesIO()
    np.save(file, np.random.default_rng(0).random((40, 48, 40)))
    zone.evaluate(DROP, base64.b64encode(file.getvalue()).decode())
    expect(page.get_by_role("heading", name="mine.npy")).to_be_visible(timeout=PATIENCE)
    page.wait_for_url("**/explore?*scan=your+own+file*", timeout=PATIENCE)

    page.get_by_role("button", name="Remove mine.npy").click()
    expect(page.get_by_role("heading", name="colin27.nii.gz")).to_be_visible(timeout=PATIENCE)
