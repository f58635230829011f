"""Recording: what is recorded is what was applied, and the network is left untouched."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from scse_viz.attention import find_sites, record
from scse_viz.blocks import PAPER, VARIANTS
from scse_viz.models import ARCHITECTURES, BLOCK_NAMES
from scse_viz.recording.sites import Site
from tests.tiny_networks import WIDTHS, images, network, state_of


def equal(recording, other) -> bool:
    """Whether two recordings of the same network agree to the last bit."""
    return torch.equal(recording.output, other.output) and all(
        torch.equal(block.channel_gate, other.blocks[name].channel_gate)
        and torch.equal(block.spatial_gate, other.blocks[name].spatial_gate)
        for name, block in recording.blocks.items()
    )


@pytest.mark.parametrize("variant", PAPER)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_network_is_recorded_block_by_block_in_order(architecture, variant):
    recording = record(network(variant, architecture), images(2))
    assert tuple(recording.blocks) == BLOCK_NAMES
    sides = [32, 16, 8, 4, 2, 4, 8, 16, 32]
    for block, width, side in zip(recording.blocks.values(), [*WIDTHS, *WIDTHS[3::-1]], sides, strict=True):
        has_channel, has_spatial = variant not in ("none", "sse"), variant not in ("none", "cse")
        assert (block.channel_gate is not None) == has_channel
        assert (block.spatial_gate is not None) == has_spatial
        assert (block.activation is not None) == (variant == "none")
        if has_channel:
            assert block.channel_gate.shape == (2, width)
        if has_spatial:
            assert block.spatial_gate.shape == (2, side, side)
        if variant == "none":
            assert block.activation.shape == (2, side, side)
        assert block.before is None
        assert block.after is None


def test_the_output_equals_that_of_a_plain_pass_and_needs_no_gradient():
    model, x = network().eval(), images()
    with torch.no_grad():
        assert torch.equal(record(model, x).output, model(x))
    assert not record(model, x.requires_grad_()).output.requires_grad


def test_input_features_times_recorded_gates_are_the_output_features():
    for block in record(network(), images(2), features=True).blocks.values():
        gates = block.channel_gate[:, :, None, None] + block.spatial_gate[:, None]
        torch.testing.assert_close(block.after, block.before * gates)


def test_the_activation_of_a_block_without_gates_is_the_mean_magnitude_of_its_output():
    for block in record(network("none"), images(2), features=True).blocks.values():
        torch.testing.assert_close(block.activation, block.after.abs().mean(dim=1))


def test_features_are_copied_before_later_layers_overwrite_them():
    model = nn.Sequential(VARIANTS["scse"](4), nn.ReLU(inplace=True), nn.Hardtanh(-0.1, 0.1, inplace=True))
    x = torch.randn(1, 4, 5, 5)
    (block,) = record(model, x, features=True).blocks.values()
    torch.testing.assert_close(block.before, x)
    torch.testing.assert_close(block.after, model[0](x))


class Scaling(nn.Module):
    """Overwrites its input and its gate, as memory-saving code does."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Sigmoid()

    def forward(self, u: Tensor) -> Tensor:
        gate = self.gate(u.mean(dim=(2, 3), keepdim=True))
        u.mul_(gate)
        gate.zero_()
        return u


def test_records_are_copied_before_a_block_that_works_in_place_overwrites_them():
    x = torch.randn(1, 4, 5, 5)
    before = x.clone()
    (block,) = record(Scaling(), x, features=True, sites={"scaling": Site("", channel_gate="gate")}).blocks.values()
    assert torch.equal(block.before, before)
    torch.testing.assert_close(block.channel_gate, before.mean(dim=(2, 3)).sigmoid())


class Failing(nn.Module):
    def forward(self, u: Tensor) -> Tensor:
        raise FloatingPointError("on purpose")


@pytest.mark.parametrize("raises", [False, True])
def test_nothing_is_left_on_the_network_even_when_the_pass_raises(raises):
    model = network().train()
    if raises:
        model.classifier = Failing()
    model.encoder["1"].eval()
    model.bottleneck.requires_grad_(False)
    before, tensors = state_of(model), copy.deepcopy(model.state_dict())
    needs_gradient = [parameter.requires_grad for parameter in model.parameters()]
    if raises:
        with pytest.raises(FloatingPointError, match="on purpose"):
            record(model, images())
    else:
        record(model, images())
    assert state_of(model) == before
    assert all(torch.equal(value, tensors[name]) for name, value in model.state_dict().items())
    assert [parameter.requires_grad for parameter in model.parameters()] == needs_gradient
    assert all(parameter.grad is None for parameter in model.parameters())


class Counting(nn.Module):
    """Writes to a buffer, an attribute and a list in every pass, in evaluation mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("passes", torch.zeros(()))
        self.seen: list[int] = []
        self.last: Tensor | None = None

    def forward(self, u: Tensor) -> Tensor:
        self.passes += 1
        self.seen.append(len(u))
        self.last = u
        return u


def test_state_that_modules_write_during_a_pass_does_not_reach_the_network():
    model = nn.Sequential(Counting(), VARIANTS["cse"](4), nn.BatchNorm2d(4, momentum=None)).train()
    record(model, torch.randn(2, 4, 5, 5))
    assert model[0].passes == 0
    assert model[0].seen == []
    assert model[0].last is None
    assert model[2].num_batches_tracked == 0


def test_eight_threads_that_share_a_network_never_see_each_others_gates():
    model = network().train()
    alone = [record(model, images(seed=seed)) for seed in range(8)]
    start = threading.Barrier(8)

    def passes(seed: int) -> int:
        start.wait()
        return sum(equal(record(model, images(seed=seed)), alone[seed]) for _ in range(25))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(passes, range(8))) == [25] * 8
    assert state_of(model) == state_of(network().train())


def test_a_recording_is_undisturbed_while_another_thread_runs_switches_and_hooks_the_network():
    model, x, done = network().eval(), images(), threading.Event()
    alone = record(model, x)

    def own() -> int:
        runs = 0
        while not done.is_set():
            handles = [part.register_forward_hook(lambda *_: None) for part in model.modules()]
            with torch.no_grad():
                assert torch.equal(model.eval()(x), alone.output)
            model.train()
            for handle in handles:
                handle.remove()
            runs += 1
        return runs

    with ThreadPoolExecutor(1) as pool:
        owner = pool.submit(own)
        try:
            assert all(equal(record(model, x), alone) for _ in range(40))
        finally:
            done.set()
        assert owner.result() > 0


def test_hooks_on_the_network_run_and_a_gate_that_they_replace_is_recorded_as_replaced():
    model, seen = network(), []
    model.blocks["bottleneck"].register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    model.blocks["encoder2"].channel_gate.register_forward_hook(lambda module, inputs, output: output * 0 + 0.75)
    plain = model.eval()(images())
    recording = record(model, images())
    assert seen == [(1, 8, 2, 2)] * 2
    assert (recording.blocks["encoder2"].channel_gate == 0.75).all()
    torch.testing.assert_close(recording.output, plain)


def test_hooks_on_the_network_that_take_keywords_run_in_a_recording():
    model, seen = network().eval(), []
    gate = model.blocks["encoder2"].channel_gate
    gate.register_forward_pre_hook(lambda module, inputs, keywords: seen.append(keywords), with_kwargs=True)
    gate.register_forward_hook(lambda module, inputs, keywords, output: seen.append(keywords), with_kwargs=True)
    record(model, images())
    assert seen == [{}, {}]


def test_a_gate_that_a_hook_returns_and_later_overwrites_is_recorded_as_it_was_applied():
    model, constant = network().eval(), torch.full((1, 8, 1, 1), 0.75)
    model.blocks["bottleneck"].channel_gate.register_forward_hook(lambda module, inputs, output: constant)
    recording = record(model, images())
    constant.zero_()
    assert (recording.blocks["bottleneck"].channel_gate == 0.75).all()


def test_hooks_on_gradients_and_on_saving_are_not_called_and_stay():
    model, called = network(), []
    model.register_full_backward_hook(lambda *_: called.append("gradient"))
    model.register_state_dict_post_hook(lambda *_: called.append("saving"))
    plain = record(network(), images())
    assert equal(record(model, images()), plain)
    assert called == []
    model(images().requires_grad_()).sum().backward()
    model.state_dict()
    assert called == ["gradient", "saving"]


@pytest.mark.parametrize("training", [False, True])
def test_batch_normalisation_uses_its_running_statistics_and_does_not_update_them(training):
    model = nn.Sequential(nn.BatchNorm2d(4), VARIANTS["cse"](4))
    model[0].running_mean += 3
    before, x = copy.deepcopy(model.state_dict()), torch.randn(2, 4, 5, 5)
    recording = record(model.train(training), x)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    torch.testing.assert_close(recording.output, model.eval()(x))


@pytest.mark.parametrize("compiled", ["whole", "in place", "a part"])
def test_a_compiled_network_is_recorded_under_the_same_names(compiled):
    model, x = network(), images()
    expected = record(model, x)
    if compiled == "whole":
        model = torch.compile(model, backend="eager")
    elif compiled == "in place":
        model.compile(backend="eager")
    else:
        model.blocks["encoder1"] = torch.compile(model.blocks["encoder1"], backend="eager")
    assert list(find_sites(model)) == list(BLOCK_NAMES)
    assert equal(record(model, x), expected)


def test_two_sites_may_share_a_gate():
    model, path = network().eval(), "blocks.bottleneck.channel_gate"
    sites = {name: Site("blocks.bottleneck", channel_gate=path) for name in ("one", "other")}
    one, other = record(model, images(), sites=sites).blocks.values()
    assert torch.equal(one.channel_gate, other.channel_gate)


def test_a_site_without_a_module_is_refused_with_its_path():
    with pytest.raises(ValueError, match=r"site 'first' is at 'blocks.encoder9', where the network has no module"):
        record(network(), images(), sites={"first": Site("blocks.encoder9")})


def test_a_network_without_gates_says_so_and_gives_the_activations_of_its_stages():
    model, x = smp.Unet("resnet18", encoder_weights=None), torch.randn(1, 3, 64, 64)
    recording = record(model, x, features=True)
    assert not recording.gated
    assert [block.activation.shape[1] for block in recording.blocks.values()] == [16, 8, 4, 2, 4, 8, 16, 32, 64]
    for block in recording.blocks.values():
        torch.testing.assert_close(block.activation, block.after.abs().mean(dim=1))
    assert record(network("scse"), images()).gated
