"""Dice of a structure while pixels of the slice are removed in some order, by blur and by another slice."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scse_viz.analysis.belief.removal import SHARES, area, gradient_magnitude, ranked, removed
from scse_viz.inference.belief.case import SliceCase, dice_of
from scse_viz.recording.twins import evaluated_twin

BLUR = 6.0
"""Standard deviation of the blur in pixels: structures of a centimetre vanish in it."""
FILLS = ("blur", "another slice")
DRAWS = 5
"""Random orders: a map that beats all of them does so by chance once in six times on one slice, rarely on several."""


@dataclass(frozen=True, eq=False)
class RemovalCurves:
    """Dice at every share of SHARES in one order, as the mean of both fills: (S,) while pixels go and come back."""

    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def areas(self) -> tuple[float, float]:
        """The areas under both, 0 to 1."""
        return area(self.deletion.tolist()), area(self.insertion.tolist())


def ends(case: SliceCase, model: nn.Module) -> tuple[float, float]:
    """Dice of the whole slice, and without any of its head, the mean of both fills: where all curves begin and end."""
    runner, none = evaluated_twin(model), torch.from_numpy(case.head)
    gone = torch.cat([torch.where(none, substitute, case.x) for substitute in substitutes(case).values()])
    whole, *without = dice_of(runner, torch.cat([case.x, gone]), case)
    return float(whole), float(np.mean(without))


def curves(
    case: SliceCase, model: nn.Module, order: np.ndarray, between: tuple[float, float] | None = None, *, seed: int = 0
) -> RemovalCurves:
    """Remove pixels in falling order of values (h, w), then bring them back in it; between: the `ends`, if known."""
    whole, nothing = ends(case, model) if between is None else between
    positions = ranked(order, case.head, seed=seed)
    masks = np.stack([removed(positions, share) for share in SHARES[1:-1]])  # (S - 2, h, w)
    gone = torch.from_numpy(np.concatenate([masks, case.head & ~masks]))[:, None]
    runner, by_substitute = evaluated_twin(model), []
    for substitute in substitutes(case).values():
        scores = dice_of(runner, torch.where(gone, substitute, case.x), case)
        by_substitute.append(scores)
    deletion, insertion = np.mean(by_substitute, axis=0).reshape(2, -1)
    return RemovalCurves(np.array([whole, *deletion, nothing]), np.array([nothing, *insertion, whole]))


def substitutes(case: SliceCase) -> dict[str, Tensor]:
    """By fill, the picture (1, C, h, w) that pixels are taken from."""
    return dict(zip(FILLS, (blurred(case.x), case.others[:1]), strict=True))


def blurred(x: Tensor, sigma: float = BLUR) -> Tensor:
    """x (B, C, h, w) blurred by a Gaussian of `sigma` pixels, its edges repeated."""
    reach = int(3 * sigma)
    ticks = torch.arange(-reach, reach + 1, dtype=x.dtype)
    kernel = (-0.5 * (ticks / sigma) ** 2).exp()
    kernel = kernel / kernel.sum()
    padded = F.pad(x.reshape(-1, 1, *x.shape[-2:]), (reach,) * 4, mode="replicate")
    across = F.conv2d(padded, kernel.view(1, 1, 1, -1))
    return F.conv2d(across, kernel.view(1, 1, -1, 1)).reshape(x.shape)


def edges(case: SliceCase) -> np.ndarray:
    """The order of the picture's own gradient magnitude (h, w)."""
    return gradient_magnitude(case.x[0].amax(dim=0).numpy())


def random_orders(case: SliceCase, scale: int) -> Iterator[np.ndarray]:
    """Random orders (h, w) by squares of `scale` pixels, as coarse as a map of that scale."""
    height, width = case.size
    for seed in range(DRAWS):
        coarse = np.random.default_rng((seed, scale)).random((-(-height // scale), -(-width // scale)))
        yield np.repeat(np.repeat(coarse, scale, axis=0), scale, axis=1)[:height, :width]
