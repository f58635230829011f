"""The loss and its closed-form gradient against the formula written with torch, and the weights worked by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from scse_viz.training.engine.losses import NO_CLASS, cross_entropy_and_dice, median_frequency_weights


@pytest.fixture
def case() -> tuple[Tensor, Tensor, Tensor]:
    """Logits of five classes of which the last never occurs, targets and weights."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 6, 7, dtype=torch.float64, generator=generator)
    return logits, torch.randint(0, 4, (2, 6, 7), generator=generator), torch.rand(5, generator=generator).double()


def test_loss_is_cross_entropy_plus_one_minus_dice_of_the_classes_that_occur(
    case: tuple[Tensor, Tensor, Tensor],
) -> None:
    logits, target, weights = case
    p, reference = logits.softmax(dim=1), F.one_hot(target, 5).movedim(-1, 1)
    whole = p.sum(dim=(0, 2, 3)) + reference.sum(dim=(0, 2, 3))
    dice = (2 * (p * reference).sum(dim=(0, 2, 3)) + 1) / (whole + 1)
    expected = F.cross_entropy(logits, target, weights) + 1 - dice[:4].mean()
    torch.testing.assert_close(cross_entropy_and_dice(logits, target, weights), expected)


def test_gradient_is_that_of_the_loss(case: tuple[Tensor, Tensor, Tensor]) -> None:
    logits, target, weights = case
    assert torch.autograd.gradcheck(
        lambda z: 3 * cross_entropy_and_dice(z, target, weights), (logits.requires_grad_(),)
    )


def test_pixels_without_a_class_change_neither_loss_nor_gradient(case: tuple[Tensor, Tensor, Tensor]) -> None:
    logits, target, weights = case
    target[:, 3:] = NO_CLASS
    known = logits[:, :, :3].clone().requires_grad_()
    logits.requires_grad_()
    losses = cross_entropy_and_dice(logits, target, weights), cross_entropy_and_dice(known, target[:, :3], weights)
    torch.testing.assert_close(*losses)
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(logits.grad[:, :, :3], known.grad)
    assert not logits.grad[:, :, 3:].any()


def test_bfloat16_logits_give_the_loss_of_their_float32_values(case: tuple[Tensor, Tensor, Tensor]) -> None:
    logits, target, weights = case
    half = logits.bfloat16()
    torch.testing.assert_close(
        cross_entropy_and_dice(half, target, weights), cross_entropy_and_dice(half.float(), target, weights)
    )


def test_median_frequency_weights_by_hand() -> None:
    counts = torch.tensor([800.0, 150.0, 50.0, 0.0])
    weights = median_frequency_weights(counts, power=1, low=0.1, high=4)
    torch.testing.assert_close(weights, torch.tensor([0.1875, 1.0, 3.0, 4.0]))
