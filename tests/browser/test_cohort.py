"""Cohort in a real browser: a click on a point opens its scan in Explore, at the block and with its labels."""

import shutil

import pytest
from playwright.sync_api import expect

from scse_viz import zoo
from scse_viz.cohort import Entry, ScanTask, gather, measure
from scse_viz.cohort.running import PARTS
from scse_viz.cohort.tasks import written
from scse_viz.scans.samples import samples
from scse_viz.ui.cohort.page import VARIABLE
from tests.browser.conftest import served
from tests.browser.looks import ARTEFACTS, PATIENCE, ROOT

MODEL = "hippocampus-unet-cse"


@pytest.fixture(scope="module")
def cohort_address(tmp_path_factory):
    """Where the app is served with the results of two scans, in two groups."""
    scans, results = tmp_path_factory.mktemp("scans"), tmp_path_factory.mktemp("results") / "two-scans"
    (results / PARTS).mkdir(parents=True)
    keys = []
    for number, sample in enumerate(sample for sample in samples().values() if sample.anatomy == "hippocampus"):
        scan, labels = scans / f"subject{number}.nii.gz", scans / f"labels{number}.nii.gz"
        shutil.copy(sample.scan, scan)
        shutil.copy(sample.label_file, labels)
        entry = Entry(scan, labels, {"group": "AB"[number], "age": str(60 + number)})
        task = ScanTask(entry, MODEL, None, zoo.read_card(MODEL).sha256, slices=2)
        written(measure(task), results / PARTS)
        keys.append(task.key)
    gather(results, keys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(results))
        yield from served(ROOT / "app.py")


@pytest.mark.parametrize(("chart", "layer"), [("against", "scatterlayer"), ("groups", "boxlayer")])
def test_a_click_on_a_point_opens_its_scan_in_explore(page, cohort_address, chart, layer):
    page.goto(f"{cohort_address}cohort")
    points = page.locator(f".st-key-cohort_{chart}_chart .{layer} .points path")
    expect(points).to_have_count(2, timeout=PATIENCE)
    page.wait_for_timeout(1000)  # the chart is drawn again when its width is known
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "cohort.png")
    box = points.nth(1).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/explore**", timeout=PATIENCE)
    expect(page.locator(".panels[data-drawn]")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("labels of the scan")).to_be_visible(timeout=PATIENCE)
    assert "scan=subject1.nii.gz" in page.url
    assert "anatomy=hippocampus" in page.url
    assert "variant=cSE" in page.url
    page.wait_for_url("**block=encoder1**", timeout=PATIENCE)  # that of the figure: Explore begins with encoder2
