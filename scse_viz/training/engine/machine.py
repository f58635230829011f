"""What the engine runs on: device, processes, threads, and the faster precision."""

import math
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from scse_viz.system.devices import AUTO, DeviceError
from scse_viz.training.engine.losses import Batch, cross_entropy_and_dice

DEVICES = (AUTO, "cpu", "cuda")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, eq=False)
class Machine:
    """`workers` processes prepare batches (0: the training itself does), and `parallel` networks learn at once.

    Each of these networks learns in a thread of its own. `precision` is one of PRECISIONS, or "auto" for the quicker.
    """

    accelerator: Accelerator
    workers: int = 0
    parallel: int = 1
    precision: str = AUTO
    clock: Callable[[], float] = time.perf_counter

    @property
    def device(self) -> torch.device:
        return self.accelerator.device

    @property
    def main(self) -> bool:
        """Whether this process is the one that measures and writes."""
        return bool(self.accelerator.is_main_process)

    def shared(self, model: nn.Module) -> nn.Module:
        """The model on the device, channels last, wrapped where several processes train it."""
        wrapped: nn.Module = self.accelerator.prepare_model(model.to(memory_format=torch.channels_last).train())
        return wrapped

    def any_process(self, wish: bool) -> bool:
        """Whether any of the processes says so; all call it after the same step and get the same answer."""
        if wish:
            self.accelerator.set_trigger()
        return bool(self.accelerator.check_trigger())

    def batches(self, batch: Callable[[int], Batch], steps: range) -> Iterator[Batch]:
        """The batches of these steps on the device, images channels last."""
        for image, target in DataLoader(_Steps(batch, steps), batch_size=None, num_workers=self.workers):
            yield image.to(self.device, memory_format=torch.channels_last), target.to(self.device)

    def quicker_precision(self, model: nn.Module, batch: Batch, weights: Tensor) -> tuple[str, str]:
        """The precision in which a step takes less time, the same in all processes, and a sentence that says so.

        A copy of `model` is timed: its weights and statistics, and the random state, stay as they are.
        """
        copy, cuda = deepcopy(model), [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(cuda):
            # Twice each: the first time includes preparation of kernels.
            seconds = {
                precision: min(self._seconds(copy, batch, weights, precision) for _ in range(2))
                for precision in PRECISIONS
            }
        chosen = [min(seconds, key=seconds.__getitem__)]
        broadcast_object_list(chosen)
        times = ", ".join(
            f"{precision} {f'{duration:.3f} s' if math.isfinite(duration) else 'lacks an operation'}"
            for precision, duration in seconds.items()
        )
        return chosen[0], f"precision: {chosen[0]}, the quicker one here (a step in {times})"

    def _seconds(self, model: nn.Module, batch: Batch, weights: Tensor, precision: str) -> float:
        """The time of a step; infinite where torch lacks one of its operations in bfloat16, as early releases do."""
        start = self.clock()
        try:
            loss_of(model, batch, weights, precision).backward()
        except NotImplementedError:
            if precision == "float32":
                raise
            return math.inf
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock() - start


def machine_for(device: str, **options: Any) -> Machine:
    """A machine on `device`: cpu, cuda, or auto for cuda where there is one; raises DeviceError without it."""
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise DeviceError("torch finds no CUDA device; choose --device cpu, or install torch for your graphics card")
    return Machine(Accelerator(cpu=device == "cpu" or not available, mixed_precision="no"), **options)


def loss_of(model: nn.Module, batch: Batch, weights: Tensor, precision: str) -> Tensor:
    """The loss of a batch, with the forward pass in a precision."""
    image, target = batch
    with torch.autocast(image.device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
        logits = model(image)
    return cross_entropy_and_dice(logits, target, weights)


class _Steps(Dataset):
    """The batches of some steps."""

    def __init__(self, batch: Callable[[int], Batch], steps: range) -> None:
        self.batch, self.steps = batch, steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, row: int) -> Batch:
        return self.batch(self.steps[row])
