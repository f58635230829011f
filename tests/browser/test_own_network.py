"""A network dropped on the app in a real browser: its maps are there without a word, and it goes with its file."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests import smp_files
from tests.browser.looks import ARTEFACTS, PATIENCE


def test_a_zip_of_save_pretrained_shows_its_maps(page: Page, address: str, tmp_path: Path) -> None:
    smp_files.network(in_channels=3).save_pretrained(tmp_path / "lungs")
    file = tmp_path / "lungs.zip"
    file.write_bytes(smp_files.zipped(tmp_path / "lungs"))
    page.goto(f"{address}explore?anatomy=hippocampus")
    page.get_by_text("Open a network").click()
    page.locator(".st-key-network_files input[type=file]").set_input_files(file)

    expect(page.get_by_text(re.compile(r"^lungs, 11,\d+,\d+ parameters\."))).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("One gray slice fills all 3 channels")).to_be_visible()
    heading = page.get_by_role("heading", name=re.compile(r"^decoder\.blocks\.\d\.attention"))
    expect(heading.first).to_be_visible(timeout=PATIENCE)
    page.screenshot(path=ARTEFACTS / "own-network.png")

    page.get_by_role("button", name="Remove lungs.zip").click()
    expect(page.get_by_text(re.compile(r"^hippocampus-unet-\w+, [\d,]+ parameters"))).to_be_visible(timeout=PATIENCE)
