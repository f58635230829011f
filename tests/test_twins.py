"""Twins: modules of their own, parameters of the original, and nothing that happens on one reaches the other."""

import pytest
import torch
from torch import nn

from scse_viz.twins import twin
from tests.tiny_networks import images, network, state_of


def test_a_twin_shares_parameters_and_copies_modules_and_buffers():
    model = network()
    copied = twin(model)
    assert all(a is b for a, b in zip(model.parameters(), copied.parameters(), strict=True))
    assert all(a is not b for a, b in zip(model.modules(), copied.modules(), strict=True))
    assert all(a.data_ptr() != b.data_ptr() for a, b in zip(model.buffers(), copied.buffers(), strict=True))


def test_a_hook_on_a_twin_is_on_no_module_of_the_original_and_on_no_other_of_the_twin():
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
def test_what_somebody_gave_a_layer_of_torch_is_copied_with_it(layer):
    layer.inside, layer.bound = (nn.ReLU(), [nn.ReLU()]), layer.forward
    layer.compile(backend="eager")
    copied = twin(layer)
    assert copied.inside[0] is not layer.inside[0]
    assert copied.inside[1][0] is not layer.inside[1][0]
    assert copied.bound.__self__ is copied
    assert copied._compiled_call_impl is None


def test_the_twin_of_a_module_that_is_used_twice_is_one_also_when_it_is_empty():
    shared, empty = nn.ReLU(), nn.Sequential()
    copied = twin(nn.ModuleList([shared, empty, nn.ModuleList([shared, empty])]))
    assert copied[0] is copied[2][0] is not shared
    assert copied[1] is copied[2][1] is not empty


def test_hooks_on_gradients_loading_and_saving_are_not_on_a_twin():
    model, called = network(), []
    model.register_full_backward_hook(lambda *_: called.append("gradient"))
    model.register_state_dict_post_hook(lambda *_: called.append("saving"))
    copied = twin(model)
    copied(images().requires_grad_()).sum().backward()
    copied.state_dict()
    assert called == []


@pytest.mark.filterwarnings("ignore:.torch.jit.:FutureWarning", "ignore:.torch.jit.:DeprecationWarning")
def test_networks_that_have_no_twin_are_refused():
    with pytest.raises(ValueError, match=r"the network is TorchScript.*; give the module it was made from"):
        twin(torch.jit.trace(nn.ReLU(), torch.zeros(1)))
    with pytest.raises(ValueError, match="LazyConv2d has no weights before its first pass; run the network once"):
        twin(nn.Sequential(nn.LazyConv2d(4, 1)))
