"""SOCA and ECA, worked by hand, and against an eigenvalue decomposition and the authors' form."""

import pytest
import torch
from torch import Tensor, nn

from scse_viz.blocks.channel_relatives import EfficientGate, covariance, matrix_root, thinned
from tests.tiny_blocks import block, features


def root_by_eigenvalues(a: Tensor) -> Tensor:
    """V diag(sqrt(e)) V^T of a = V diag(e) V^T, symmetric (B, C, C)."""
    values, vectors = torch.linalg.eigh(a)
    return vectors @ values.clamp_min(0).sqrt().diag_embed() @ vectors.mT


def root_as_the_authors_code_has_it(a: Tensor) -> Tensor:
    """The five steps written out, the first and the last by themselves, as in the code of SAN and of iSQRT-COV."""
    three = 3 * torch.eye(a.shape[1], dtype=a.dtype)
    trace = a.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None]
    a = a / trace
    z = 0.5 * (three - a)
    y = a.bmm(z)
    for _ in range(3):
        half = 0.5 * (three - z.bmm(y))
        y, z = y.bmm(half), half.bmm(z)
    return 0.5 * y.bmm(three - z.bmm(y)) * trace.sqrt()


def test_the_covariance_of_two_channels_worked_by_hand():
    u = torch.tensor([[1.0, 3.0, 1.0, 3.0], [0.0, 4.0, 8.0, 4.0]]).view(1, 2, 2, 2)
    # Means 2 and 4; deviations (-1, 1, -1, 1) and (-4, 0, 4, 0): variances 1 and 8, products 4 + 0 - 4 + 0.
    torch.testing.assert_close(covariance(u), torch.tensor([[[1.0, 0.0], [0.0, 8.0]]]))


def test_one_step_of_the_root_worked_by_hand():
    # A = diag(1, 3), of trace 4: Y = diag(1/4, 3/4), (3 - Y) / 2 = diag(11/8, 9/8), and twice their product.
    root = matrix_root(torch.diag(torch.tensor([1.0, 3.0]))[None], iterations=1)
    torch.testing.assert_close(root, torch.diag(torch.tensor([11 / 16, 27 / 16]))[None])


def test_the_root_equals_that_of_an_eigenvalue_decomposition():
    a = covariance(features((3, 4, 9, 11), dtype=torch.float64).detach())
    expected = root_by_eigenvalues(a)
    torch.testing.assert_close(matrix_root(a, iterations=20), expected, rtol=0, atol=1e-9)
    torch.testing.assert_close(matrix_root(a), expected, rtol=0, atol=1e-3)
    torch.testing.assert_close(expected @ expected, a)


def test_five_iterations_are_those_of_the_authors_code_also_where_they_have_not_converged():
    a = covariance(features((2, 16, 6, 6), dtype=torch.float64).detach() * torch.linspace(0.01, 2, 16)[:, None, None])
    assert not torch.allclose(matrix_root(a), root_by_eigenvalues(a), atol=1e-2)
    torch.testing.assert_close(matrix_root(a), root_as_the_authors_code_has_it(a))


def test_the_gate_of_soca_is_the_excitation_of_mean_rows_of_the_root():
    module, u = block("soca"), features((2, 8, 12, 9)).detach()
    gate = module.channel_gate
    z = torch.stack([root_as_the_authors_code_has_it(covariance(u))[:, row].mean(dim=1) for row in range(8)], dim=1)
    expected = torch.sigmoid(gate.excite(torch.relu(gate.squeeze(z))))
    torch.testing.assert_close(module(u), u * expected[:, :, None, None])


def test_soca_tells_apart_features_of_one_mean_by_their_spread():
    module = block("soca")
    calm, rough = torch.full((1, 8, 6, 6), 2.0), 5 * features((1, 8, 6, 6)).detach()
    rough = rough - rough.mean(dim=(2, 3), keepdim=True) + 2
    gates = module.channel_gate(calm), module.channel_gate(rough)
    assert (gates[0] - gates[1]).abs().max() > 0.01
    cse = block("cse").channel_gate
    torch.testing.assert_close(cse(calm), cse(rough))


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_constant_features_have_a_gate_and_a_gradient(value):
    module, u = block("soca"), torch.full((1, 8, 4, 4), value, requires_grad=True)
    module(u).sum().backward()
    assert u.grad.isfinite().all()
    assert all(weight.grad.isfinite().all() for weight in module.parameters())


@pytest.mark.parametrize(("height", "width", "left"), [(128, 128, 128), (200, 130, 100), (1000, 1024, 125), (9, 9, 9)])
def test_the_cost_of_a_covariance_is_bounded(height, width, left):
    kept = thinned(torch.zeros(1, 1, height, width))
    assert kept.shape[2] == left
    assert kept[0, 0].numel() <= 128 * 128


def test_a_thinned_map_is_every_second_row_and_column():
    u = features((1, 4, 200, 130)).detach()
    assert torch.equal(thinned(u), u[:, :, ::2, ::2])
    gate = block("soca", 4).channel_gate
    torch.testing.assert_close(gate(u), gate(u[:, :, ::2, ::2]))


@pytest.mark.parametrize(("channels", "width"), [(1, 1), (4, 1), (8, 3), (16, 3), (64, 3), (128, 5), (512, 5)])
def test_the_window_of_eca_grows_with_the_logarithm_of_the_channels(channels, width):
    assert EfficientGate(channels).excite.kernel_size == (width,)


def test_the_gate_of_eca_worked_by_hand():
    gate = EfficientGate(8)
    gate.excite.weight = nn.Parameter(torch.tensor([[[1.0, -2.0, 0.5]]]))
    u = torch.arange(8.0)[:, None, None].expand(8, 2, 3)[None]  # channel c has the mean c
    # 1 (c - 1) - 2 c + 0.5 (c + 1) = -0.5 c - 0.5, with zeros beyond either end.
    scores = torch.tensor([0.5, -1.0, -1.5, -2.0, -2.5, -3.0, -3.5, 6 - 14.0])
    torch.testing.assert_close(gate(u).flatten(), scores.sigmoid())
