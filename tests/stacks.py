"""Networks of any number of blocks at any scale, for tests of what must not assume the nine blocks of ours."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.blocks import VARIANTS, BlockInfo

SCALES = {3: (1, 4, 1), 12: (1, 1, 2, 2, 4, 4, 8, 8, 4, 4, 2, 2)}


def block_table(count: int) -> tuple[BlockInfo, ...]:
    """The blocks of the `Stack` of 3 or 12 stages: named by their paths, with 4, 5, 6, ... channels."""
    return tuple(BlockInfo(f"stages.{n}.block", 4 + n, scale) for n, scale in enumerate(SCALES[count]))


class Stage(nn.Module):
    """A convolution at a scale of its own, with a block behind it."""

    def __init__(self, inputs: int, channels: int, variant: str) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, channels, 3, padding=1)
        self.block = VARIANTS[variant](channels)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        return self.block(self.convolution(F.interpolate(x, size=size)).relu())


class Stack(nn.Module):
    """Stages in a row: x (B, 1, H, W), padded to a multiple of the coarsest scale -> logits (B, classes, H, W)."""

    def __init__(self, table: Sequence[BlockInfo], variant: str, *, classes: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        channels = [1, *(block.channels for block in table)]
        self.scales = [block.scale for block in table]
        self.stages = nn.ModuleList(Stage(before, after, variant) for before, after in pairwise(channels))
        self.classify = nn.Conv2d(channels[-1], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        multiple = max(self.scales)
        x = F.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")
        rows, columns = x.shape[-2:]
        for stage, scale in zip(self.stages, self.scales, strict=True):
            x = stage(x, (rows // scale, columns // scale))
        return F.interpolate(self.classify(x), size=(rows, columns))[..., :height, :width]
