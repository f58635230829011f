"""The non-local block: worked by hand, its rows, and its keys on large maps."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from scse_viz.blocks import VARIANTS, NonLocal, Pairs
from scse_viz.blocks.pairs import averaged, key_step
from scse_viz.fused import WRITTEN_OUT, attended
from tests.tiny_blocks import block, features


def by_formula(module: NonLocal, u: torch.Tensor) -> torch.Tensor:
    """u + s W (softmax(q k^T) v) with the whole matrix of shares."""
    query, key, _ = module.attention(u)
    shares = torch.einsum("bdn,bdm->bnm", query.flatten(2), key.flatten(2)).softmax(dim=2)
    looked = torch.einsum("bnm,bdm->bdn", shares, module.value(averaged(u)).flatten(2))
    return u + module.scale * module.join(looked.view(len(u), -1, *u.shape[2:]))


def test_two_pixels_worked_by_hand():
    module = NonLocal(1)
    for layer, weight in (
        (module.attention.query, 1.0),
        (module.attention.key, 2.0),
        (module.value, 3.0),
        (module.join, 0.5),
    ):
        nn.init.constant_(layer.weight, weight)
    nn.init.constant_(module.scale, 0.1)
    # Pixels 0 and 1: pixel 0 scores both 0, so it takes half of 3; pixel 1 scores 0 and 2, so 3 e^2 / (1 + e^2).
    share = torch.tensor(2.0).sigmoid()
    expected = torch.tensor([0 + 0.1 * 0.5 * 1.5, 1 + 0.1 * 0.5 * 3 * share])
    torch.testing.assert_close(module(torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)).flatten(), expected)


@pytest.mark.parametrize("shape", [(2, 16, 7, 9), (1, 16, 40, 36), (1, 8, 64, 96)])
def test_the_block_equals_its_formula_below_and_above_the_size_at_which_the_matrix_is_written_out(shape):
    module, u = block("nonlocal", shape[1]), features(shape).detach()
    torch.testing.assert_close(module(u), by_formula(module, u), rtol=1e-5, atol=1e-5)


def test_a_new_block_is_the_identity_and_learns_its_scale_first():
    module, u = VARIANTS["nonlocal"](8), features((2, 8, 5, 5)).detach()
    assert torch.equal(module(u), u)
    module(u).square().sum().backward()
    assert module.scale.grad != 0
    assert module.value.weight.grad.abs().max() == 0


def test_projections_have_an_eighth_of_the_channels_and_at_least_one():
    assert block("nonlocal", 64).value.out_channels == 8
    assert block("nonlocal", 4).value.out_channels == 1


@pytest.mark.parametrize(
    ("size", "step"), [((32, 32), 1), ((48, 64), 2), ((33, 31), 1), ((32, 33), 2), ((256, 256), 8), ((1, 2000), 2)]
)
def test_at_most_1024_pixels_can_be_looked_at(size, step):
    assert key_step(*size) == step
    u = features((1, 2, *size)).detach()
    near = averaged(u)
    assert near[0, 0].numel() <= 32 * 32
    torch.testing.assert_close(near[..., :1, :1], u[..., :step, :step].mean(dim=(2, 3), keepdim=True))


def test_rows_are_shares_and_what_is_received_is_their_sum():
    module, u = block("nonlocal", 16), features((2, 16, 40, 36)).detach() * 3
    pairs = module.attention(u)
    assert pairs.step == 2
    rows = torch.stack([pairs.row(i, j) for i in range(40) for j in range(36)], dim=1)  # (B, N, h, w)
    assert rows.shape == (2, 40 * 36, 20, 18)
    torch.testing.assert_close(rows.sum(dim=(2, 3)), torch.ones(2, 40 * 36))
    torch.testing.assert_close(pairs.received(), rows.mean(dim=1) * (20 * 18), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(pairs.received().mean(dim=(1, 2)), torch.ones(2))


def test_pixels_with_no_query_look_at_all_alike():
    pairs = Pairs(torch.zeros(1, 2, 4, 4), features((1, 2, 3, 5)).detach())
    torch.testing.assert_close(pairs.row(0, 0), torch.full((1, 3, 5), 1 / 15))
    torch.testing.assert_close(pairs.received(), torch.ones(1, 3, 5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_large_and_small_attention_have_the_same_gradients(dtype):
    generator = torch.Generator().manual_seed(1)
    query, key, value = (torch.randn(2, count, 4, generator=generator).to(dtype) for count in (700, 600, 600))
    assert WRITTEN_OUT < 700 * 600
    computed, expected = [], []

    def plain(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return (q.float() @ k.float().mT).softmax(dim=2) @ v.float()

    for made, run in ((computed, attended), (expected, plain)):
        given = [tensor.clone().requires_grad_() for tensor in (query, key, value)]
        result = run(*given)
        result.float().square().sum().backward()
        made += [result.float(), *(tensor.grad.float() for tensor in given)]
    for one, other in zip(computed, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0.05, atol=0.05 if dtype == torch.bfloat16 else 1e-4)


def test_large_attention_never_writes_the_matrix_out_whatever_the_memory_format():
    query, key, value = (torch.randn(1, 4, count).mT for count in (700, 600, 600))
    with FlopCounterMode(display=False) as counter:
        attended(query, key, value)
    assert torch.ops.aten.bmm not in counter.get_flop_counts().get("Global", {})
