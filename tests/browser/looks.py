"""What the browser tests look at, and how long they wait for it."""

from pathlib import Path

import numpy as np
from playwright.sync_api import Locator

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "test-artefacts"
PATIENCE = 120_000  # ms: the first picture waits for torch to be imported
PIXELS = """async canvas => {
    const main = document.querySelector('[data-testid=stMain]');
    const before = main.scrollTop;
    canvas.scrollIntoView({block: 'center'});  // what is out of sight is not drawn
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    await new Promise(done => setTimeout(done, 50));
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    main.scrollTop = before;
    return Array.from(data);
}"""


def pixels_of(canvas: Locator) -> np.ndarray:
    """The pixels (N, 4) of a canvas, uint8."""
    return np.array(canvas.evaluate(PIXELS), dtype=np.uint8).reshape(-1, 4)
