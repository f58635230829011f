"""What a person waits for in the served app, in ms, as a table: `pytest tests/benchmarks/test_feel.py -s`.

The clock runs in the browser, from the event to the frame in which the panels have changed.
"""

import statistics
import time
from collections.abc import Iterator

import pytest
import torch
from playwright.sync_api import Browser, Page

from scse_viz import zoo
from scse_viz.inference import network_input, window
from scse_viz.scans import read_scan
from scse_viz.scans.samples import samples
from tests.browser.conftest import address, browser  # noqa: F401 (fixtures)

ROUNDS = 7
UNTIL = """([act, changed]) => new Promise((done, fail) => {
    const state = new Function(`return (${changed})`);
    const before = state();
    const start = performance.now();
    new Function(act)();
    const look = () => {
        if (state() !== before) requestAnimationFrame(() => done(performance.now() - start));
        else if (performance.now() - start > 60000) fail(new Error('nothing changed: ' + changed));
        else requestAnimationFrame(look);
    };
    look();
})"""
PANELS = """(() => {
    if (!window.panelsRoot?.host.isConnected)  // a component's elements are hidden in the shadow of its own
        window.panelsRoot = [...document.querySelectorAll('*')].map(part => part.shadowRoot)
            .find(root => root?.querySelector('.panels'));
    return window.panelsRoot;
})()"""
HEADS = f"[...{PANELS}.querySelectorAll('.head')].map(head => head.textContent).join()"
ROWS = f"{PANELS}.querySelectorAll('.row').length"
SLICE = f"{PANELS}.querySelector('.panels').dataset.drawn"
VIEW = "?variants=none&variants=cSE&variants=sSE&variants=scSE"


def click(text: str) -> str:
    """JavaScript that clicks the button of the sidebar with this text."""
    return (
        "[...document.querySelectorAll('[data-testid=stSidebar] button')]"
        f".find(button => button.textContent.trim() === '{text}').click()"
    )


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:  # noqa: F811
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address + VIEW)
    page.wait_for_selector(".panels[data-drawn]", timeout=120_000)
    yield page
    context.close()


def settled(page: Page) -> None:
    page.wait_for_timeout(1_200)


def test_feel(page: Page, browser: Browser, address: str) -> None:  # noqa: F811
    settled(page)
    lines = [
        ("a variant that was computed before, to changed panels", "300", toggled(page, click("sSE"), HEADS)),
        ("a block that was computed before", "300", toggled(page, click("encoder2"), ROWS)),
        ("a slice that was computed before", "300", sliced(page, again=True)),
        ("opacity, to the next frame", "50", faded(page)),
    ]
    plain = plain_passes()
    lines.append(
        (
            f"a new slice through four U-Nets (four plain passes {plain:.0f} ms)",
            f"{1.3 * plain + 250:.0f}",
            sliced(page),
        )
    )
    first, size = opened(browser, address)
    lines.append(("first page with maps, warm server", "3000", first))
    print(f"\n{'what':<72}{'budget':>8}{'median':>8}{'worst':>8}  (ms)")
    for what, budget, times in lines:
        print(f"{what:<72}{budget:>8}{statistics.median(times):>8.0f}{max(times):>8.0f}")
    what = "messages to the browser for that first page, of 4 x 9 blocks"
    print(f"{what:<72}{'1000':>8}{size / 1000:>8.0f}{'':>8}  (kB)")


def toggled(page: Page, act: str, changed: str) -> list[float]:
    page.evaluate(UNTIL, [act, changed])
    settled(page)
    times = []
    for _ in range(ROUNDS):
        times.append(page.evaluate(UNTIL, [act, changed]))
        settled(page)
    return times


def sliced(page: Page, *, again: bool = False) -> list[float]:
    """Steps from slice to slice with the arrow keys, to and fro where the slices are to be known."""
    times = []
    for step in range(ROUNDS + 1):
        page.evaluate("document.activeElement.blur()")
        before = page.evaluate(SLICE)
        start = time.perf_counter()
        page.keyboard.press("ArrowRight" if not again or step % 2 == 0 else "ArrowLeft")
        page.wait_for_function(f"before => {SLICE} !== before", arg=before, polling="raf", timeout=60_000)
        times.append((time.perf_counter() - start) * 1000)
        settled(page)
    return times[2:] if again else times[1:]


def faded(page: Page) -> list[float]:
    act = (
        f"() => new Promise(done => {{ const input = {PANELS}.querySelector('input[name=opacity]');"
        + """
        input.value = input.value === '30' ? '60' : '30';
        const start = performance.now();
        input.dispatchEvent(new Event('input', {bubbles: true}));
        requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
    })"""
    )
    return [page.evaluate(act) for _ in range(ROUNDS)]


def plain_passes() -> float:
    """The four networks on one slice, each a plain forward pass: ms together, the median of rounds."""
    scan = read_scan(samples()["colin27"].scan)
    networks = [(card, zoo.load(name)) for name, card in zoo.cards().items() if name.startswith("brain-unet-")]
    x = [network_input(scan, card, "axial", [80], window(scan, card)) for card, _ in networks]
    times = []
    with torch.inference_mode():
        for _ in range(ROUNDS):
            start = time.perf_counter()
            for picture, (_, model) in zip(x, networks, strict=True):
                model(picture)
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def opened(browser: Browser, address: str) -> tuple[list[float], float]:  # noqa: F811
    """New visits: ms from the address to drawn panels, and the bytes of messages in the last of them."""
    times, size = [], 0.0
    for _ in range(3):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        received: list[int] = []
        page.on(
            "websocket", lambda socket, to=received: socket.on("framereceived", lambda frame: to.append(len(frame)))
        )
        start = time.perf_counter()
        page.goto(address + VIEW)
        page.wait_for_selector(".panels[data-drawn]", timeout=60_000)
        times.append((time.perf_counter() - start) * 1000)
        settled(page)
        size = sum(received)
        context.close()
    return times, size
