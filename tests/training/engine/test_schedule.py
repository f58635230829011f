"""The learning rate of each step, worked by hand."""

import pytest
import torch

from scse_viz.training.engine.schedule import Schedule


def rates(schedule: Schedule) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=schedule.rate)
    scheduler, by_step = schedule.rates(optimizer), []
    for _ in range(schedule.steps):
        by_step.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return by_step


def test_the_rate_rises_over_the_warmup_and_decays_to_nothing() -> None:
    by_step = rates(Schedule(steps=1000, rate=1.0, warmup=10, power=1.0))
    assert [by_step[step] for step in (0, 4, 10, 500, 999)] == pytest.approx([0.1, 0.5 * 0.996, 0.99, 0.5, 0.001])


@pytest.mark.parametrize("warmup", [0, 1])
def test_without_warmup_the_rate_is_the_polynomial_from_the_first_step(warmup: int) -> None:
    by_step = rates(Schedule(steps=4, rate=2.0, warmup=warmup, power=0.9))
    assert by_step == pytest.approx([2.0, 2 * 0.75**0.9, 2 * 0.5**0.9, 2 * 0.25**0.9])


def test_a_restored_scheduler_continues_with_the_rate_of_the_next_step() -> None:
    schedule = Schedule(steps=9, rate=1.0, warmup=3)
    optimizers = [torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0) for _ in range(2)]
    first, second = (schedule.rates(optimizer) for optimizer in optimizers)
    for _ in range(2):
        optimizers[0].step()
        first.step()
    optimizers[1].load_state_dict(optimizers[0].state_dict())
    second.load_state_dict(first.state_dict())
    for step in range(2, 6):
        for optimizer, scheduler in zip(optimizers, (first, second), strict=True):
            expected = min(1, (step + 1) / 3) * (1 - step / 9) ** 0.9
            assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)
            optimizer.step()
            scheduler.step()
