"""Gates of tests, written as files name them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scse_viz.analysis.gates import BlockGates


def typed(arrays: Mapping[str, np.ndarray], pixel_mm: tuple[float, float] = (1.0, 1.0)) -> dict[str, BlockGates]:
    """`encoder1/spatial_gate` -> (h, w), `encoder1/channel_gate` -> (C,), ... -> gates by block.

    The finest map is on the grid of the network's input, whose pixels are of `pixel_mm` (row, column).
    """
    rows = {name.partition("/")[0]: array.shape[-2] for name, array in arrays.items() if array.ndim > 1}
    kinds: dict[str, dict[str, Any]] = {}
    for name, array in arrays.items():
        block, _, kind = name.partition("/")
        kinds.setdefault(block, {})[kind] = array
    for block, finest in ((block, max(rows.values())) for block in rows):
        kinds[block]["map_mm"] = tuple(finest / rows[block] * side for side in pixel_mm)
    return {block: BlockGates(**of_block) for block, of_block in kinds.items()}
