"""Gates are found by what they do: in library networks and hand-written ones, with the values that are applied."""

import re
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, fx, nn

from scse_viz.attention import BlockRecord, find_sites, record
from scse_viz.blocks import VARIANTS
from scse_viz.intervention import OFF, Change, Invert, Off, Region, intervene, sweep_channels
from tests import gate_networks
from tests.gate_networks import (
    HAND_WRITTEN,
    Cbam,
    FunctionalSigmoid,
    Mlp,
    OneSigmoidForBoth,
    SequentialSigmoid,
    ThroughLambda,
    made,
)
from tests.library_networks import LIBRARIES, NETWORKS, TABLE, table

NO_GATES = [gate_networks.Glu, gate_networks.WrittenOutActivations, gate_networks.Head]


def gates_of(block: BlockRecord) -> Iterator[Tensor]:
    return (gate for gate in (block.channel_gate, block.spatial_gate, block.full_gate) if gate is not None)


@pytest.mark.parametrize("kind", HAND_WRITTEN, ids=lambda kind: kind.__name__)
def test_gates_of_a_hand_written_block_are_those_worked_by_hand(kind):
    model, u = made(kind)
    gates = [gate for block in record(model, u).blocks.values() for gate in gates_of(block)]
    with torch.no_grad():
        torch.testing.assert_close(gates, model.gates(u))


@pytest.mark.parametrize("kind", NO_GATES, ids=lambda kind: kind.__name__)
def test_activations_and_classifier_heads_are_no_gates(kind):
    assert not record(*made(kind)).gated


@pytest.mark.parametrize("name", NETWORKS)
def test_gates_of_a_library_network_are_found_and_are_what_its_features_are_multiplied_by(name):
    network = NETWORKS[name]
    model, x = network.made()
    recording = record(model, x, features=True)
    with torch.no_grad():
        torch.testing.assert_close(recording.output, model(x))
    ran = {
        block: block_record
        for block, block_record in recording.blocks.items()
        if block_record.ran and recording.sites[block].gates
    }
    assert len(ran) == network.blocks
    assert sum(not block_record.ran for block_record in recording.blocks.values()) == network.idle
    assert {recording.sites[block].kind for block in ran} == set(network.kind.split(", ") if ran else ())
    assert all(recording.sites[block].form == network.form for block in ran)
    for block_record in ran.values():
        assert all(gate.min() >= 0 and gate.max() <= 1 for gate in gates_of(block_record))
        if network.sums is not None:
            space = [1] * (2 if "branches" in network.form else block_record.before.ndim - 2)
            channel = block_record.channel_gate
            parts = [] if channel is None else [channel.view(*block_record.before.shape[: -len(space)], *space)]
            parts += [] if block_record.spatial_gate is None else [block_record.spatial_gate.unsqueeze(1)]
            parts += [] if block_record.full_gate is None else [block_record.full_gate]
            torch.testing.assert_close(block_record.after, block_record.before * sum(parts))


def test_the_two_gates_of_an_manet_block_are_those_of_its_two_branches():
    model, x = NETWORKS["smp.MAnet"].made()
    expected: dict[str, Tensor] = {}
    for path, module in model.named_modules():
        if path.endswith(("SE_ll", "SE_hl")):
            module.register_forward_hook(lambda *call, path=path: expected.update({path: call[-1].flatten(1)}))
    blocks = record(model, x).blocks
    with torch.no_grad():
        model(x)
    assert len(expected) == 8
    gates = [block.channel_gate for block in blocks.values()]
    for gate in expected.values():
        assert any(gate.shape == other.shape and torch.allclose(gate, other) for other in gates)


def test_the_table_of_networks_in_the_docs_is_that_of_the_tests_and_names_their_versions():
    text = TABLE.read_text()
    assert table() in text, "run python -m tests.library_networks"
    assert all(re.search(rf"{library} \d+\.\d+", text) for library in LIBRARIES)


def test_a_sigmoid_that_two_blocks_share_gives_each_its_own_gate():
    model = nn.Sequential(SequentialSigmoid(), SequentialSigmoid()).eval()
    model[1].fc[1] = model[0].fc[1]
    u = torch.randn(2, 8, 6, 4)
    first, second = record(model, u).blocks.values()
    with torch.no_grad():
        torch.testing.assert_close(first.channel_gate, model[0].gates(u)[0])
        torch.testing.assert_close(second.channel_gate, model[1].gates(model[0](u))[0])
        torch.testing.assert_close(intervene(model, u, {"0": OFF}).output, model[1](u))


def test_both_gates_of_cbam_can_be_bypassed_one_by_one():
    model, u = made(Cbam)
    assert list(find_sites(model, u)) == ["block", "block #2"]
    channel = model.gates(u)[0].detach()
    without_spatial = intervene(model, u, {"block #2": OFF}).output
    torch.testing.assert_close(without_spatial, u * channel[:, :, None, None])
    torch.testing.assert_close(intervene(model, u, {"block": OFF, "block #2": OFF}).output, u)
    shut = intervene(model, u, {"block #2": Change(spatial_gate=Region(torch.ones(6, 4), 0.5))}).output
    torch.testing.assert_close(shut, 0.5 * u * channel[:, :, None, None])


def test_functional_gates_are_changed_like_any_other():
    model, u = made(OneSigmoidForBoth)
    c, s = (gate.detach() for gate in model.gates(u))
    changed = intervene(model, u, {"block": Change(channel_gate=Invert(), spatial_gate=Off())})
    torch.testing.assert_close(changed.output, u * (2 - c)[:, :, None, None])
    torch.testing.assert_close(changed.blocks["block"].channel_gate, 1 - c)
    half = intervene(model, u, {"block": Change(strength=0.5, without=(3,))}).output
    expected = u + 0.5 * (u * (c[:, :, None, None] + s[:, None]) - u)
    expected[:, 3] = 0
    torch.testing.assert_close(half, expected)


class Inside(nn.Module):
    """A gate inside a module that does more."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 1)
        self.mlp = Mlp()

    def forward(self, u: Tensor) -> Tensor:
        u = self.conv(u)
        return self.conv(u * self.mlp(u).sigmoid()[:, :, None, None])


def test_a_block_that_is_a_product_inside_a_module_is_bypassed_there():
    model, u = made(Inside)
    with torch.no_grad():
        v = model.conv(u)
        torch.testing.assert_close(intervene(model, u, {"block": OFF}).output, model.conv(v))
        block = record(model, u, features=True).blocks["block"]
        torch.testing.assert_close(block.before, v)
        torch.testing.assert_close(block.after, v * block.channel_gate[:, :, None, None])
        ((_, swept),) = sweep_channels(model, u[:1], "block", [2, 5])
        v = v[:1] * block.channel_gate[:1, :, None, None]
        v = torch.cat([v, v])
        v[0, 2] = v[1, 5] = 0
        torch.testing.assert_close(swept.output, model.conv(v))


def test_a_block_of_several_products_inside_a_module_is_not_bypassed_silently():
    model = nn.Sequential(nn.Identity(), Split()).eval()
    with pytest.raises(ValueError, match="block '1' is several products inside '1'; change its gates, one by one"):
        intervene(model, torch.randn(1, 8, 6, 4), {"1": OFF})


class Split(OneSigmoidForBoth):
    def forward(self, u: Tensor) -> Tensor:
        return super().forward(u.relu())


def test_a_graph_of_torch_fx_is_recorded_and_changed_under_the_names_of_its_blocks():
    model, x = NETWORKS["torchvision mobilenet_v3_small"].made()
    graph = fx.symbolic_trace(model)
    expected, recording = record(model, x), record(graph, x)
    assert list(recording.blocks) == list(expected.blocks)
    for name, block in expected.blocks.items():
        torch.testing.assert_close(recording.blocks[name].channel_gate, block.channel_gate)
    scale = expected.output.abs().max()  # random weights make it small
    for changes in (dict.fromkeys(recording.blocks, OFF), {"features.4.block.2": Change(without=(1, 2))}):
        changed = intervene(model, x, changes).output / scale
        torch.testing.assert_close(intervene(graph, x, changes).output / scale, changed)
        assert (changed - expected.output / scale).abs().max() > 0.001


def test_a_block_called_through_a_lambda_keeps_its_name():
    model, u = made(ThroughLambda)
    assert list(record(model, u).blocks) == ["block"]
    torch.testing.assert_close(intervene(model, u, {"block": OFF}).output, u)


class TwoInputs(FunctionalSigmoid):
    def forward(self, u: Tensor, other: Tensor) -> Tensor:
        return super().forward(u + other)


def test_a_network_of_two_inputs_takes_them_as_a_tuple():
    model, u = made(TwoInputs)
    recording = record(model, (u, u))
    torch.testing.assert_close(recording.blocks["block"].channel_gate, model.gates(2 * u)[0].detach())
    assert recording.sites["block"].products


def test_a_module_of_torch_export_is_refused_in_a_sentence():
    model, u = made(SequentialSigmoid)
    exported = torch.export.export(model.train(), (u,)).module()
    with pytest.raises(ValueError, match=r"made by torch\.export, which fixes its mode; give the module"):
        record(exported, u)
    with pytest.raises(ValueError, match=r"ExportedProgram is no torch\.nn\.Module; give the network itself"):
        record(torch.export.export(model.eval(), (u,)), u)


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != "none"])
def test_our_blocks_refuse_features_of_3d_networks_with_their_shape(variant):
    features = [torch.randn(1, 8, 3, 4, 5)] * (2 if variant == "ag" else 1)
    ours, of_torch = r"\(1, 8, 3, 4, 5\); the blocks take \(B, C, H, W\)", r"4D .* input of size: \[1, 8, 3, 4, 5\]"
    with pytest.raises((ValueError, RuntimeError), match=f"{ours}|{of_torch}"):
        VARIANTS[variant](8)(*features)


@pytest.mark.parametrize("kind", [OneSigmoidForBoth, SequentialSigmoid])
@pytest.mark.parametrize("way", ["autocast", "channels last", "compiled", "checkpointed", "DataParallel"])
def test_gates_are_found_however_the_network_runs_in_the_first_pass_and_the_next(way, kind):
    model, u = made(kind)
    expected = [gate.detach() for gate in model.gates(u)]
    if way == "channels last":
        model, u = model.to(memory_format=torch.channels_last), u.to(memory_format=torch.channels_last)
    elif way == "compiled":
        model = torch.compile(model, backend="eager")
    elif way == "checkpointed":
        model = Checkpointed(model)
    elif way == "DataParallel":
        model = nn.DataParallel(model)
        model.device_ids = [0, 1]  # as with two graphics cards, which this test does not need
    tolerance = {"rtol": 0.02, "atol": 0.02} if way == "autocast" else {}
    for _ in range(3):
        with torch.autocast("cpu", torch.bfloat16, enabled=way == "autocast"):
            (block,) = record(model, u).blocks.values()
        torch.testing.assert_close([gate.float() for gate in gates_of(block)], expected, **tolerance)


class Checkpointed(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, u: Tensor) -> Tensor:
        return torch.utils.checkpoint.checkpoint(self.inner, u, use_reentrant=False)


class CompiledForward(FunctionalSigmoid):
    @torch.compile(backend="eager")
    def forward(self, u: Tensor) -> Tensor:
        return u * torch.sigmoid(self.renamed(u))[:, :, None, None]


def test_gates_inside_a_compiled_function_are_found_before_and_after_it_was_compiled():
    model, u = made(CompiledForward)
    for _ in range(2):
        (block,) = record(model, u).blocks.values()
        torch.testing.assert_close(block.channel_gate, model.renamed(u).sigmoid().detach())
        model(u)
