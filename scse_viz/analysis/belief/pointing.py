"""Inside, leakage, pointing: how much of a map lies on a structure, against copies of the structure elsewhere."""

from dataclasses import dataclass

import numpy as np

COPIES = 200
TRIES = 40
"""How many shifts are tried for each copy that is wanted, before there are as many as the picture has room for."""
LEAST_INSIDE = 0.5
"""The share of a copy that must lie on the pixels that count."""
MOST_SHARED = 0.5
"""The share of a copy that may lie on the structure itself."""
FEWEST_COPIES = 20


@dataclass(frozen=True, eq=False)
class Pointing:
    """Where the mass of a map lies: shares of its sum over the pixels that count, 0 to 1.

    `inside` the structure, on its `border` around it, and the `leakage` elsewhere; `copies` (N,) what shifted copies of
    the structure of the same area would hold; `hit`: whether the highest pixel lies on structure or border, and
    `hits_by_chance` the share of copies that the highest pixel lies on. Copies are none where there is no room.
    """

    inside: float
    border: float
    copies: np.ndarray
    hit: float
    hits_by_chance: float

    @property
    def leakage(self) -> float:
        """The share of the mass that lies neither inside nor on the border."""
        return 1 - self.inside - self.border


def pointing(
    values: np.ndarray, structure: np.ndarray, counted: np.ndarray, *, border: int = 2, seed: int = 0
) -> Pointing:
    """A map (h, w) of at least 0 and the pixels of a structure -> where its mass lies.

    counted: the pixels of the head; border: its width in pixels. Copies of the structure are shifted in a circle.
    Raises ValueError for a structure without pixels that count.
    """
    structure = structure & counted
    if not structure.any():
        raise ValueError("the structure has no pixel that counts")
    values = np.where(counted, values, 0).astype(np.float64)
    total = values.sum() or 1.0
    grown = _grown(structure, border) & counted
    highest = (values == values.max()) & counted
    size = np.count_nonzero(structure)
    masses, hits = [], []
    for rows, columns in _shifts(structure, counted, seed):
        copy = np.roll(structure, (rows, columns), axis=(0, 1)) & counted
        masses.append(values[copy].mean() * size / total)
        hits.append(highest[np.roll(grown, (rows, columns), axis=(0, 1)) & counted].any())
    return Pointing(
        inside=float(values[structure].sum() / total),
        border=float(values[grown & ~structure].sum() / total),
        copies=np.array(masses),
        hit=float(highest[grown].any() and not highest.all()),
        hits_by_chance=float(np.mean(hits)) if hits else float("nan"),
    )


def one_sided_p(value: float, copies: np.ndarray) -> float:
    """How often a copy reaches the value, (1 + such copies) / (1 + copies); nan for too few copies."""
    if len(copies) < FEWEST_COPIES:
        return float("nan")
    return float((1 + np.count_nonzero(copies >= value - 1e-12)) / (1 + len(copies)))


def _shifts(structure: np.ndarray, counted: np.ndarray, seed: int) -> list[tuple[int, int]]:
    """Shifts that leave a copy mostly on pixels that count, and mostly off the structure."""
    generator = np.random.default_rng(seed)
    size, shifts = np.count_nonzero(structure), []
    rows, columns = np.nonzero(structure)
    height, width = structure.shape
    for row, column in generator.integers(0, structure.shape, size=(COPIES * TRIES, 2)):
        shifted = (rows + row) % height, (columns + column) % width
        if (
            np.count_nonzero(counted[shifted]) >= LEAST_INSIDE * size
            and np.count_nonzero(structure[shifted]) <= MOST_SHARED * size
        ):
            shifts.append((int(row), int(column)))
            if len(shifts) == COPIES:
                break
    return shifts


def _grown(mask: np.ndarray, by: int) -> np.ndarray:
    """The mask (h, w) and every pixel within `by` steps of it, diagonal ones included."""
    padded = np.pad(mask, by)
    height, width = mask.shape
    shifts = range(2 * by + 1)
    return np.any([padded[row : row + height, column : column + width] for row in shifts for column in shifts], axis=0)
