"""What a first pass learned of a network is reused by the next, and forgotten as soon as the network changes."""

import copy
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from scse_viz.attention import Recording, record
from scse_viz.recording.remembered import LIMIT
from tests.gate_networks import FunctionalSigmoid, GateModule, Mlp, OneSigmoidForBoth, SequentialSigmoid
from tests.tiny_networks import state_of

PROBED: list[bool] = []
"""Whether a probe looked on, for every pass of a `Told`."""


class Told(nn.Module):
    def forward(self, u: Tensor) -> Tensor:
        # of this thread: torch's flag is of the process, and stays set where modes of several threads overlap
        PROBED.append(bool(_get_current_dispatch_mode_stack()))
        return u


class Cse(nn.Module):
    """cSE with a sigmoid of its own, which can be left out, and a factor."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp, self.sigmoid, self.idle = Mlp(), nn.Sigmoid(), False
        self.factor = nn.Parameter(torch.ones(8, 1, 1), requires_grad=False)
        self.scaled = False

    def forward(self, u: Tensor) -> Tensor:
        if self.idle:
            return u
        gate = self.sigmoid(self.mlp(u))[:, :, None, None]
        return u * (self.factor * gate if self.scaled else gate)


def network() -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    return nn.Sequential(Told(), Cse(), SequentialSigmoid()).eval(), torch.randn(2, 8, 6, 4)


def probes(model: nn.Module, x: Tensor) -> tuple[Recording, int]:
    """A recording, and in how many passes a probe looked on."""
    PROBED.clear()
    return record(model, x), sum(PROBED)


def assert_same(recording: Recording, expected: Recording) -> None:
    torch.testing.assert_close(recording.output, expected.output)
    assert recording.sites == expected.sites
    assert list(recording.blocks) == list(expected.blocks)
    for name, block in expected.blocks.items():
        for kind in ("channel_gate", "spatial_gate", "full_gate", "activation"):
            torch.testing.assert_close(getattr(recording.blocks[name], kind), getattr(block, kind))
        assert recording.blocks[name].ran == block.ran


def test_the_second_pass_records_the_same_without_a_probe():
    model, x = network()
    before = state_of(model)
    (first, probed), (second, again) = probes(model, x), probes(model, x)
    assert (probed, again) == (1, 0)
    assert_same(second, first)
    assert state_of(model) == before
    assert first.blocks["1"].channel_gate.data_ptr() != second.blocks["1"].channel_gate.data_ptr()


@pytest.mark.parametrize("attention", ["scse", None])
def test_a_network_of_segmentation_models_pytorch_is_recorded_alike_in_every_pass(attention):
    model = smp.Unet("resnet18", encoder_weights=None, decoder_attention_type=attention).eval()
    one, other = torch.randn(1, 3, 64, 64), torch.randn(1, 3, 64, 64)
    record(model, one)
    assert_same(record(model, other), record(copy.deepcopy(model), other))


def test_new_weights_give_new_gates():
    model, x = network()
    record(model, x)
    nn.init.normal_(model[1].mlp.up.weight)
    recording, probed = probes(model, x)
    assert probed == 0
    torch.testing.assert_close(recording.blocks["1"].channel_gate, model[1].mlp(x).sigmoid().detach())


def replaced(model: nn.Module) -> None:
    model[1] = FunctionalSigmoid().eval()


def added(model: nn.Module) -> None:
    model.append(FunctionalSigmoid().eval())


def switched(model: nn.Module) -> None:
    model[1].idle = True


def scaled(model: nn.Module) -> None:
    model[1].scaled = True


def bound(model: nn.Module) -> None:
    model[0].forward = lambda u: u * u.mean(dim=1, keepdim=True).sigmoid()


def hooked(model: nn.Module) -> None:
    model[0].register_forward_hook(lambda module, inputs, u: u * u.mean(dim=1, keepdim=True).sigmoid())


@pytest.mark.parametrize(
    "change", [replaced, added, switched, scaled, bound, hooked], ids=lambda change: change.__name__
)
def test_a_network_that_has_changed_is_probed_anew(change):
    model, x = network()
    record(model, x)
    change(model)
    assert_same(record(model, x), record(copy.deepcopy(model), x))


def test_a_class_whose_forward_was_redefined_is_probed_anew(monkeypatch):
    model, x = network()
    record(model, x)
    monkeypatch.setattr(Cse, "forward", lambda self, u: u * torch.sigmoid(2 * self.mlp(u))[:, :, None, None])
    gate = record(model, x).blocks["1"].channel_gate
    torch.testing.assert_close(gate, (2 * model[1].mlp(x)).sigmoid().detach())


class Depending(nn.Module):
    """Its block runs only for inputs of positive mean."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.told = Cse(), Told()

    def forward(self, u: Tensor) -> Tensor:
        return self.block(self.told(u)) if u.mean() > 0 else self.told(u)


def test_a_pass_that_runs_other_modules_than_the_first_is_probed_anew():
    model, x = Depending().eval(), torch.ones(1, 8, 3, 3)
    assert not record(model, -x).gated
    assert probes(model, -x)[1] == 0
    recording, probed = probes(model, x)
    assert probed == 1
    assert list(recording.blocks) == ["block"]
    assert not record(model, -x).gated


def test_each_shape_of_the_input_is_probed_once_and_the_oldest_is_forgotten():
    model, _ = network()
    inputs = [torch.randn(1, 8, 4, side) for side in range(3, 4 + LIMIT)]
    assert [probes(model, x)[1] for x in inputs] == [1] * len(inputs)
    assert probes(model, inputs[-1])[1] == 0
    assert probes(model, inputs[0])[1] == 1


@pytest.mark.parametrize("kind", [FunctionalSigmoid, OneSigmoidForBoth])
def test_gates_that_no_module_returns_in_its_only_run_are_probed_in_every_pass(kind):
    model = nn.Sequential(Told(), kind()).eval()
    x = torch.randn(1, 8, 5, 5)
    assert [probes(model, x)[1] for _ in range(3)] == [1] * 3


def test_a_gate_that_a_learned_factor_scales_is_named_after_it_and_not_confused_with_its_sigmoid():
    model, x = network()
    model[1].scaled = True
    assert record(model, x).sites["1"].form == "learned × sigmoid"
    model[1].factor.data[:] = 0.5
    torch.testing.assert_close(record(model, x).blocks["1"].channel_gate, 0.5 * model[1].mlp(x).sigmoid().detach())


class Written(GateModule):
    """Returns a sigmoid, which the caller may overwrite."""


class Overwriting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = Written()

    def forward(self, u: Tensor) -> Tensor:
        return u * self.gate(u).clamp_(0.4, 0.5)


def test_a_gate_that_is_overwritten_on_its_way_is_recorded_as_applied():
    model, x = Overwriting().eval(), torch.randn(1, 8, 5, 5)
    for _ in range(2):
        gate = record(model, x).blocks["block"].spatial_gate
        torch.testing.assert_close(x * gate[:, None], model(x).detach())


def test_a_network_that_is_remembered_can_be_forgotten():
    model, x = network()
    model[0].forward = lambda u, model=model: u  # a cycle, as users make them
    record(model, x)
    held = weakref.ref(model)
    del model
    gc.collect()
    assert held() is None


def test_threads_that_share_a_network_from_its_first_pass_on_record_their_own():
    model, _ = network()
    inputs = [torch.randn(1, 8, 4, 4 + seed % 3) for seed in range(8)]
    alone = [record(copy.deepcopy(model), x) for x in inputs]
    start = threading.Barrier(8)

    def passes(at: int) -> None:
        start.wait()
        for _ in range(10):
            assert_same(record(model, inputs[at]), alone[at])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(passes, range(8)))
