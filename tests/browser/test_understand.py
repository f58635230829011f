"""Understand in a real browser: scrub through a training, play it, and read a lesson without a mouse."""

import numpy as np
from playwright.sync_api import Page, expect

from scse_viz.zoo import PRETRAINED
from tests.browser.looks import ARTEFACTS, PATIENCE

BOTTLENECK = ".history img[alt^='scSE, bottleneck']"


def opened(page: Page, address: str, query: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 1100})
    page.goto(f"{address}understand?{query}")
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Plane", timeout=PATIENCE)


def test_the_arrow_keys_go_through_the_training_and_the_address_follows(page, address):
    opened(page, address, "understand=Training+history")
    expect(page.locator(".history .map")).to_have_count(27, timeout=PATIENCE)  # three networks have maps
    expect(page.locator(".history .bars")).to_have_count(18, timeout=PATIENCE)  # two have channel weights
    assert page.locator(".history img").evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 0)")
    expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=PATIENCE)
    last = page.locator(BOTTLENECK).first.get_attribute("src")
    before = int(np.load(PRETRAINED / "brain-unet-scse.history.npz")["steps"][-2])
    page.locator("h1, body").first.press("ArrowLeft")
    expect(page.locator(".history .head").first).to_contain_text(f"step {before:,}", timeout=PATIENCE)
    assert page.locator(BOTTLENECK).first.get_attribute("src") != last
    page.wait_for_url(f"**understand_step={before}**")
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "understand.png")


STEPS_UNTIL = """(least) => new Promise((done) => {
    const steps = [];
    const look = () => {
        const text = document.querySelector('.history .head')?.textContent ?? '';
        const step = Number(text.match(/step ([\\d,]+)/)?.[1].replaceAll(',', ''));
        if (step && step !== steps.at(-1)) steps.push(step);
        if (steps.length >= least) done(steps);
        else requestAnimationFrame(look);
    };
    look();
})"""
"""The different steps that the history shows, one after another, until there are as many as asked for."""


def test_play_goes_through_the_training_by_itself(page, address):
    opened(page, address, "understand=Training+history&variants=scSE&blocks=bottleneck")
    expect(page.locator(BOTTLENECK).first).to_be_visible(timeout=PATIENCE)
    last = page.evaluate(STEPS_UNTIL, 1)
    page.get_by_role("button", name="Play").click()
    steps = page.evaluate(STEPS_UNTIL, 6)
    shown = steps[1:] if steps[:1] == last else steps
    assert shown[0] < last[0], "playing begins anew"
    assert shown == sorted(shown)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible(timeout=PATIENCE)


def test_a_lesson_has_formulas_and_pictures_with_names(page, address):
    opened(page, address, "understand=Learn&understand_lesson=scSE&block=encoder3")
    expect(page.locator(".katex-display")).to_have_count(1, timeout=PATIENCE)
    tiles = page.locator(".tiles img")
    expect(tiles).to_have_count(16, timeout=PATIENCE)
    assert tiles.evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 0 && one.alt)")
    page.locator("body").press("3")
    expect(page.get_by_text("sSE, chosen in the sidebar, lacks this gate; shown is brain-unet-scse.")).to_be_visible(
        timeout=PATIENCE
    )
