"""A pass with changed gates against a plain one, and a sweep over channels in batches against one at a time.

`pytest tests/benchmarks/test_intervention.py -s` prints a line a way: U-Net with scSE, one 256 x 256 slice.
"""

import statistics
import time
from collections.abc import Callable

import pytest
import torch

from scse_viz.intervention import OFF, Change, Invert, Shuffle, intervene, sweep_channels
from scse_viz.models import BLOCK_NAMES, build

ROUNDS = 15
CHANNELS = range(8)

pytestmark = pytest.mark.filterwarnings("default")

model = build("unet", "scse", classes=18, seed=0).eval()
x = torch.randn(1, 1, 256, 256)


def plain() -> None:
    with torch.no_grad():
        model(x)


def one_block() -> None:
    intervene(model, x, {"bottleneck": OFF})


def every_gate() -> None:
    intervene(model, x, dict.fromkeys(BLOCK_NAMES, Change(Invert(), Shuffle())))


def channels(batch: int) -> Callable[[], None]:
    def sweep() -> None:
        for _ in sweep_channels(model, x, "bottleneck", CHANNELS, batch=batch):
            pass

    return sweep


def interleaved(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median processor seconds of each way, over rounds in which they take turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.process_time()
            way()
            taken[name].append(time.process_time() - started)
    return {name: statistics.median(times) for name, times in taken.items()}


def test_a_changed_pass_against_a_plain_one(benchmark):
    times = interleaved({"plain": plain, "one block off": one_block, "every gate changed": every_gate}, ROUNDS)
    sweeps = {f"a channel of a sweep, {batch} together": channels(batch) for batch in (1, 4, 8)}
    for name, seconds in interleaved(sweeps, rounds=3).items():
        times[name] = seconds / len(CHANNELS)
    for name, seconds in times.items():
        benchmark.extra_info[name] = seconds / times["plain"]
        print(f"\n{name:34} {seconds * 1e3:8.1f} ms  {seconds / times['plain']:5.2f} of a plain pass", end="")
    print()
    benchmark(one_block)
