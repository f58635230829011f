"""A browser that is on the machine, or Playwright's own, and the app served to it on this machine alone."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright

from tests.browser.looks import ROOT
from tests.browser.visits import Visit

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/usr/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
QUIET = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NO_BROWSER = (
    "No Chromium or Chrome was found and Playwright could not install one; "
    "install a package called chromium, or set CHROME to the path of a browser"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-screenshot", action="store_true", help="write docs/screenshot.png, which the README shows"
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the app is served; the server ends with the tests."""
    yield from served(ROOT / "app.py")


def served(script: Path) -> Iterator[str]:
    """Serve a script to this machine alone, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(script),
        "--server.address=127.0.0.1",
        f"--server.port={port}",
    ]
    server = subprocess.Popen(
        [*command, "--server.headless=true", "--server.fileWatcherType=none"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own, which may raise no error and ask no other machine for anything."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    hosts: set[str] = set()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2].split(":")[0]))
    yield page
    context.close()
    assert errors == []
    assert {host for host in hosts if host} <= {"127.0.0.1"}


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    seen = Visit(page)
    seen.watch()
    yield seen
    context.close()
    assert seen.errors == []
    assert {host for host in seen.hosts if host} <= {"127.0.0.1"}


def launch(playwright: Playwright) -> Browser:
    """A browser of this machine, else Playwright's own, else one that Playwright installs now."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    options = [*QUIET, *(["--no-sandbox"] if root else [])]
    on_machine = [
        os.environ.get("CHROME"),
        *map(shutil.which, NAMES),
        *(place for place in PLACES if Path(place).is_file()),
    ]
    for path in [*(path for path in on_machine if path), None]:
        try:
            return playwright.chromium.launch(executable_path=path, args=options)
        except Error:
            continue
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    try:
        return playwright.chromium.launch(args=options)
    except Error as error:
        pytest.fail(f"{NO_BROWSER} ({str(error).splitlines()[0]}).", pytrace=False)


def wait_for(health: str, server: subprocess.Popen, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"The app ended with exit code {server.returncode} before it was served.", pytrace=False)
        try:
            with urllib.request.urlopen(health, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"The app was not served within {seconds:.0f} s.", pytrace=False)
