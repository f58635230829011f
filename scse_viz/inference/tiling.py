"""Tiles: an image cut into overlapping parts for a network of fixed input size, and their results blended.

As MONAI's `sliding_window_inference`, which blends outputs alone; here gates and features, at the resolution of their
own stage, are blended as well, and nothing has to be installed.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Tiling:
    """Where tiles of `size` (rows, columns) begin: every one of `tops` with every one of `lefts`."""

    tops: tuple[int, ...]
    lefts: tuple[int, ...]
    size: tuple[int, int]

    @property
    def count(self) -> int:
        """Tiles of one image."""
        return len(self.tops) * len(self.lefts)

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns that the tiles cover."""
        return self.tops[-1] + self.size[0], self.lefts[-1] + self.size[1]

    def cut(self, x: Tensor) -> Tensor:
        """x (B, C, H, W), padded at the bottom and right by replication -> tiles (B × count, C, h, w), by image."""
        rows, columns = self.padded
        x = F.pad(x, (0, columns - x.shape[-1], 0, rows - x.shape[-2]), mode="replicate")
        height, width = self.size
        tiles = [x[..., top : top + height, left : left + width] for top in self.tops for left in self.lefts]
        return torch.stack(tiles, dim=1).flatten(0, 1)

    def join(self, tiles: Tensor) -> Tensor:
        """Maps of tiles (B × count, K, h', w'), of whatever scale -> of images (B, K, H', W'), blended.

        Weights fall linearly from the middle of a tile to its edges, as Tiling covers every pixel.
        """
        height, width = tiles.shape[-2:]
        scale = height / self.size[0], width / self.size[1]
        rows, columns = (round(side * by) for side, by in zip(self.padded, scale, strict=True))
        weight = _hat(height)[:, None] * _hat(width)
        tiles = tiles.unflatten(0, (-1, self.count))
        total = tiles.new_zeros((len(tiles), tiles.shape[2], rows, columns))
        weights = tiles.new_zeros((rows, columns))
        starts = [(top, left) for top in self.tops for left in self.lefts]
        for number, (top, left) in enumerate(starts):
            y, x = min(round(top * scale[0]), rows - height), min(round(left * scale[1]), columns - width)
            total[..., y : y + height, x : x + width] += tiles[:, number] * weight
            weights[y : y + height, x : x + width] += weight
        return total / weights

    def mean(self, gates: Tensor) -> Tensor:
        """One vector a tile (B × count, C) -> their mean over the tiles of an image (B, C)."""
        return gates.unflatten(0, (-1, self.count)).mean(dim=1)


def tiling_of(shape: tuple[int, int], size: tuple[int, int], overlap: float, multiple: int) -> Tiling:
    """Tiles of `size` over an image of `shape`; each begins at a multiple of `multiple`, so that all stages align."""
    starts = []
    for whole, side in zip(shape, size, strict=True):
        step = max(multiple, int(side * (1 - overlap)) // multiple * multiple)
        count = 1 + max(0, -(-(whole - side) // step))
        starts.append(tuple(step * number for number in range(count)))
    return Tiling(starts[0], starts[1], size)


def _hat(side: int) -> Tensor:
    """Weights (side,) that rise to the middle and fall again, all above 0."""
    rising = torch.arange(1, side + 1, dtype=torch.float32)
    return torch.minimum(rising, rising.flip(0)) / side
