"""The memory-lean forms against their plain formulas."""

import pytest
import torch
from torch import Tensor

from scse_viz.fused import add_out, max_out, spatial_mean

MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
memory_formats = pytest.mark.parametrize("memory_format", MEMORY_FORMATS.values(), ids=MEMORY_FORMATS.keys())
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])


def features_and_gates(dtype: torch.dtype, memory_format: torch.memory_format) -> tuple[Tensor, Tensor, Tensor]:
    """u (2, 8, 12, 9) with signed values, c and s."""
    u = torch.randn(2, 8, 12, 9).to(dtype).contiguous(memory_format=memory_format)
    return u, torch.rand(2, 8, 1, 1).to(dtype), torch.rand(2, 1, 12, 9).to(dtype)


@memory_formats
@dtypes
@pytest.mark.parametrize("gradient", [False, True])
def test_the_sum_equals_its_formula_to_the_last_bit_in_the_memory_format_of_u(gradient, dtype, memory_format):
    u, c, s = features_and_gates(dtype, memory_format)
    result = add_out(u.requires_grad_(gradient), c, s)
    assert result.stride() == u.stride()
    torch.testing.assert_close(result, u * (c + s), rtol=0, atol=0)


@memory_formats
@dtypes
def test_the_maximum_equals_its_formula_to_the_last_bit_in_the_memory_format_of_u(dtype, memory_format):
    u, c, s = features_and_gates(dtype, memory_format)
    result = max_out(u, c, s)
    assert result.stride() == u.stride()
    torch.testing.assert_close(result, torch.maximum(u * c, u * s), rtol=0, atol=0)


@pytest.mark.parametrize("gates", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_gates_of_another_type_leave_the_result_in_that_of_u(dtype, gates):
    u, c, s = features_and_gates(dtype, torch.contiguous_format)
    c, s = c.to(gates), s.to(gates)
    torch.testing.assert_close(add_out(u, c, s), (u * (c + s)).to(dtype), rtol=0.01, atol=0)


@memory_formats
@dtypes
def test_the_mean_and_its_gradient_are_those_of_torch(dtype, memory_format):
    u, _, _ = features_and_gates(dtype, memory_format)
    ours, theirs = u.clone().requires_grad_(), u.clone().requires_grad_()
    mean, expected = spatial_mean(ours), theirs.mean(dim=(2, 3))
    torch.testing.assert_close(mean, expected)
    mean.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_the_mean_of_large_float16_features_does_not_overflow():
    u = torch.full((1, 2, 300, 300), 9.0, dtype=torch.float16)
    assert torch.equal(spatial_mean(u), u[..., 0, 0])
