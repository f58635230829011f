"""Changed passes that begin where the change takes effect give what whole passes give, and skip what came before."""

from collections import Counter
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from scse_viz.attention import find_sites
from scse_viz.inference import resumption
from scse_viz.inference.resumption import sweep_changes
from scse_viz.intervention import OFF, Change, Invert, Off, Shuffle, intervene
from scse_viz.models import ARCHITECTURES, BLOCK_NAMES, build
from tests.gate_networks import HAND_WRITTEN, FunctionalSigmoid, SequentialSigmoid, made
from tests.library_networks import NETWORKS

KINDS = ("channel_gate", "spatial_gate", "full_gate")
LIBRARIES = (
    *("smp.Unet, scse", "smp.Unet, efficientnet-b0", "smp.MAnet", "smp.PAN", "timm skresnet18", "timm resnest14d"),
    *("timm resnet18, CBAM", "torchvision mobilenet_v3_small", "MONAI SEBlock, 3-D", "MONAI AttentionUnet"),
    *("MONAI EfficientNetBN, b0", "authors' ChannelSpatialSELayer", "authors' ProjectExciteLayer, 3-D"),
)


def every_gate_off(model: nn.Module, x: Tensor) -> None:
    """Compare a sweep that switches off every gate alone with whole passes, to the bit."""
    sites = find_sites(model, x)
    changes = [
        (name, Change(**{kind: Off()}))
        for name, site in sites.items()
        for kind in KINDS
        if getattr(site, kind) is not None and site.resolution
    ]
    assert changes
    for (name, change), output in zip(changes, sweep_changes(model, x, changes, sites=sites), strict=True):
        same(output, intervene(model, x, {name: change}, sites=sites).output)


def same(output: object, expected: object) -> None:
    torch.testing.assert_close(output, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", LIBRARIES)
def test_gates_of_other_libraries_switched_off_one_by_one(name):
    every_gate_off(*NETWORKS[name].made())


@pytest.mark.parametrize("kind", HAND_WRITTEN, ids=lambda kind: kind.__name__)
def test_gates_of_hand_written_blocks_in_a_row(kind):
    torch.manual_seed(0)
    _, u = made(kind)
    every_gate_off(nn.Sequential(*(kind() for _ in range(3))).eval(), u)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("variant", ["scse", "cbam", "pe", "ag", "nonlocal"])
def test_blocks_of_ours_changed_one_by_one(architecture, variant):
    model = build(architecture, variant, classes=3, widths=(4, 4, 6, 6, 8), seed=0).eval()
    x = torch.randn(2, 1, 32, 48)
    changes = [(name, change) for name in BLOCK_NAMES for change in (OFF, Change(without=(1,)))]
    for (name, change), output in zip(changes, sweep_changes(model, x, changes), strict=True):
        same(output, intervene(model, x, {name: change}).output)


class Counted(nn.Module):
    """Features through a convolution that counts its runs."""

    runs: ClassVar[Counter[str]] = Counter()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.conv = nn.Conv2d(8, 8, 1)

    def forward(self, u: Tensor) -> Tensor:
        Counted.runs[self.name] += 1
        return self.conv(u)


def chain(*parts: nn.Module) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    Counted.runs.clear()
    return nn.Sequential(*parts).eval(), torch.randn(1, 8, 6, 4)


def runs_of_a_sweep(model: nn.Module, x: Tensor) -> Counter[str]:
    """How often every counted part runs while three changes are made to the last gate, the first pass left out."""
    sites = find_sites(model, x)
    name = list(sites)[-1]
    changes = [(name, Change(channel_gate=change)) for change in (Off(), Invert(), Shuffle(1))]
    expected = [intervene(model, x, {name: change}, sites=sites).output for name, change in changes]
    Counted.runs.clear()
    for output, whole in zip(sweep_changes(model, x, changes, sites=sites), expected, strict=True):
        same(output, whole)
    Counted.runs.subtract(["early", "late"])
    return Counted.runs


@pytest.mark.parametrize("gate", [SequentialSigmoid, FunctionalSigmoid])
def test_what_comes_before_a_gate_runs_once_and_what_comes_after_each_time(gate):
    runs = runs_of_a_sweep(*chain(nn.Sequential(Counted("early"), nn.ReLU()), gate(), Counted("late")))
    assert runs == {"early": 0, "late": 3}


def test_an_output_that_is_overwritten_is_computed_again():
    class Overwriting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.early, self.gate = Counted("early"), FunctionalSigmoid()

        def forward(self, u: Tensor) -> Tensor:
            v = self.early(u)
            w = v + 1
            v.zero_()
            return self.gate(w) + v

    model, x = chain(Overwriting(), Counted("late"))
    assert runs_of_a_sweep(model, x)["early"] == 3


def test_a_part_that_keeps_features_for_later_runs_each_time():
    class Keeping(Counted):
        def forward(self, u: Tensor) -> Tensor:
            self.skip = u + torch.ones_like(u)
            return super().forward(u)

    class Skipping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.early, self.gate, self.late = Keeping("early"), SequentialSigmoid(), Counted("late")

        def forward(self, u: Tensor) -> Tensor:
            return self.late(self.gate(self.early(u))) + self.early.skip

    assert runs_of_a_sweep(*chain(Skipping())) == {"early": 3, "late": 3}


def test_a_part_with_hooks_runs_each_time():
    model, x = chain(Counted("early"), SequentialSigmoid(), Counted("late"))
    seen = []
    model[0].conv.register_forward_hook(lambda *call: seen.append(call[-1]))
    assert runs_of_a_sweep(model, x)["early"] == 3
    assert seen


def test_a_part_that_runs_twice_runs_each_time():
    part = Counted("early")
    model, x = chain(part, SequentialSigmoid(), part, SequentialSigmoid(), Counted("late"))
    assert runs_of_a_sweep(model, x) == {"early": 2 * 4 - 1, "late": 3}


def test_without_memory_everything_runs_each_time(monkeypatch):
    monkeypatch.setattr(resumption, "MOST_BYTES", 0)
    assert runs_of_a_sweep(*chain(Counted("early"), SequentialSigmoid(), Counted("late"))) == {"early": 3, "late": 3}


def test_a_sweep_leaves_nothing_on_the_network_and_refuses_what_it_lacks():
    model, x = chain(Counted("early"), SequentialSigmoid())
    state = [(name, sorted(vars(part))) for name, part in model.named_modules()]
    runs_of_a_sweep(model, x)
    assert [(name, sorted(vars(part))) for name, part in model.named_modules()] == state
    with pytest.raises(ValueError, match=r"block 'encoder9' is unknown; choose one of 1"):
        next(sweep_changes(model, x, [("encoder9", OFF)]))


def test_a_gate_that_is_known_only_beside_another_is_changed_in_a_whole_pass():
    class Sum(nn.Module):
        """u (c + s): where c is not made anew, nothing tells that c + s consists of gates."""

        def __init__(self) -> None:
            super().__init__()
            self.channel = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.Sigmoid())
            self.spatial = nn.Sequential(nn.Conv2d(8, 1, 1), nn.Sigmoid())

        def forward(self, u: Tensor) -> Tensor:
            return u * (self.channel(u) + self.spatial(u))

    every_gate_off(*chain(Counted("early"), Sum(), Counted("late")))
