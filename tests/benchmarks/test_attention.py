"""A recorded pass against a plain one, and what peers need for one map a block of the same network.

`pytest tests/benchmarks/test_attention.py -s` prints a line a way: U-Net with scSE, one 256 x 256 slice.
"""

import statistics
import time
from collections.abc import Callable

import pytest
import torch
from captum.attr import LayerActivation
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import SemanticSegmentationTarget

from scse_viz.attention import record
from scse_viz.models import BLOCK_NAMES, build

ROUNDS = 15

pytestmark = pytest.mark.filterwarnings("default")

model = build("unet", "scse", classes=18, seed=0).eval().to(memory_format=torch.channels_last)
x = torch.randn(1, 1, 256, 256)


def plain() -> None:
    with torch.no_grad():
        model(x)


def recorded() -> None:
    assert len(record(model, x).blocks) == len(BLOCK_NAMES)


def captum() -> None:
    with torch.no_grad():
        for name in BLOCK_NAMES:
            LayerActivation(model, model.blocks[name].spatial_gate).attribute(x)


def grad_cam() -> None:
    target = SemanticSegmentationTarget(1, torch.ones(256, 256).numpy())
    for name in BLOCK_NAMES:
        with GradCAM(model, [model.blocks[name]]) as cam:
            cam(x, [target])


def interleaved(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, tuple[float, float]]:
    """Median seconds of each way, processor and wall clock, over rounds in which they take turns."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.process_time(), time.perf_counter()
            way()
            taken[name].append((time.process_time() - started[0], time.perf_counter() - started[1]))
    return {
        name: (statistics.median(p for p, _ in times), statistics.median(w for _, w in times))
        for name, times in taken.items()
    }


def test_a_recorded_pass_against_a_plain_one_and_against_peers(benchmark):
    times = interleaved({"plain": plain, "recorded": recorded}, ROUNDS)
    times |= interleaved({"captum, block by block": captum, "grad-cam, each block": grad_cam}, rounds=2)
    for name, (processor, wall) in times.items():
        ratio = processor / times["plain"][0]
        benchmark.extra_info[name] = ratio
        print(f"\n{name:24} {wall * 1e3:9.1f} ms  {ratio:6.2f} of the processor time of a plain pass", end="")
    print()
    benchmark(recorded)
