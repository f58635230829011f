"""Cross-entropy plus Dice, in one pass over the logits, and the class weights of the paper.

segmentation_models_pytorch and MONAI have both losses; on a processor theirs cost more than a quarter of the whole
training step of a small network, because each makes one-hot targets and its own softmax of (B, K, H, W).
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

Batch = tuple[Tensor, Tensor]  # images (B, C, H, W) float32, classes (B, H, W) int64
NO_CLASS = 255
"""In a target: a pixel whose label belongs to no class, left out of losses and measures."""


def median_frequency_weights(counts: Tensor, *, power: float = 0.5, low: float = 0.3, high: float = 4.0) -> Tensor:
    """Weight of each class from its pixel counts (K,): (median frequency / frequency) ** power, clipped.

    Power 1 without a clip is median frequency balancing (Eigen and Fergus 2015), as in Roy et al. 2018. A class that
    never occurs weighs `high`.
    """
    frequency = counts / counts.sum()
    median = frequency[counts > 0].median()
    return (median / frequency.clamp_min(1e-12)).pow(power).clamp(low, high)


def cross_entropy_and_dice(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross-entropy plus soft Dice loss: logits (B, K, H, W), target (B, H, W) int64, weights (K,) -> scalar.

    Pixels of NO_CLASS count in neither. Dice is that of the whole batch, averaged over the classes that occur in it
    (Milletari et al. 2016, without the square). With logits in channels_last the reshape copies nothing.
    """
    flat = logits.permute(0, 2, 3, 1).reshape(-1, logits.shape[1])  # (N, K)
    loss: Tensor = _CrossEntropyAndDice.apply(flat, target.reshape(-1), weights)
    return loss


class _CrossEntropyAndDice(Function):
    """The loss with its gradient in closed form: half the time that autograd takes for the same formula.

    With p = softmax(z), the loss depends on p through each pixel's own class, at rate a_t, and through the sum over
    pixels of each class, at rate b_k. Then dL/dz_k = p_k (b_k - a_t p_t - sum_j p_j b_j), plus a_t p_t where k = t.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
        classes = logits.shape[1]
        known = target != NO_CLASS
        target = target.where(known, 0)
        log_p = (logits if logits.dtype == torch.float64 else logits.float()).log_softmax(dim=1)
        log_hit = log_p.gather(1, target[:, None])[:, 0]
        # Without a class a pixel has no probability and no weight, and so no gradient.
        p, hit = log_p.exp_().mul_(known[:, None]), log_hit.exp().mul_(known)
        weight = weights.to(p.dtype)[target].mul_(known)
        weight /= weight.sum()
        count = torch.bincount(target[known], minlength=classes)
        overlap = torch.bincount(target, weights=hit, minlength=classes).to(p.dtype)
        present = count > 0
        whole = p.sum(dim=0) + count + 1
        dice = (2 * overlap + 1) / whole
        loss = 1 - (weight * log_hit).sum() - dice[present].mean()

        share = present / present.sum()
        own = (-2 * share / whole)[target] * hit  # a_t p_t of the Dice loss
        rest = share * dice / whole  # b_k
        gradient = p * (rest + (weight - own - p @ rest)[:, None])
        gradient.scatter_add_(1, target[:, None], (own - weight)[:, None])
        ctx.save_for_backward(gradient.to(logits.dtype))
        return loss

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0].to(gradient.dtype), None, None
