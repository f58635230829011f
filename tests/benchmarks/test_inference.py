"""The time of one slice of a whole head in plain forward passes of the same network, timed by turns in the same run.

`pytest tests/benchmarks/test_inference.py -s` prints a line a way.
"""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from scse_viz import zoo
from scse_viz.attention import record
from scse_viz.inference import network_input, segment_slice, segment_slices, window
from scse_viz.scans import read_scan
from scse_viz.scans.samples import samples
from tests.benchmarks.timing import interleaved

NAME = "brain-unet-scse"
PLANE, INDEX, EIGHT = "axial", 80, range(76, 84)
ROUNDS = 9
LIMITS = {"recorded pass": 1.8, "segment_slice": 1.9, "window of the scan": 0.1, "eight slices in batches": 13.5}
"""Way -> plain passes that it may take, wall clock: half as many again as measured on two cores."""


def without_gradient(model: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        model(x)


@pytest.fixture(scope="module")
def ways() -> dict[str, Callable[[], object]]:
    """A plain pass of the shipped scSE network on a real scan, and what a page does beyond it."""
    scan, model, card = read_scan(samples()["colin27"].scan), zoo.load(NAME), zoo.read_card(NAME)
    x = network_input(scan, card, PLANE, [INDEX], window(scan, card))
    return {
        "plain": partial(without_gradient, model, x),
        "recorded pass": partial(record, model, x),
        "segment_slice": partial(segment_slice, scan.slice(PLANE, INDEX), model, card),
        "window of the scan": partial(window, scan, card),
        "eight slices in batches": lambda: list(segment_slices(scan, model, card, PLANE, indices=EIGHT)),
    }


@pytest.mark.parametrize("way", LIMITS)
def test_a_slice_costs_little_beyond_its_plain_pass(ways: dict[str, Callable[[], object]], way: str) -> None:
    times = interleaved({"plain": ways["plain"], way: ways[way]}, ROUNDS)
    ratio = times[way][1] / times["plain"][1]
    print(f"\n{way:24} {times[way][1] * 1e3:7.1f} ms  {ratio:5.2f} plain passes, at most {LIMITS[way]}", end="")
    assert ratio <= LIMITS[way]
