"""Exported files, in a real browser: a report that opens offline, maps, numbers and arrays."""

import gzip
import io
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from scse_viz.models import BLOCK_NAMES
from scse_viz.scans.samples import samples
from tests.browser.looks import ARTEFACTS, PATIENCE


def exported(page: Page, label: str, folder: Path) -> Path:
    """The file behind a button of the part Export."""
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("button", name=label).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.fixture(scope="module")
def files(browser: Browser, address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the page Explore exports of a slice, by the label of its button."""
    folder = tmp_path_factory.mktemp("exported")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{address}explore?scan=ICBM+2009a&variant=scSE&plane=coronal&coronal=100&block=encoder3")
    page.get_by_text("Export: numbers").click(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Report (HTML)")).to_be_visible(timeout=PATIENCE)
    labels = ("Report (HTML)", "Maps (NIfTI)", "Arrays (.npz)", "Numbers (CSV)")
    made = {label: exported(page, label, folder) for label in labels}
    context.close()
    return made


def test_maps_numbers_and_arrays_open_elsewhere(files: dict[str, Path]) -> None:
    arrays = np.load(files["Arrays (.npz)"], allow_pickle=False)
    numbers, maps = (zipfile.ZipFile(files[label]) for label in ("Numbers (CSV)", "Maps (NIfTI)"))
    gates = {f"{block}/{kind}_gate" for block in BLOCK_NAMES for kind in ("channel", "spatial")}
    assert set(arrays.files) == gates
    assert (arrays["encoder3/spatial_gate"].ndim, arrays["encoder3/channel_gate"].shape) == (2, (64,))
    assert {"channel-weights.csv", "effect-of-the-block.csv", "gates.csv"} <= set(numbers.namelist())
    assert maps.namelist() == ["encoder3-spatial-gate.nii.gz"]
    file = nib.load(samples()["icbm2009a"].scan)
    for name in maps.namelist():
        image = nib.Nifti1Image.from_stream(io.BytesIO(gzip.decompress(maps.read(name))))
        assert image.shape == file.shape
        np.testing.assert_allclose(image.affine, file.affine)


def test_a_report_opens_without_a_network(browser: Browser, files: dict[str, Path]) -> None:
    alone = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    page = alone.new_page()
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(files["Report (HTML)"].as_uri())
    expect(page.get_by_role("heading", level=1)).to_contain_text("explore")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".maps img").first).to_be_visible()
    page.screenshot(path=ARTEFACTS / "report.png")
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    alone.close()
