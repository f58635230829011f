"""The DenseNet-style network: each convolution of a stage is fed everything before it, in encoder and decoder."""

import torch

from scse_viz.models import build
from scse_viz.models.densenet import DenseBlock


def test_every_convolution_of_a_dense_block_is_fed_everything_before_it():
    block = DenseBlock(channels=3, width=4)
    assert [part[0].in_channels for part in (block.first, block.second, block.join)] == [3, 7, 11]
    fed = []
    block.join.register_forward_pre_hook(lambda module, inputs: fed.append(inputs[0]))
    x = torch.randn(2, 3, 6, 6)
    block(x)
    assert torch.equal(fed[0][:, :3], x)


def test_dense_blocks_are_mirrored_in_the_decoder():
    model = build("densenet", "none", classes=3, widths=(4, 5, 6, 7, 8))
    assert all(isinstance(stage, DenseBlock) for stage in (*model.encoder.values(), model.bottleneck))
    assert list(model.decoder) == ["4", "3", "2", "1"]
    for number, stage in model.decoder.items():
        assert isinstance(stage.dense, DenseBlock)
        width = model.encoder[number].join[0].out_channels
        assert stage.dense.join[0].out_channels == width
        assert stage.dense.first[0].in_channels == 2 * width  # what comes up, and the skip
