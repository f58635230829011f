"""scSE against the SCSEModule of segmentation_models_pytorch, and the fused forms against their formulas.

`pytest tests/benchmarks/test_blocks.py -s` prints a line a case. The sides take turns, a few passes each, so that a
busy machine slows both; a line has ours over theirs in processor time, in wall-clock time and in peak memory.

What a tensor of megabytes costs depends on whether its memory is new to the process, so that the system clears it page
by page, or kept from an earlier tensor. Left to itself, glibc does either, depending on how the heap happens to lie.
Here it is told which (mallopt), and each case has a line for both. A line ends with the time of a mere copy of u, which
no block that returns a tensor can beat. What users meet is glibc left to itself: the median over several fresh
processes, and that is what is judged.
"""

import ctypes
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

import pytest
import torch
from segmentation_models_pytorch.base.modules import SCSEModule
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from scse_viz import fused
from scse_viz.blocks import VARIANTS
from scse_viz.layouts import OURS, SMP, convert

SHAPES = [(1, 64, 256, 256), (4, 64, 128, 128), (1, 16, 256, 256), (1, 512, 16, 16)]
MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
ROUNDS, PASSES = 12, 4
PROCESSES = 9
LIMITS = {"infer": 0.40, "train": 0.80}  # ours / SMP's, wall clock, glibc left to itself
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
    """The most bytes that a run on u holds at any moment, beyond those held before."""
    u.grad = None  # else the run starts by freeing what the previous one left
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
            run()  # not timed: the first pass pays for the heap that the other side left
            for _ in range(PASSES):
                started = time.process_time(), time.perf_counter()
                run()
                processor[name].append(time.process_time() - started[0])
                wall[name].append(time.perf_counter() - started[1])
    return {name: (statistics.median(processor[name]), statistics.median(wall[name])) for name in sides}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("memory_format", MEMORY_FORMATS)
@pytest.mark.parametrize("work", [infer, train])
@pytest.mark.parametrize("pages", PAGES)
def test_scse_against_segmentation_models_pytorch(benchmark, pages, work, memory_format, shape):
    for option, value in PAGES[pages].items():
        assert ctypes.CDLL(None).mallopt(option, value), "needs glibc, which can be told how to take memory"
    u = torch.randn(shape).contiguous(memory_format=MEMORY_FORMATS[memory_format]).requires_grad_(work is train)
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
    case = f"{pages:4} {work.__name__:5} {memory_format:13} {shape!s:18}"
    print(f"\n{case} smp {smp * 1e3:8.2f} ms  ours / smp: {shown}  copy / smp: {copy / smp:.2f}")
    benchmark(sides["ours"])
    assert ratios["memory"] < 1


@pytest.mark.parametrize("shape", SHAPES[:2], ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("work", LIMITS)
def test_scse_in_fresh_processes(work, shape):
    command = [sys.executable, "-m", "tests.benchmarks.test_blocks", work, *map(str, shape)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(PROCESSES)]
    ratios = sorted(float(run.stdout) for run in runs)
    median = statistics.median(ratios)
    shown = f"ours / smp: median {median:.2f}, {ratios[0]:.2f} to {ratios[-1]:.2f}"
    print(f"\nleft {work:5} contiguous    {shape!s:18} {PROCESSES} processes  {shown}")
    assert median <= LIMITS[work]


FORMULAS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "u c + u s": (fused.add_out, lambda u, c, s: u * c + u * s),
    "max(u c, u s)": (fused.max_out, lambda u, c, s: torch.maximum(u * c, u * s)),
    "mean of u": (lambda u, c, s: fused.spatial_mean(u), lambda u, c, s: u.mean(dim=(2, 3))),
}
"""Formula -> its fused form and its plain one."""


@pytest.mark.parametrize("shape", SHAPES[:2], ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("memory_format", MEMORY_FORMATS)
@pytest.mark.parametrize("formula", FORMULAS)
def test_a_fused_form_trains_faster_than_its_plain_formula(formula, memory_format, shape):
    u = torch.randn(shape).contiguous(memory_format=MEMORY_FORMATS[memory_format]).requires_grad_()
    c = torch.rand(*shape[:2], 1, 1, requires_grad=True)
    s = torch.rand(shape[0], 1, *shape[2:], requires_grad=True)
    gradient = torch.randn_like(FORMULAS[formula][1](u, c, s))

    def step(form: Callable[..., Tensor]) -> None:
        u.grad = c.grad = s.grad = None
        form(u, c, s).backward(gradient)

    times = interleaved(dict(zip(("fused", "plain"), [partial(step, form) for form in FORMULAS[formula]], strict=True)))
    ratio = times["fused"][1] / times["plain"][1]
    plain = times["plain"][1] * 1e3
    print(f"\n{formula:14} train {memory_format:13} {shape!s:18} plain {plain:8.2f} ms  fused / plain: {ratio:.2f}")
    assert ratio < 1


def test_attention_without_its_matrix_trains_faster_than_with_it():
    pixels, keys = 48 * 64, 24 * 32  # of the first stage of a hippocampus network
    query, key, value = (torch.randn(8, 2, count, requires_grad=True) for count in (pixels, keys, keys))

    def step(form: Callable[..., Tensor]) -> None:
        form(query.mT, key.mT, value.mT).sum().backward()

    def plain(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return (query @ key.mT).softmax(dim=2) @ value

    times = interleaved({"fused": partial(step, fused.attended), "plain": partial(step, plain)})
    ratio = times["fused"][1] / times["plain"][1]
    print(f"\nattention of {pixels} on {keys}: plain {times['plain'][1] * 1e3:.2f} ms  fused / plain: {ratio:.2f}")
    assert ratio < 1


if __name__ == "__main__":
    torch.set_num_threads(1)
    work, *shape = sys.argv[1:]
    u = torch.randn([int(side) for side in shape]).requires_grad_(work == "train")
    seconds = interleaved(sides_of({"infer": infer, "train": train}[work], u))
    print(seconds["ours"][1] / seconds["smp"][1])
