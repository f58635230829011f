"""How long and how fast networks learn: schedules, and the phases of a training."""

from dataclasses import dataclass

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ChainedScheduler, LinearLR, PolynomialLR


@dataclass(frozen=True)
class Schedule:
    """`steps` batches at a learning rate that rises to `rate` over `warmup` steps and decays polynomially to 0.

    Networks are validated at `snapshots` steps, where their gates are recorded too, and every `report_every` steps (0:
    never). With `settle`, batch normalisation finally takes the mean statistics of the last `settle` batches, computed
    with the final weights, in place of a running mean: precise BatchNorm, in Wu and Johnson, "Rethinking 'Batch' in
    BatchNorm", 2021 (arXiv 2105.07576). `decay` is AdamW's weight decay.
    """

    steps: int
    seed: int = 0
    rate: float = 2e-3
    warmup: int = 200
    power: float = 0.9
    decay: float = 1e-4
    checkpoint_every: int = 500
    report_every: int = 0
    snapshots: int = 20
    settle: int = 0

    def rates(self, optimizer: Optimizer) -> ChainedScheduler:
        """The learning rate of each step for an optimizer created with `rate`."""
        warmup = max(1, self.warmup)
        rise = LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1)
        return ChainedScheduler([rise, PolynomialLR(optimizer, self.steps, self.power)])


@dataclass(frozen=True)
class Phase:
    """A part of a training: `batch` images a step, their rows and columns in pixels of 1 mm from `sizes` in turn."""

    name: str
    batch: int
    sizes: tuple[tuple[int, int], ...]
    schedule: Schedule
