"""How a user's network is trained."""

from dataclasses import dataclass
from pathlib import Path

from scse_viz.training.engine.schedule import Schedule

REPORTS = 20
"""About how often, over a whole training, validation Dice is reported and a checkpoint written."""


@dataclass(frozen=True)
class Settings:
    """Architecture, schedule, and crops: `batch` a step of `size` pixels a side, None for about a whole slice.

    An smp-unet has an `encoder`, and its `encoder_weights` are those of a file, `encoder.HUB`, or random.
    """

    architecture: str
    widths: tuple[int, ...]
    steps: int = 4000
    batch: int = 8
    size: int | None = None
    rate: float = 2e-3
    seed: int = 0
    encoder: str = ""
    encoder_weights: str | Path | None = None

    @property
    def schedule(self) -> Schedule:
        every = max(1, round(self.steps / REPORTS))
        warmup = min(200, self.steps // 10)
        return Schedule(self.steps, self.seed, self.rate, warmup, checkpoint_every=every, report_every=every)
