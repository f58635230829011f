"""The paper's blocks against its equations and the reference libraries."""

import numpy as np
import pytest
import torch
from segmentation_models_pytorch.base.modules import SCSEModule
from torch import Tensor, nn

from scse_viz.blocks import VARIANTS, ChannelGate, ConcurrentSE, SpatialGate
from scse_viz.layouts import OURS, SMP, convert
from tests.tiny_blocks import MEMORY_FORMATS, block, features, gradients

memory_formats = pytest.mark.parametrize("memory_format", MEMORY_FORMATS.values(), ids=MEMORY_FORMATS.keys())
SHAPES = [(2, 8, 12, 9), (1, 16, 5, 5), (3, 4, 1, 7), (2, 6, 1, 1), (2, 1, 4, 4)]


@memory_formats
@pytest.mark.parametrize("shape", [(2, 8, 12, 9), (1, 16, 5, 5), (3, 4, 1, 7), (2, 6, 1, 1)])
def test_scse_equals_the_module_of_segmentation_models_pytorch(shape, memory_format):
    ours, u = block("scse", shape[1]), features(shape, memory_format)
    theirs = SCSEModule(shape[1], reduction=2)
    theirs.load_state_dict(convert(ours.state_dict(), OURS, SMP))
    result, to_u, to_weights = gradients(ours, u)
    expected, expected_to_u, expected_to_weights = gradients(theirs, u)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(to_u, expected_to_u, rtol=0, atol=1e-6)
    for key, value in convert(expected_to_weights, SMP, OURS).items():
        torch.testing.assert_close(to_weights[key], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("variant", ["cse", "sse", "scse"])
def test_blocks_equal_the_keras_form_in_numpy(variant):
    module, u = block(variant), features((2, 8, 6, 7))
    weights = {name: value.detach().numpy() for name, value in module.named_parameters()}
    x = u.detach().numpy().transpose(0, 2, 3, 1)  # (B, H, W, C), as Keras has it
    expected = np.zeros_like(x)
    if "channel_gate.squeeze.weight" in weights:
        pooled = x.mean(axis=(1, 2))  # GlobalAveragePooling2D
        dense = pooled @ weights["channel_gate.squeeze.weight"].T + weights["channel_gate.squeeze.bias"]
        dense = np.maximum(dense, 0) @ weights["channel_gate.excite.weight"].T + weights["channel_gate.excite.bias"]
        expected = expected + x * sigmoid(dense)[:, None, None, :]
    if "spatial_gate.squeeze.weight" in weights:
        convolved = x @ weights["spatial_gate.squeeze.weight"].reshape(8, 1) + weights["spatial_gate.squeeze.bias"]
        expected = expected + x * sigmoid(convolved)
    result = module(u).detach().numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def by_formula(variant: str, module: nn.Module, u: Tensor) -> Tensor:
    """The paper's formula of a variant with two halves, in plain operations on the gates of the module."""
    halves = u * module.channel_gate(u), u * module.spatial_gate(u)
    if variant == "scse-concat":
        return module.join(torch.cat(halves, dim=1))
    return {"scse": torch.add, "scse-max": torch.max, "scse-mul": torch.mul}[variant](*halves)


@memory_formats
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("variant", ["scse", "scse-max", "scse-mul", "scse-concat"])
def test_values_and_gradients_of_joined_halves_equal_their_formula_for_signed_input(variant, shape, memory_format):
    module, u = block(variant, shape[1], 1), features(shape, memory_format)
    with torch.no_grad():
        u[0, 0, 0] = 0  # u c = u s: a tie, whose gradient torch.max splits in halves
    result, to_u, to_weights = gradients(module, u)
    reference = nn.Module()
    reference.module = module
    reference.forward = lambda u: by_formula(variant, module, u)
    expected, expected_to_u, expected_to_weights = gradients(reference, u)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(to_u, expected_to_u, rtol=0, atol=2e-6)
    for name, value in expected_to_weights.items():
        torch.testing.assert_close(to_weights[name.removeprefix("module.")], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("variant", ["cse", "sse", "scse", "scse-max", "scse-mul", "scse-concat"])
def test_a_hook_that_returns_another_gate_changes_the_result(variant):
    module, u = block(variant), features((2, 8, 5, 5)).detach()
    before = module(u)
    for part in module.children():
        if isinstance(part, ChannelGate | SpatialGate):
            part.register_forward_hook(lambda gate, inputs, output: output * 0.5)
    expected = {"scse-mul": before / 4}.get(variant, before / 2)
    if variant == "scse-concat":
        bias = module.join.bias[:, None, None]
        expected = (before - bias) / 2 + bias
    torch.testing.assert_close(module(u), expected)


@pytest.mark.parametrize("gate", [torch.tensor(0.25), torch.rand(5, 5), torch.rand(2, 8, 5, 5), torch.rand(8, 1, 1)])
@pytest.mark.parametrize("variant", ["scse", "scse-max"])
def test_a_hook_may_return_a_gate_of_any_shape_that_broadcasts(variant, gate):
    module, u = block(variant), features((2, 8, 5, 5)).detach()
    module.channel_gate.register_forward_hook(lambda *_: gate)
    torch.testing.assert_close(module(u), by_formula(variant, module, u))


def test_a_spatial_gate_of_one_is_the_identity():
    module, u = block("sse"), features((2, 8, 5, 5)).detach()
    nn.init.constant_(module.spatial_gate.squeeze.bias, 100.0)
    torch.testing.assert_close(module(u), u, rtol=0, atol=0)


def test_gates_are_modules_that_return_the_documented_shapes():
    module, u = block("scse"), features((2, 8, 5, 6))
    assert isinstance(module, ConcurrentSE)
    assert module.channel_gate(u).shape == (2, 8, 1, 1)
    assert module.spatial_gate(u).shape == (2, 1, 5, 6)


@pytest.mark.parametrize("variant", ["cse", "scse", "scse-max", "scse-mul", "scse-concat", "soca", "cbam", "pe", "ag"])
@pytest.mark.parametrize("reduction", [9, 0, -2])
def test_a_reduction_that_leaves_no_hidden_unit_is_refused(variant, reduction):
    with pytest.raises(ValueError, match=f"reduction {reduction} leaves no hidden unit of 8 channels; choose 1 to 8"):
        VARIANTS[variant](8, reduction)


@pytest.mark.parametrize("reduction", [1, 3, 8])
def test_any_reduction_that_leaves_a_hidden_unit_is_accepted(reduction):
    assert ChannelGate(8, reduction).squeeze.out_features == 8 // reduction
