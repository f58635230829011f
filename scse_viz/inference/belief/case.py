"""What the tests look at: a slice as a network sees it, a structure in it, and the maps of the network's blocks."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.analysis.structures import LEAST_PIXELS
from scse_viz.attention import Recording
from scse_viz.inference.inputs import Prepared, accepted, one_image, prepared, prepared_slice, resampled
from scse_viz.recording.twins import evaluated_twin
from scse_viz.scans import PLANES, ScanError, ScanSlice
from scse_viz.system.devices import on_device
from scse_viz.zoo import Card
from scse_viz.zoo.foreign.opening import segmentation_in

DARK = 0.05
"""Pixels of the network's input up to this value are air, unless the network finds a structure there."""
APART = 8
"""A slice is another one at this share, 1 / 8, of the plane's slices away."""
OTHERS = 3
BATCH = 8
PADDED = 16


@dataclass(frozen=True, eq=False)
class SliceCase:
    """One slice as input x (1, C, h, w), and what the tests need beside it, on the input's grid.

    `structure` (h, w) bool are the pixels of the class `number`, from reference labels or, where there are none, as the
    network predicts it; `head` (h, w) bool the pixels that count. `others` (N, C, h, w) are distant slices of the same
    scan, of which the first replaces pixels that are removed. `sigmoid`: the network has one logit a structure.
    """

    x: Tensor
    number: int
    structure: np.ndarray
    head: np.ndarray
    others: Tensor
    sigmoid: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the input."""
        height, width = self.x.shape[-2:]
        return height, width


def slices_with(labels: np.ndarray, plane: str, number: int, count: int) -> list[int]:
    """At most `count` slices of a plane of labels (X, Y, Z) that show a structure, spread evenly over its extent."""
    pixels = np.count_nonzero(labels == number, axis=tuple(axis for axis in range(3) if axis != PLANES[plane]))
    shown = np.flatnonzero(pixels >= LEAST_PIXELS)
    if not len(shown):
        return []
    positions = np.linspace(0, len(shown) - 1, count + 2)[1:-1] if count < len(shown) else np.arange(len(shown))
    return sorted({int(shown[round(position)]) for position in positions})


def case_of(
    scan_slice: ScanSlice, model: nn.Module, card: Card, number: int, labels: np.ndarray | None = None
) -> SliceCase | None:
    """The case of one slice for the structure with a class number; labels (X, Y, Z) are in class numbers.

    None where the slice shows fewer than LEAST_PIXELS of the structure. Raises ScanError as `inference.segment_slice`.
    """
    runner, sigmoid = evaluated_twin(on_device(model, "cpu")), card.head == "sigmoid"
    inputs = prepared_slice(scan_slice, card)
    x = one_image(inputs, "these tests").contiguous()
    with torch.no_grad(), accepted(inputs):
        predicted = logits_of(runner, x, sigmoid=sigmoid).argmax(dim=1)[0].numpy()
    structure = (predicted if labels is None else _on_input(scan_slice.cut(labels), inputs)) == number
    if np.count_nonzero(structure) < LEAST_PIXELS:
        return None
    head = (predicted > 0) | structure | _bright(x, card)
    others = prepared(scan_slice.scan, card, scan_slice.plane, _distant(scan_slice)).x
    return SliceCase(x, number, structure, head, others, sigmoid)


def logits_of(runner: nn.Module, x: Tensor, *, sigmoid: bool = False) -> Tensor:
    """x (B, C, h, w) -> logits (B, classes, h, w); of a `sigmoid` head that of background is 0.

    Raises ScanError for a network that returns no segmentation.
    """
    logits = segmentation_in(runner(x))
    if logits is None:
        raise ScanError("the network returns no segmentation (B, classes, H, W), which these tests need")
    logits = resampled(logits, (x.shape[-2], x.shape[-1]))
    return torch.cat([torch.zeros_like(logits[:, :1]), logits], dim=1) if sigmoid else logits


def maps_of(recording: Recording, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """The map of every block on the input's grid (h, w): its gate by pixel, or the activation that replaces it."""
    maps = {}
    for name, block in recording.blocks.items():
        of_pixels = block.spatial_gate
        if of_pixels is None and block.full_gate is not None:
            of_pixels = block.full_gate.mean(dim=1)
        if of_pixels is None and block.channel_gate is None:
            of_pixels = block.activation
        if of_pixels is not None and of_pixels.ndim == 3:
            maps[name] = enlarged(of_pixels[0].numpy(), size)
    return maps


def weights_of(recording: Recording) -> dict[str, np.ndarray]:
    """The channel gate (C,) of every block that has one."""
    return {
        name: block.channel_gate[0].numpy()
        for name, block in recording.blocks.items()
        if block.channel_gate is not None
    }


def enlarged(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map (h / s, w / s) on the grid (h, w) of the input, every pixel the value of what covers it.

    Maps lie over the input from its top left. Ours reach beyond it by less than PADDED pixels, and their scale s is the
    power of two that fits.
    """
    rows, columns = (_cells(cells, pixels) for cells, pixels in zip(values.shape, size, strict=True))
    return values[rows[:, None], columns[None]].astype(np.float32)


def dice_of(runner: nn.Module, images: Tensor, case: SliceCase) -> np.ndarray:
    """Dice of the structure in each of several pictures (N, C, h, w) -> (N,)."""
    wanted = torch.from_numpy(case.structure)
    scores = []
    for some in images.split(BATCH):
        with torch.no_grad():
            predicted = logits_of(runner, some, sigmoid=case.sigmoid).argmax(dim=1) == case.number
        both = (predicted & wanted).sum(dim=(1, 2))
        scores.append(2 * both / (predicted.sum(dim=(1, 2)) + wanted.sum()))
    return torch.cat(scores).numpy()


def _cells(cells: int, pixels: int) -> np.ndarray:
    scale = 1
    while cells * scale < pixels:
        scale *= 2
    if cells * scale - pixels >= PADDED:
        return np.arange(pixels) * cells // pixels
    return np.arange(pixels) // scale


def _on_input(labels: np.ndarray, inputs: Prepared) -> np.ndarray:
    """Labels (H, W) on the grid of the input, by the nearest pixel; its padding is background."""
    resized = F.interpolate(torch.from_numpy(labels.astype(np.float32))[None, None], size=inputs.size, mode="nearest")
    bottom, right = (available - rows for available, rows in zip(inputs.x.shape[-2:], inputs.size, strict=True))
    return F.pad(resized, (0, right, 0, bottom))[0, 0].numpy().astype(np.int64)


def _bright(x: Tensor, card: Card) -> np.ndarray:
    """The pixels (h, w) that are not air; all where the card scales intensities in another way than ours."""
    if card.foreign:
        return np.ones(x.shape[-2:], dtype=bool)
    return (x[0].amax(dim=0) > DARK).numpy()


def _distant(scan_slice: ScanSlice) -> list[int]:
    """Slices far from one, on either side of it in turn, within the middle of the plane where heads are."""
    index, count = scan_slice.index, scan_slice.grid.count
    step = max(1, count // APART)
    candidates = [index + sign * step * times for times in (1, 2, 3) for sign in (1, -1)]
    inside = [
        candidate for candidate in candidates if 0.15 * count <= candidate < 0.85 * count and 0 <= candidate < count
    ]
    return inside[:OTHERS] or [(index + count // 2) % count]
