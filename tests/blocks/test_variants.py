"""What holds for every row of VARIANTS."""

import pytest
import torch

from scse_viz.blocks import GATES, PAPER, RELATIVES, VARIANTS
from tests.tiny_blocks import MEMORY_FORMATS, block, features, inputs

memory_formats = pytest.mark.parametrize("memory_format", MEMORY_FORMATS.values(), ids=MEMORY_FORMATS.keys())


@memory_formats
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_keeps_shape_memory_format_and_type_and_passes_gradcheck(variant, memory_format):
    module, u = block(variant, 4).double(), features((2, 4, 3, 5), memory_format, torch.float64)
    given = inputs(variant, u)
    result = module(*given)
    assert result.shape == u.shape
    assert result.dtype == u.dtype
    assert result.is_contiguous(memory_format=memory_format)
    assert torch.autograd.gradcheck(module, given)


@memory_formats
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_runs_in_bfloat16_under_autocast(variant, memory_format):
    module, given = block(variant), inputs(variant, features((2, 8, 6, 6), memory_format))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = module(*(tensor.bfloat16() for tensor in given))
    result.float().square().sum().backward()
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result.float(), module(*given), rtol=0.03, atol=0.03)
    assert all(parameter.grad.dtype == torch.float32 for parameter in module.parameters())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_compiled_and_an_exported_block_compute_the_same(variant):
    module, given = block(variant), inputs(variant, features((2, 8, 6, 6)).detach())
    expected = module(*given)
    torch.testing.assert_close(torch.compile(module, backend="eager")(*given), expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(torch.export.export(module, given).module()(*given), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_can_be_differentiated_twice(variant):
    u = features((1, 3, 2, 2), dtype=torch.float64)
    assert torch.autograd.gradgradcheck(block(variant, 3).double(), inputs(variant, u))


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "none"])
def test_every_part_of_a_block_that_makes_gates_is_named_by_what_it_tells_apart(variant):
    names = {name for name, part in block(variant).named_children() if isinstance(part, sum(GATES.values(), ()))}
    assert names
    assert names <= set(GATES)


def test_the_table_lists_the_paper_first_and_then_its_relatives():
    assert list(VARIANTS) == [*PAPER, *RELATIVES]
    assert list(VARIANTS)[:4] == ["none", "cse", "sse", "scse"]
