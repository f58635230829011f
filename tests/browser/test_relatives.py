"""A click on the maps of a non-local network in a real browser: where that pixel looks, in Explore and in Compare."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, Page, expect

from scse_viz import zoo
from tests.browser.conftest import served
from tests.browser.looks import ARTEFACTS, PATIENCE, ROOT, pixels_of

NAME = "hippocampus-sdnet-nonlocal"
QUERIES = [
    "explore?architecture=SD-Net&relative=non-local&block=encoder2",
    "?compare_architectures=SD-Net&variants=none&relatives=non-local&blocks=encoder2",
]


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a non-local network beside the shipped ones, which looks far from evenly."""
    folder = tmp_path_factory.mktemp("networks")
    like = zoo.read_card("hippocampus-unet-scse")
    card = replace(like, name=NAME, architecture="sdnet", variant="nonlocal", widths=(8, 8, 8, 8, 8))
    model = card.network(seed=0).eval()
    for key, value in model.named_parameters():
        if key.endswith(("query.weight", "key.weight")):
            value.data.mul_(60)
        if key.endswith(".scale"):
            torch.nn.init.constant_(value, 0.5)
    zoo.save(model, card, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCSE_VIZ_MODELS", str(folder))
        yield from served(ROOT / "app.py")


def looks(page: Page) -> Locator:
    """The map of where a pixel looks."""
    return page.locator("canvas.map[aria-label*='looks']").first


def picked(page: Page, position: dict[str, float]) -> np.ndarray:
    """Click the first map, and return the map of where that pixel looks, once it is drawn."""
    page.locator(".panels canvas.map").first.click(position=position)
    page.wait_for_url("**point=**", timeout=PATIENCE)
    expect(looks(page)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_timeout(500)  # a frame or two
    return pixels_of(looks(page))


@pytest.mark.parametrize("query", QUERIES)
def test_a_click_shows_where_that_pixel_looks_and_another_click_moves_it(page: Page, looking: str, query: str) -> None:
    page.goto(f"{looking}{query}&anatomy=hippocampus&plane=sagittal")
    expect(page.locator(".panels[data-drawn]")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_test_id("stSpinner")).to_have_count(0, timeout=PATIENCE)
    first = picked(page, {"x": 60, "y": 60})
    said, address = looks(page).get_attribute("aria-label"), page.url
    assert len(np.unique(first, axis=0)) > 20, "the map is blank"
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"non-local-{'explore' if 'explore' in query else 'compare'}.png")
    page.locator(".panels canvas.map").first.click(position={"x": 130, "y": 110})
    expect(looks(page)).not_to_have_attribute("aria-label", str(said), timeout=PATIENCE)
    page.wait_for_url(lambda url: url != address, timeout=PATIENCE)
    page.wait_for_timeout(500)
    changed = (pixels_of(looks(page)) != first).any(axis=1).mean()
    assert changed > 0.5, "more than the crosshair has moved"
