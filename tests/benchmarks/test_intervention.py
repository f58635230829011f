"""A pass with changed gates against a plain one, and sweeps over channels and gates against one pass after the other.

`pytest tests/benchmarks/test_intervention.py -s` prints a line a way: U-Net with scSE, one 256 x 256 slice, and, for a
sweep over gates, smp.Unet with SE blocks in its encoder and scSE in its decoder, 34 gates that run.
"""

import statistics
import time
from collections.abc import Callable

import pytest
import segmentation_models_pytorch as smp
import torch

from scse_viz.attention import find_sites
from scse_viz.inference.resumption import sweep_changes
from scse_viz.intervention import OFF, Change, Invert, Off, Shuffle, intervene, sweep_channels
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


def test_every_gate_off_in_resumed_passes_against_whole_ones(benchmark):
    unet = smp.Unet(
        "se_resnet50", encoder_weights=None, in_channels=1, classes=18, decoder_attention_type="scse"
    ).eval()
    image = torch.randn(1, 1, 192, 224)
    sites = find_sites(unet, image)
    kinds = ("channel_gate", "spatial_gate")
    changes = [
        (name, Change(**{kind: Off()})) for name, site in sites.items() if site.resolution for kind in kinds
        if getattr(site, kind) is not None
    ]  # fmt: skip
    assert len(changes) == 34
    ways = {
        "whole": lambda: [intervene(unet, image, {name: change}, sites=sites) for name, change in changes],
        "resumed": lambda: list(sweep_changes(unet, image, changes, sites=sites)),
    }
    times = interleaved(ways, rounds=3)
    print(f"\n34 gates off: {times['whole']:.2f} s in whole passes, {times['resumed']:.2f} s in resumed ones")
    assert times["resumed"] < 0.7 * times["whole"]
    benchmark.pedantic(ways["resumed"], rounds=1)
