"""scSE against the SCSEModule of segmentation_models_pytorch, in one process: time and memory.

`pytest tests/benchmarks/test_blocks.py -s` prints a line a case. The sides take turns, a few passes each, so that a
busy machine slows both; the line has ours over theirs in processor time, in wall-clock time and in peak memory.

What a tensor of megabytes costs depends on whether its memory is new to the process, so that the system clears it page
by page, or kept from a tensor before it. glibc left to itself does the one or the other by how the heap happens to lie,
and where it gives back SMP's three large tensors and keeps our one, the ratio is 0.15. Here it is told (mallopt), and
each case has a line for both. The line ends with what a mere copy of u takes: no block that returns a tensor does with
less. What users meet is glibc left to itself: a last line has the median of several processes, each begun anew.
"""

import ctypes
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
import torch
from segmentation_models_pytorch.base.modules import SCSEModule
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from scse_viz.blocks import VARIANTS
from scse_viz.layouts import OURS, SMP, convert

SHAPES = [(1, 64, 256, 256), (4, 64, 128, 128), (1, 16, 256, 256), (1, 512, 16, 16)]
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
ROUNDS, PASSES = 12, 4
PROCESSES = 9
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4  # of mallopt
PAGES = {
    "new": {MMAP_MAX: 65_536, MMAP_THRESHOLD: 128 * 1024},
    "kept": {MMAP_MAX: 0, TRIM_THRESHOLD: 2**30},
}

pytestmark = pytest.mark.filterwarnings("default")


def infer(module: nn.Module, u: Tensor, gradient: Tensor) -> None:
    with torch.no_grad():
        module(u)


def train(module: nn.Module, u: Tensor, gradient: Tensor) -> None:
    u.grad = None
    module(u).backward(gradient)


def peak(run: Callable[[], None], u: Tensor) -> int:
    """The most bytes that a run on u holds at one moment beyond those before it."""
    u.grad = None  # else the run begins by giving back what the one before it has left
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, record_shapes=False) as profiled:
        run()
    held = most = 0
    for event in profiled.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


def sides_of(work: Callable[[nn.Module, Tensor, Tensor], None], u: Tensor) -> dict[str, Callable[[], None]]:
    """Our block and SMP's with the same weights at work on u, and a copy of u."""
    gradient = torch.randn_like(u)
    ours, theirs = VARIANTS["scse"](u.shape[1], 2), SCSEModule(u.shape[1], 2)
    theirs.load_state_dict(convert(ours.state_dict(), OURS, SMP))
    sides = {"ours": lambda: work(ours, u, gradient), "smp": lambda: work(theirs, u, gradient)}
    return {**sides, "copy": u.detach().clone}


def interleaved(sides: dict[str, Callable[[], None]]) -> dict[str, tuple[float, float]]:
    """Median seconds of a pass of each side, processor and wall clock, over rounds in which the sides take turns."""
    processor: dict[str, list[float]] = {name: [] for name in sides}
    wall: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, run in sides.items():
            run()  # not timed: the first pass pays for what the other side left of the heap
            for _ in range(PASSES):
                started = time.process_time(), time.perf_counter()
                run()
                processor[name].append(time.process_time() - started[0])
                wall[name].append(time.perf_counter() - started[1])
    return {name: (statistics.median(processor[name]), statistics.median(wall[name])) for name in sides}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("work", [infer, train])
@pytest.mark.parametrize("pages", PAGES)
def test_scse_against_segmentation_models_pytorch(benchmark, pages, work, layout, shape):
    for option, value in PAGES[pages].items():
        assert ctypes.CDLL(None).mallopt(option, value), "needs glibc, which can be told how to take memory"
    u = torch.randn(shape).contiguous(memory_format=LAYOUTS[layout]).requires_grad_(work is train)
    sides = sides_of(work, u)
    times = interleaved(sides)
    ratios = {
        "processor": times["ours"][0] / times["smp"][0],
        "wall": times["ours"][1] / times["smp"][1],
        "memory": peak(sides["ours"], u) / peak(sides["smp"], u),
    }
    benchmark.extra_info.update(ratios)
    shown = "  ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    copy, smp = (times[name][1] for name in ("copy", "smp"))
    case = f"{pages:4} {work.__name__:5} {layout:13} {shape!s:18}"
    print(f"\n{case} smp {smp * 1e3:8.2f} ms  ours / smp: {shown}  copy / smp: {copy / smp:.2f}")
    benchmark(sides["ours"])
    assert ratios["memory"] < 1


@pytest.mark.parametrize("shape", SHAPES[:2], ids=lambda shape: "x".join(map(str, shape)))
def test_scse_as_a_process_of_its_own_finds_it(shape):
    command = [sys.executable, __file__, *map(str, shape)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(PROCESSES)]
    ratios = sorted(float(run.stdout) for run in runs)
    shown = f"ours / smp: median {statistics.median(ratios):.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f}"
    print(f"\nleft infer contiguous    {shape!s:18} {PROCESSES} processes  {shown}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    found = interleaved(sides_of(infer, torch.randn([int(each) for each in sys.argv[1:]])))
    print(found["ours"][1] / found["smp"][1])
