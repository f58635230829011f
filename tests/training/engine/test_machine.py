"""The quicker precision is chosen by a clock, and choosing it changes nothing about the training."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from scse_viz.models import build
from scse_viz.training.engine.checkpoint import CheckpointError
from scse_viz.training.engine.loop import Task, train
from scse_viz.training.engine.losses import Batch
from scse_viz.training.engine.machine import Machine, machine_for
from scse_viz.training.engine.schedule import Schedule

NOW = [0.0]


class Timed(nn.Module):
    """A network whose forward pass takes so many seconds of a clock that stands still else; it drops out as well."""

    def __init__(self, float32: float, bfloat16: float) -> None:
        super().__init__()
        self.inner = build("unet", "scse", classes=3, widths=(4, 4, 4, 4, 4), seed=0)
        self.dropout = nn.Dropout(0.2)
        self.seconds = float32, bfloat16

    def forward(self, x: Tensor) -> Tensor:
        NOW[0] += self.seconds[torch.is_autocast_enabled("cpu")]
        return self.dropout(self.inner(x))


class Lacking(Timed):
    """A network with an operation that this torch does not have in bfloat16."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_autocast_enabled("cpu"):
            raise NotImplementedError("\"max_unpooling2d_forward_cpu\" not implemented for 'BFloat16'")
        return super().forward(x)


def batch(step: int) -> Batch:
    generator = torch.Generator().manual_seed(step)
    return torch.rand(2, 1, 32, 32, generator=generator), torch.randint(3, (2, 32, 32), generator=generator)


def task(**others: Any) -> Task:
    schedule = Schedule(steps=4, warmup=0, checkpoint_every=2)
    return Task(batch, schedule, torch.ones(3), ["0", "1", "2"], [batch(9)], batch(9)[0], **others)


def machine(**options: Any) -> Machine:
    return machine_for("cpu", **{"clock": lambda: NOW[0], **options})


@pytest.mark.parametrize(("float32", "bfloat16", "chosen"), [(1.06, 10.4, "float32"), (0.35, 0.21, "bfloat16")])
def test_the_precision_in_which_a_step_takes_less_time_is_chosen_and_said(
    float32: float, bfloat16: float, chosen: str, tmp_path: Path
) -> None:
    said: list[str] = []
    trained = train({"net": Timed(float32, bfloat16)}, task(say=said.append), tmp_path / "run.pt", machine())
    assert trained.precision == chosen
    times = f"a step in float32 {float32:.3f} s, bfloat16 {bfloat16:.3f} s"
    assert said == [f"precision: {chosen}, the quicker one here ({times})"]


def test_float32_is_chosen_where_torch_lacks_an_operation_in_bfloat16(tmp_path: Path) -> None:
    said: list[str] = []
    trained = train({"net": Lacking(2, 1)}, task(say=said.append), tmp_path / "run.pt", machine())
    assert trained.precision == "float32"
    assert said == ["precision: float32, the quicker one here (a step in float32 2.000 s, bfloat16 lacks an operation)"]


def test_choosing_leaves_weights_and_random_numbers_as_if_it_had_never_happened(tmp_path: Path) -> None:
    kept = []
    for number, precision in enumerate(("auto", "float32")):
        torch.manual_seed(5)
        model = Timed(1, 2)
        train({"net": model}, task(), tmp_path / f"{number}.pt", machine(precision=precision))
        kept.append({**model.state_dict(), "random": torch.get_rng_state()})
    for key, tensor in kept[0].items():
        assert torch.equal(tensor, kept[1][key]), key


def test_a_resumed_training_keeps_its_precision_though_the_other_is_quicker_now(tmp_path: Path) -> None:
    def stopping(step: int) -> Batch:
        if step == 3:
            raise KeyboardInterrupt
        return batch(step)

    stopped = Task(**{**vars(task()), "batch": stopping})
    with pytest.raises(KeyboardInterrupt):
        train({"net": Timed(1, 2)}, stopped, tmp_path / "run.pt", machine())
    said: list[str] = []
    assert train({"net": Timed(2, 1)}, task(say=said.append), tmp_path / "run.pt", machine()).precision == "float32"
    assert said == ["resumes after step 2"]
    with pytest.raises(CheckpointError, match=r"another precision \(float32, now bfloat16\)"):
        train({"net": Timed(2, 1)}, task(), tmp_path / "run.pt", machine(precision="bfloat16"))


def test_a_processor_without_a_graphics_card_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert machine_for("auto").device.type == "cpu"
    with pytest.raises(ValueError, match="torch finds no CUDA device; choose --device cpu"):
        machine_for("cuda")
