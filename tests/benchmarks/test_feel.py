"""What a user waits for in the served app: `pytest tests/benchmarks/test_feel.py -s`.

The clock runs in the browser, from the event to the frame in which the panels have changed. What is judged are ratios
to what the same run measures on the same machine: a bare Streamlit page with as many pictures, driven in the same
browser, and plain forward passes. `taskset -c 0 pytest tests/benchmarks/test_feel.py -s` is the same on one core.
"""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page

from scse_viz import zoo
from scse_viz.inference import network_input, window
from scse_viz.scans import read_scan
from scse_viz.scans.samples import samples
from tests.browser.conftest import address, browser, served  # noqa: F401 (fixtures)

ROUNDS = 7
PAUSE = 900
"""ms between two events, in which the page comes to rest."""
EVERY = 10
"""ms between two looks at the page. Looking in every frame would make the browser draw frames in which nothing changes,
a tenth of the time of a new slice on one core."""
KNOWN, NEW, FIRST = 1.5, 1.3, 2.5
"""Goals: what was computed before, over the bare page; a new slice, passes beyond the bare page's slice; a visit."""
DISPLAYED = {"opacity": (("30", "60"), 3), "scale": (("magma", "viridis"), 4), "black": (("10", "20"), 3)}
"""Input of the display -> two values that it takes in turns, and the goal: two frames in which the display changes,
over two in which nothing does. A new scale colours every map anew."""
COUNT_SENT = """
window.sent = 0;
for (const [owner, name] of [[WebSocket.prototype, 'send'], [XMLHttpRequest.prototype, 'send'], [window, 'fetch']]) {
    const send = owner[name];
    owner[name] = function (...given) { window.sent += 1; return send.apply(this, given); };
}
"""
"""Counts in the page, from its beginning, what it sends, so that a count belongs to a frame."""
UNTIL = """([act, changed]) => new Promise((done, fail) => {
    const state = new Function(`return (${changed})`);
    const before = state();
    const start = performance.now();
    new Function(act)();
    const look = () => {
        const now = state();
        if (now !== null && now !== before) requestAnimationFrame(() => done(performance.now() - start));
        else if (performance.now() - start > 60000) fail(new Error('nothing changed: ' + changed));
        else setTimeout(look, 10);
    };
    look();
})"""
PANELS = """(() => {
    if (!window.panelsRoot?.host.isConnected)  // a component's elements are hidden in the shadow of its own
        window.panelsRoot = [...document.querySelectorAll('*')].map(part => part.shadowRoot)
            .find(root => root?.querySelector('.panels'));
    return window.panelsRoot;
})()"""
MAP = "canvas.map[aria-label*='spatial gate']"
IN_TWO_FRAMES = f"""([name, value]) => new Promise(done => {{
    const input = {PANELS}.querySelector(`[name=${{name}}]`);
    const map = {PANELS}.querySelector("{MAP}");
    const before = map.toDataURL();
    if (input) input.value = value;
    const sent = window.sent;
    const start = performance.now();
    input?.dispatchEvent(new Event('input', {{bubbles: true}}));
    requestAnimationFrame(() => requestAnimationFrame(() => {{
        const ms = performance.now() - start;
        done({{ms, sent: window.sent - sent, drawn: map.toDataURL() !== before}});
    }}));
}})"""
"""Sets an input of the display, if it is given the name of one; tells what happened until the second frame."""
HEADS = f"[...{PANELS}.querySelectorAll('.head')].map(head => head.textContent).join()"
ROWS = f"{PANELS}.querySelectorAll('.row').length"
SLICE = f"{PANELS}.querySelector('.panels').dataset.drawn"
CANVASES = f"{PANELS}.querySelectorAll('canvas').length"
IMAGES = """(() => {
    const images = [...document.querySelectorAll('[data-testid=stImage] img')];
    const end = document.querySelector('#shown');
    const loaded = images.filter(image => image.complete && image.naturalWidth).length;
    return loaded && loaded === Number(end?.dataset.count) ? end.textContent : null;
})()"""
"""What the bare page shows, once all its pictures are loaded, else null."""
VIEW = "?variants=none&variants=cSE&variants=sSE&variants=scSE"
BARE = Path(__file__).with_name("bare_page.py")


def click(text: str) -> str:
    """JavaScript that clicks the button of the sidebar with this text."""
    return (
        "[...document.querySelectorAll('[data-testid=stSidebar] button')]"
        f".find(button => button.textContent.trim() === '{text}').click()"
    )


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:  # noqa: F811
    yield from visited(browser, address + VIEW, ".panels[data-drawn]")


@pytest.fixture(scope="module")
def bare_address() -> Iterator[str]:
    yield from served(BARE)


@pytest.fixture(scope="module")
def bare(browser: Browser, bare_address: str, page: Page) -> Iterator[Page]:  # noqa: F811
    yield from visited(browser, f"{bare_address}?pictures={page.evaluate(CANVASES)}", "[data-testid=stImage] img")


def visited(browser: Browser, url: str, drawn: str) -> Iterator[Page]:  # noqa: F811
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(COUNT_SENT)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(drawn, timeout=120_000)
    page.wait_for_timeout(PAUSE)
    assert page.evaluate("window.sent") > 0, "a page asks for its first run"
    yield page
    context.close()


def test_what_was_computed_before_shows_as_soon_as_in_a_bare_page(page: Page, bare: Page) -> None:
    cases = {
        "variant": (toggled(page, click("sSE"), HEADS), toggled(bare, click("sSE"), IMAGES)),
        "block": (toggled(page, click("encoder2"), ROWS), toggled(bare, click("encoder2"), IMAGES)),
        "slice": (sliced(page, SLICE, again=True), sliced(bare, IMAGES, again=True)),
    }
    ratios = {what: report(what, ours, theirs, KNOWN) for what, (ours, theirs) in cases.items()}
    assert all(ratio <= KNOWN for ratio in ratios.values()), ratios


def test_a_new_slice_costs_little_beyond_its_passes(page: Page, bare: Page) -> None:
    passes, ours = plain_passes(), sliced(page, SLICE)
    budget = NEW * passes + statistics.median(sliced(bare, IMAGES, again=True))
    print(f"\nfour plain passes {passes:.0f} ms")
    assert report("new slice", ours, [budget], 1) <= 1


@pytest.mark.parametrize("name", DISPLAYED)
def test_the_display_is_drawn_in_two_frames_before_anything_is_sent(page: Page, name: str) -> None:
    """Opacity, colour scale and window: from the event to the second frame, which a machine takes as long as it takes.

    Until then a map in sight has got other pixels, and neither a message nor a request has left the page. Later one
    does: a report of the display for the address, once nothing has changed for RESTED_MS.
    """
    page.locator(MAP).first.scroll_into_view_if_needed()
    page.wait_for_timeout(PAUSE)
    sent = page.evaluate("window.sent")
    values, goal = DISPLAYED[name]
    frames = [page.evaluate(IN_TWO_FRAMES, [None, None]) for _ in range(ROUNDS)]
    changes = [page.evaluate(IN_TWO_FRAMES, [name, values[turn % 2]]) for turn in range(ROUNDS)]
    assert [(frame["sent"], frame["drawn"]) for frame in changes] == [(0, True)] * ROUNDS
    page.wait_for_function("sent => window.sent > sent", arg=sent)  # the report: what is sent is counted
    page.wait_for_timeout(PAUSE)
    ours, theirs = ([frame["ms"] for frame in some] for some in (changes, frames))
    assert report(f"{name}, two frames", ours, theirs, goal) <= goal


def test_a_visit(browser: Browser, address: str, bare_address: str, page: Page) -> None:  # noqa: F811
    ours, size = opened(browser, address + VIEW, ".panels[data-drawn]")
    count = page.evaluate(CANVASES)
    theirs, _ = opened(browser, f"{bare_address}?pictures={count}", f":nth-match([data-testid=stImage] img, {count})")
    print(f"\nmessages to the browser for the first page, of 4 x 9 blocks: {size / 1000:.0f} kB")
    assert report("first page with maps, warm server", ours, theirs, FIRST) <= FIRST


def report(what: str, ours: list[float], theirs: list[float], goal: float) -> float:
    """Print medians in ms and their ratio, and return the ratio."""
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(
        f"\n{what}: {mine:.0f} ms (worst {max(ours):.0f}), against {other:.0f}: {mine / other:.2f}, goal {goal}", end=""
    )
    return mine / other


def toggled(page: Page, act: str, changed: str) -> list[float]:
    page.evaluate(UNTIL, [act, changed])
    page.wait_for_timeout(PAUSE)
    times = []
    for _ in range(ROUNDS):
        times.append(page.evaluate(UNTIL, [act, changed]))
        page.wait_for_timeout(PAUSE)
    return times


def sliced(page: Page, changed: str, *, again: bool = False) -> list[float]:
    """Steps from slice to slice with the arrow keys, to and fro where the slices are to be known."""
    times = []
    slider = page.locator("[data-testid=stSidebar] input[type=range]").last
    for step in range(ROUNDS + 1):
        if changed == IMAGES:
            slider.focus()
        else:
            page.evaluate("document.activeElement.blur()")
        before = page.evaluate(changed)
        start = time.perf_counter()
        page.keyboard.press("ArrowRight" if not again or step % 2 == 0 else "ArrowLeft")
        page.wait_for_function(
            f"before => {{ const now = {changed}; return now !== null && now !== before; }}",
            arg=before,
            polling=EVERY,
            timeout=60_000,
        )
        times.append((time.perf_counter() - start) * 1000)
        page.wait_for_timeout(PAUSE)
    return times[2:] if again else times[1:]


def plain_passes() -> float:
    """The four networks on one slice, each a plain forward pass on one thread: ms together, the median of rounds."""
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


def opened(browser: Browser, url: str, drawn: str) -> tuple[list[float], float]:  # noqa: F811
    """New visits: ms from the address to drawn pictures, and the bytes of messages in the last of them."""
    times, size = [], 0.0
    for _ in range(3):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        received: list[int] = []
        page.on(
            "websocket", lambda socket, to=received: socket.on("framereceived", lambda frame: to.append(len(frame)))
        )
        start = time.perf_counter()
        page.goto(url)
        page.wait_for_selector(drawn, timeout=60_000)
        times.append((time.perf_counter() - start) * 1000)
        page.wait_for_timeout(PAUSE)
        size = sum(received)
        context.close()
    return times, size
