"""The decoder of SD-Net: values return to the positions of the encoder's maxima."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from scse_viz.models.sdnet import Unpool


@pytest.mark.parametrize(
    "memory_format", [torch.contiguous_format, torch.channels_last], ids=["contiguous", "channels_last"]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_unpooling_puts_each_value_where_the_maximum_was_and_zero_elsewhere(memory_format, dtype):
    skip = torch.tensor([[5.0, 1.0, 0.0, 0.0], [2.0, 3.0, 0.0, 7.0]]).expand(1, 3, 2, 4).to(dtype)
    skip = skip.contiguous(memory_format=memory_format)
    pooled, where = F.max_pool2d(skip, 2, return_indices=True)
    stage = Unpool(below=3, skip=3, width=2)
    stage.convolve = nn.Identity()
    joined = stage(pooled * 10, skip, where)
    expected = torch.tensor([[50.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 70.0]]).expand(1, 3, 2, 4).to(dtype)
    assert torch.equal(joined[:, :3], expected)
    assert torch.equal(joined[:, 3:], skip)


def test_features_from_below_are_projected_to_the_channels_that_have_positions():
    skip = torch.randn(2, 4, 6, 6)
    _, where = F.max_pool2d(skip, 2, return_indices=True)
    stage = Unpool(below=7, skip=4, width=5)
    assert stage(torch.randn(2, 7, 3, 3), skip, where).shape == (2, 5, 6, 6)
    assert isinstance(Unpool(below=4, skip=4, width=5).fit, nn.Identity)
