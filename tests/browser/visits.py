"""A visit to the page Compare: what it shows, said and asked for."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from playwright.sync_api import Locator, Page, expect

from tests.browser.looks import PATIENCE, pixels_of


@dataclass
class Visit:
    """A page, and what it said and asked for while it was open."""

    page: Page
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    sent: list[float] = field(default_factory=list)  # messages to the server

    def watch(self) -> None:
        self.page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2].split(":")[0]))
        self.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(len(frame))))

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.drawn()

    def open_part(self, address: str, part: str, variants: Sequence[str]) -> None:
        query = "&".join(f"variants={variant}" for variant in variants)
        self.page.goto(f"{address}?{query}&compare_part={part.replace(' ', '+')}")
        expect(self.page.get_by_role("tab", name=part)).to_have_attribute("aria-selected", "true", timeout=PATIENCE)

    def drawn(self, columns: int | None = None) -> None:
        expect(self.page.locator(".panels[data-drawn]")).to_be_visible(timeout=PATIENCE)
        if columns is not None:
            expect(self.page.locator(".panels .head")).to_have_count(columns + 1, timeout=PATIENCE)
        expect(self.page.get_by_test_id("stSpinner")).to_have_count(0, timeout=PATIENCE)
        self.page.wait_for_timeout(300)  # a frame or two

    def map(self, name: str) -> np.ndarray:
        """The pixels (N, 4) of the panel whose alternative text begins with a name."""
        canvas = self.page.locator(f"canvas.map[aria-label^='{name}']")
        return pixels_of(canvas)

    def picture(self, name: str) -> np.ndarray:
        """The same as rows and columns, (height, width, 4)."""
        canvas = self.page.locator(f"canvas.map[aria-label^='{name}']")
        height = canvas.evaluate("canvas => canvas.height")
        return pixels_of(canvas).reshape(height, -1, 4)


def voxel_of(place: Locator) -> list[int]:
    return [int(index) for index in re.findall(r"\d+", place.inner_text().partition(")")[0])]


def digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()
