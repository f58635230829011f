"""Every change acts on gates that are functions as on those that are modules, in hand-written blocks of many makes."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor

from scse_viz.attention import Recording, record
from scse_viz.intervention import (
    OFF,
    Change,
    GateChange,
    Invert,
    Mean,
    Off,
    Region,
    Shuffle,
    Shut,
    Strength,
    intervene,
    sweep_channels,
)
from tests.gate_networks import HAND_WRITTEN, Cbam, OneSigmoidForBoth, SequentialSigmoid, SumOfGates, made
from tests.library_networks import NETWORKS

CHANGES = [Off(), Mean(), Invert(), Shuffle(3), Strength(0.5), Strength(2), Shut((1, 6)), Region(torch.ones(6, 4), 0.3)]
KINDS = ("channel_gate", "spatial_gate", "full_gate")


def factors(recording: Recording, u: Tensor) -> list[Tensor]:
    """The gates of a recording, each in a shape that broadcasts against u."""
    shaped = []
    for block in recording.blocks.values():
        if block.channel_gate is not None:
            shaped.append(block.channel_gate.view(*u.shape[:2], *[1] * (u.ndim - 2)))
        shaped += [] if block.spatial_gate is None else [block.spatial_gate[:, None]]
        shaped += [] if block.full_gate is None else [block.full_gate]
    return shaped


def by_hand(model: nn.Module, u: Tensor, gates: list[Tensor]) -> Tensor:
    """What a hand-written block makes of u and its gates."""
    if isinstance(model, OneSigmoidForBoth | SumOfGates):
        return u * sum(gates)
    for gate in gates:
        u = u * gate
    return u


def fits(change: GateChange, kind: str, gate: Tensor) -> bool:
    """Whether a gate takes a change: channels and regions belong to one kind of gate alone."""
    return {Shut: kind == "channel_gate", Region: gate.ndim == 3}.get(type(change), True)


@pytest.mark.parametrize("change", CHANGES, ids=repr)
@pytest.mark.parametrize("kind", HAND_WRITTEN, ids=lambda kind: kind.__name__)
def test_a_changed_gate_is_the_one_that_is_applied_and_recorded(kind, change):
    model, u = made(kind)
    before = record(model, u)
    changed = 0
    for name, block in before.blocks.items():
        for gate_kind in KINDS:
            gate = getattr(block, gate_kind)
            if gate is None or not fits(change, gate_kind, gate):
                continue
            after = intervene(model, u, {name: Change(**{gate_kind: change})})
            torch.testing.assert_close(getattr(after.blocks[name], gate_kind), change.applied(gate))
            torch.testing.assert_close(after.output, by_hand(model, u, factors(after, u)))
            changed += 1
    assert changed or isinstance(change, Shut | Region)


@pytest.mark.parametrize("kind", HAND_WRITTEN, ids=lambda kind: kind.__name__)
def test_a_block_bypassed_weakened_or_without_channels_does_as_it_says(kind):
    model, u = made(kind)
    gates = factors(record(model, u), u)
    all_off = dict.fromkeys(record(model, u).blocks, OFF)
    torch.testing.assert_close(intervene(model, u, all_off).output, u)
    if kind is Cbam:  # two blocks in a row, of which the second sees the first
        return
    v = by_hand(model, u, gates)
    torch.testing.assert_close(intervene(model, u, {"block": Change(strength=0.5)}).output, u + 0.5 * (v - u))
    knocked = v.clone()
    knocked[:, [2, 5]] = 0
    torch.testing.assert_close(intervene(model, u, {"block": Change(without=(2, 5))}).output, knocked)
    ((_, swept),) = sweep_channels(model, u[:1], "block", [2, 5])
    torch.testing.assert_close(swept.output[0, 2].abs().max(), torch.tensor(0.0))
    torch.testing.assert_close(swept.output[1, :5], v[0, :5])
    bypassed = intervene(model, u, {"block": OFF})
    assert bypassed.blocks["block"].channel_gate is None
    torch.testing.assert_close(bypassed.blocks["block"].activation, u.abs().mean(dim=1))


def test_a_region_refuses_gates_that_are_no_map():
    model, u = made(next(kind for kind in HAND_WRITTEN if kind.__name__ == "ProjectExcite"))
    with pytest.raises(
        ValueError, match=r"a gate of shape \(2, 8, 6, 4\) is no map \(B, h, w\); change a spatial gate"
    ):
        intervene(model, u, {"block": Change(full_gate=Region(torch.ones(6, 4), 0.3))})


def test_a_sigmoid_that_two_blocks_share_is_changed_in_one_of_them():
    model = nn.Sequential(SequentialSigmoid(), SequentialSigmoid()).eval()
    model[1].fc[1] = model[0].fc[1]
    u = torch.randn(2, 8, 6, 4)
    with torch.no_grad():
        torch.testing.assert_close(intervene(model, u, {"1": Change(channel_gate=Off())}).output, model[0](u))
        first = intervene(model, u, {"0": Change(without=(1,))})
    v = model[0](u).detach().index_fill(1, torch.tensor([1]), 0)
    torch.testing.assert_close(first.output, model[1](v).detach())


@pytest.mark.parametrize("name", ["torchvision mobilenet_v3_small", "torchvision efficientnet_b0"])
def test_blocks_of_a_feature_extractor_are_switched_off_and_lose_channels(name):
    model, x = NETWORKS[name].made()
    graph = create_feature_extractor(model, {"features": "features"}).eval()
    blocks = list(record(model, x).blocks)
    assert list(record(graph, x).blocks) == blocks

    whole = record(model.features, x).output
    scale = whole.abs().max()  # random weights make features small

    def effect(change: Change) -> Tensor:
        """The largest effect on the features, of their scale, of a change to one block: the same as in the network."""
        expected = intervene(model.features, x, {blocks[2].removeprefix("features."): change}).output
        output = intervene(graph, x, {blocks[2]: change}).output["features"]
        torch.testing.assert_close(output / scale, expected / scale)
        return (output - whole).abs().max() / scale

    for change in (OFF, Change(without=(0, 3)), Change(channel_gate=Off()), Change(strength=0.5)):
        assert effect(change) > 0.001


def test_a_stage_of_a_network_without_gates_loses_channels_and_is_not_bypassed_where_its_shape_changes():
    model, x = NETWORKS["smp.Unet, no attention"].made()
    stages = list(record(model, x).blocks)
    with pytest.raises(ValueError, match=f"block {stages[-1]!r} returns features of another shape"):
        intervene(model, x, {stages[-1]: OFF})
    knocked = intervene(model, x, {stages[1]: Change(without=(0, 3))}, features=True).blocks[stages[1]].after
    assert (knocked[:, [0, 3]] == 0).all()
    assert knocked[:, 1].abs().max() > 0
