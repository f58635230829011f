"""Slices of a scan as the input of a network, as its preprocessing says, and its output back on them."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from scse_viz.attention import BlockRecord, Recording
from scse_viz.inference.tiling import Tiling, tiling_of
from scse_viz.scans import Scan, ScanError, ScanSlice, slice_grid, slice_of
from scse_viz.system.devices import on_processor
from scse_viz.zoo import Card, Preprocessing
from scse_viz.zoo.foreign.opening import segmentation_in

TOLERANCE = 0.05
"""A slice is not resampled where its pixel size is within this share of the card's."""
LARGEST = 1024 * 1024
"""Pixels of one pass, all slices of a batch together: 0.6 GB of features in a shipped U-Net."""
SAMPLE = 500_000
"""Voxels, about, from which percentiles are computed; a larger scan is subsampled evenly."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """The input of one pass: x (N, in_channels, h, w), of which `size` (rows, columns) are slice and the rest padding.

    With a `tiling`, the N images are the tiles of each slice in turn.
    """

    x: Tensor
    size: tuple[int, int]
    card: Card
    tiling: Tiling | None = None

    def joined(self, recording: Recording) -> Recording:
        """A recording of the pass whose output is class logits (B, classes, rows, columns), and whose tiles are joined.

        All of it is moved to the processor.
        Softmax over the classes gives their probabilities. A sigmoid head gives one logit a structure; background's is
        0, so that a pixel is background where every structure has less than one half, and else the likeliest structure.
        """
        blocks = {name: on_processor(block) for name, block in recording.blocks.items()}
        if not self.card.foreign:
            return replace(recording, output=recording.output.cpu(), blocks=blocks)
        output = segmentation_in(recording.output)
        if output is None:
            raise ScanError(f"{self.card.name}: returns no segmentation (B, classes, H, W)")
        output = resampled(output.cpu().float(), (self.x.shape[-2], self.x.shape[-1]))
        if self.tiling is not None:
            output = self.tiling.join(output)
            blocks = {name: _joined_block(block, self.tiling) for name, block in blocks.items()}
        output = output[..., : self.size[0], : self.size[1]]
        if self.card.head == "sigmoid":
            output = torch.cat([torch.zeros_like(output[:, :1]), output], dim=1)
        return replace(recording, output=output, blocks=blocks)


def window(scan: Scan, card: Card) -> tuple[float, float]:
    """The intensities mapped to 0 and 1, the same for all slices of a scan: the card's percentiles, or as its scaling.

    Where the two percentiles coincide the scan's minimum and maximum are used; a constant scan maps to 0.
    """
    step = math.ceil((scan.voxels.size / SAMPLE) ** (1 / 3))
    sample = scan.voxels[::step, ::step, ::step]
    preprocessing = card.preprocessing
    if preprocessing.scaling in _FIXED:
        return _FIXED[preprocessing.scaling]
    if preprocessing.scaling == "z-score":
        mean, deviation = float(sample.mean(dtype=np.float64)), float(sample.std(dtype=np.float64))
        return mean, mean + (deviation or 1.0)
    low, high = np.percentile(sample, (preprocessing.window.low, preprocessing.window.high))
    if low == high:
        low, high = float(scan.voxels.min()), float(scan.voxels.max())
    if low == high:
        high = low + max(1, abs(low))
    return float(low), float(high)


_FIXED = {"8-bit": (0.0, 255.0), "none": (0.0, 1.0)}


def input_size(scan: Scan, card: Card, plane: str) -> tuple[int, int]:
    """Rows and columns that a slice has in the network's input: its own, or those that the preprocessing asks for.

    Raises ScanError for a plane the scan lacks, and for slices beyond `LARGEST` before or after resampling.
    """
    if plane not in scan.planes:
        raise ScanError(
            f"{scan.name}: no {plane} slices in this image; choose {' or '.join(scan.planes) or 'another image'}"
        )
    grid, preprocessing = slice_grid(scan, plane), card.preprocessing
    rows, columns = grid.height, grid.width
    if preprocessing.size is not None and preprocessing.fit == "resize":
        rows, columns = preprocessing.size
    elif preprocessing.pixel_mm is not None:
        rows = _pixels(grid.height, grid.row_mm, preprocessing.pixel_mm)
        columns = _pixels(grid.width, grid.column_mm, preprocessing.pixel_mm)
    for height, width in ((grid.height, grid.width), (rows, columns)):
        if height * width > LARGEST:
            raise ScanError(
                f"{scan.name}: {plane} slices of {height} × {width} pixels; the limit is {LARGEST:,} pixels, "
                "crop or shrink the image"
            )
    return rows, columns


def prepared(
    scan: Scan, card: Card, plane: str, indices: Sequence[int], levels: Sequence[tuple[float, float]] | None = None
) -> Prepared:
    """Slices of a plane as input of a network. `levels` are those of `window`, one per channel; computed unless given.

    The field of view is kept, its edges aligned. Raises ScanError as `input_size`, and for a network whose channels are
    scans of different kinds, if the scan has fewer.
    """
    preprocessing = card.preprocessing
    scans = channel_scans(scan, card)
    size = input_size(scan, card, plane)
    levels = [window(channel_scan, card) for channel_scan in scans] if levels is None else levels
    images = [
        _scaled(channel_scan, card, plane, indices, level) for channel_scan, level in zip(scans, levels, strict=True)
    ]
    x = resampled(torch.cat(images, dim=1), size)
    x = x.expand(-1, card.in_channels, -1, -1)
    if preprocessing.mean:
        x = (x - _by_channel(preprocessing.mean)) / _by_channel(preprocessing.std)
    tiling = None
    if preprocessing.size is not None and preprocessing.fit == "tile":
        tiling = tiling_of(size, preprocessing.size, preprocessing.overlap, preprocessing.multiple)
        x = tiling.cut(x)
    elif preprocessing.size is None:
        x = _padded(x, preprocessing)
    return Prepared(x, size, card, tiling)


def channel_scans(scan: Scan, card: Card) -> tuple[Scan, ...]:
    """The scans that fill a network's channels: several, each of its own kind, or the one that fills all."""
    if not card.channels:
        return (scan,)
    scans = scan.channels or (scan,)
    if len(scans) != len(card.channels):
        given, wanted = "a single volume" if len(scans) == 1 else f"{len(scans)} volumes", ", ".join(card.channels)
        raise ScanError(
            f"{scan.name}: {given}, and {card.name} sees {len(card.channels)} at once ({wanted}); give a 4-D file of "
            "them, or as many scans on one grid, in this order"
        )
    return scans


def network_input(scan: Scan, card: Card, plane: str, indices: Sequence[int], levels: tuple[float, float]) -> Tensor:
    """Slices of a plane as input of a network that one scan fills: (B, in_channels, h, w). Raises as `prepared`."""
    return prepared(scan, card, plane, indices, [levels]).x


def slice_input(scan_slice: ScanSlice, card: Card) -> Tensor:
    """One slice as input of a network, (1, in_channels, h, w), or its tiles. Raises as `prepared`."""
    return prepared_slice(scan_slice, card).x


def prepared_slice(scan_slice: ScanSlice, card: Card) -> Prepared:
    """One slice as input of a network. Raises as `prepared`."""
    return prepared(scan_slice.scan, card, scan_slice.plane, [scan_slice.index])


def one_image(inputs: Prepared, what: str) -> Tensor:
    """The input (1, C, h, w) of a slice that is not cut into tiles; raises ScanError for one that is."""
    if len(inputs.x) != 1:
        raise ScanError(f"{inputs.card.name}: reads the slice in {len(inputs.x)} tiles, and {what} needs it whole")
    return inputs.x


@contextmanager
def accepted(inputs: Prepared) -> Iterator[None]:
    """Turns the errors that a network of another library raises for an image into ScanError."""
    if not inputs.card.foreign:
        yield
        return
    try:
        yield
    except (ScanError, MemoryError):
        raise
    except (RuntimeError, AssertionError, ValueError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        shape = " × ".join(map(str, inputs.x.shape[-2:]))
        raise ScanError(f"{inputs.card.name}: does not take an image of {shape} pixels ({said[:200]})") from error


def resampled(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, antialiased when shrinking: x (B, C, H, W) -> (B, C, *size) over the same field of view."""
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=True)


def _scaled(scan: Scan, card: Card, plane: str, indices: Sequence[int], levels: tuple[float, float]) -> Tensor:
    """Slices (B, 1, H, W) with intensities as the network wants them."""
    low, high = levels
    slices = np.stack([slice_of(scan.voxels, plane, index) for index in indices]).astype(np.float64)
    scaled = (slices - low) / (high - low)
    if card.preprocessing.scaling == "window":
        scaled = scaled.clip(0, card.preprocessing.window.maximum)
    return torch.from_numpy(scaled.astype(np.float32))[:, None]


def _padded(x: Tensor, preprocessing: Preprocessing) -> Tensor:
    rows, columns = x.shape[-2:]
    bottom, right = -rows % preprocessing.multiple, -columns % preprocessing.multiple
    return F.pad(x, (0, right, 0, bottom), mode="replicate") if bottom or right else x


def _by_channel(numbers: Sequence[float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32)[:, None, None]


def _joined_block(block: BlockRecord, tiling: Tiling) -> BlockRecord:
    """The record of a block on tiles as one on whole slices; a channel gate becomes its mean over the tiles."""

    def of_maps(maps: Tensor | None) -> Tensor | None:  # (B * tiles, h, w)
        return None if maps is None else tiling.join(maps[:, None])[:, 0]

    def of_features(features: Tensor | None) -> Tensor | None:  # (B * tiles, C, h, w)
        return None if features is None or features.ndim != 4 else tiling.join(features)

    return replace(
        block,
        channel_gate=None if block.channel_gate is None else tiling.mean(block.channel_gate),
        spatial_gate=of_maps(block.spatial_gate),
        full_gate=of_features(block.full_gate),
        activation=of_maps(block.activation),
        attention=None,  # pixels of one tile never look at those of another
        before=of_features(block.before),
        after=of_features(block.after),
    )


def _pixels(count: int, from_mm: float, to_mm: float) -> int:
    """The number of `to_mm` pixels over `count` pixels of `from_mm`; `count` where the sizes agree within TOLERANCE."""
    if abs(from_mm / to_mm - 1) <= TOLERANCE:
        return count
    return max(1, round(count * from_mm / to_mm))
