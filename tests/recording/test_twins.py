"""Twins: modules of their own and parameters of the original, so that neither sees what happens to the other."""

import pytest
import torch
from torch import nn

from scse_viz.blocks import VARIANTS
from scse_viz.recording.twins import twin
from tests.tiny_networks import images, network, state_of


def test_a_twin_shares_parameters_and_copies_modules_and_buffers():
    model = network()
    copied = twin(model)
    assert all(a is b for a, b in zip(model.parameters(), copied.parameters(), strict=True))
    assert all(a is not b for a, b in zip(model.modules(), copied.modules(), strict=True))
    assert all(a.data_ptr() != b.data_ptr() for a, b in zip(model.buffers(), copied.buffers(), strict=True))


def test_a_hook_on_a_twin_reaches_neither_the_original_nor_other_modules_of_the_twin():
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU()).eval()
    before, seen = state_of(model), []
    copied = twin(model)
    for _ in range(2):  # with keywords and always called, then plain
        options = {"with_kwargs": True, "always_call": True} if not seen else {}
        copied[1].register_forward_hook(lambda module, *rest: seen.append(len(rest)), **options)
        copied[1].register_forward_pre_hook(lambda module, *rest: seen.append(-len(rest)))
        copied(images())
        model(images())
    assert seen == [-1, 3, -1, -1, 3, 2]
    assert state_of(model) == before


@pytest.mark.parametrize(
    "layer",
    [nn.Conv2d(1, 1, 1), nn.ConvTranspose2d(1, 1, 1), nn.BatchNorm2d(1), nn.Linear(1, 1), nn.ReLU(), nn.Sequential()],
    ids=lambda layer: type(layer).__name__,
)
def test_modules_that_users_attach_to_a_layer_of_torch_are_copied_with_it(layer):
    layer.inside, layer.bound = (nn.ReLU(), [nn.ReLU()]), layer.forward
    copied = twin(layer)
    assert copied.inside[0] is not layer.inside[0]
    assert copied.inside[1][0] is not layer.inside[1][0]
    assert copied.bound.__self__ is copied


def test_the_twin_of_a_module_compiled_in_place_does_not_run_the_original():
    layer, x, compiled = VARIANTS["sse"](4), torch.randn(1, 4, 5, 5), []
    layer.compile(backend=lambda graph, inputs: compiled.append(graph) or graph.forward)
    twin(layer)(x)
    assert compiled == []
    layer(x)
    assert compiled != []


def test_a_module_that_is_used_twice_has_one_twin_even_when_it_is_empty():
    shared, empty = nn.ReLU(), nn.Sequential()
    copied = twin(nn.ModuleList([shared, empty, nn.ModuleList([shared, empty])]))
    assert copied[0] is copied[2][0] is not shared
    assert copied[1] is copied[2][1] is not empty


@pytest.mark.filterwarnings("ignore:.torch.jit.:FutureWarning", "ignore:.torch.jit.:DeprecationWarning")
def test_networks_that_cannot_be_copied_are_refused():
    with pytest.raises(ValueError, match=r"the network is TorchScript.*; give the module it was made from"):
        twin(torch.jit.trace(nn.ReLU(), torch.zeros(1)))
    with pytest.raises(ValueError, match="LazyConv2d has no weights before its first pass; run the network once"):
        twin(nn.Sequential(nn.LazyConv2d(4, 1)))
