"""A pass with changed gates against a plain one, and sweeps over channels and gates against one pass after the other.

`pytest tests/benchmarks/test_intervention.py -s` prints a line a way: U-Net with scSE, one 256 x 256 slice, and, for a
sweep over gates, smp.Unet with SE blocks in its encoder and scSE in its decoder, 34 gates that run.
"""

from collections.abc import Callable

import pytest
import segmentation_models_pytorch as smp
import torch

from scse_viz.attention import find_sites
from scse_viz.inference.resumption import sweep_changes
from scse_viz.intervention import OFF, Change, Invert, Off, Shuffle, intervene, sweep_channels
from scse_viz.models import BLOCK_NAMES, build
from tests.benchmarks.timing import interleaved

ROUNDS = 9
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


LIMITS: dict[str, tuple[Callable[[], None], int, float]] = {
    "one block off": (one_block, 1, 1.6),
    "every gate changed": (every_gate, 1, 1.7),
    **{
        f"a channel of a sweep, {batch} together": (channels(batch), len(CHANNELS), limit)
        for batch, limit in ((1, 1.6), (4, 1.8), (8, 2.6))
    },
}
"""Way -> what it does, in how many passes, and how many plain ones each may take, processor time: half as many again
as measured on two cores."""


@pytest.mark.parametrize("way", LIMITS)
def test_a_changed_pass_costs_little_beyond_a_plain_one(way: str) -> None:
    changed, count, limit = LIMITS[way]
    times = interleaved({"plain": plain, way: changed}, ROUNDS)
    ratio = times[way][0] / times["plain"][0] / count
    print(f"\n{way:34} {times[way][0] / count * 1e3:8.1f} ms  {ratio:5.2f} plain passes, at most {limit}", end="")
    assert ratio <= limit


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
    times = {name: processor for name, (processor, _) in interleaved(ways, rounds=3).items()}
    print(f"\n34 gates off: {times['whole']:.2f} s in whole passes, {times['resumed']:.2f} s in resumed ones")
    assert times["resumed"] < 0.7 * times["whole"]
    benchmark.pedantic(ways["resumed"], rounds=1)
