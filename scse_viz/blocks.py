"""The gates of squeeze and excitation, the blocks that apply them, and the table VARIANTS.

Roy, Navab, Wachinger: "Concurrent Spatial and Channel Squeeze & Excitation in Fully Convolutional Networks",
MICCAI 2018 (arXiv 1803.02579), and IEEE TMI 2019 (arXiv 1808.08127).

A gate is a module, and a block multiplies by what its gates return: a hook that records a gate records what was
applied, and a hook that returns another gate changes the result.

Time goes to memory and not to arithmetic: written out, u c + u s makes three tensors as large as u, and its gradient
seven more. So the blocks that add or compare make one on the way forward (`add_out`, `max_out`).
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function

_SQUARED_ERROR_BACKWARD = torch.ops.aten.mse_loss_backward.grad_input


class ChannelGate(nn.Module):
    """Squeeze the space, excite each channel: u (B, C, H, W) -> gate (B, C, 1, 1) in (0, 1).

    sigmoid(W2 relu(W1 mean(u))), W1 to C / r hidden units. Hu et al. 2018; Roy et al. 2018.
    """

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        hidden = channels // reduction if reduction > 0 else 0
        if hidden < 1:
            raise ValueError(
                f"reduction {reduction} leaves no hidden unit of {channels} channels; choose 1 to {channels}"
            )
        self.squeeze = nn.Linear(channels, hidden)
        self.excite = nn.Linear(hidden, channels)

    def forward(self, u: Tensor) -> Tensor:
        # The gradient of a sum is a view, that of a mean a copy as large as u. Only float16 can overflow in a sum.
        total = u.sum(dim=(2, 3), dtype=torch.float32 if u.dtype == torch.float16 else None)
        z = (total / u.shape[2:].numel()).to(u.dtype)  # (B, C)
        return self.excite(self.squeeze(z).relu()).sigmoid().view(*u.shape[:2], 1, 1)


class SpatialGate(nn.Module):
    """Squeeze the channels, excite each pixel: u (B, C, H, W) -> gate (B, 1, H, W) in (0, 1).

    sigmoid(w * u), w a 1 x 1 convolution to one channel. Roy et al. 2018.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, 1, kernel_size=1)

    def forward(self, u: Tensor) -> Tensor:
        # The convolution as a matrix product over u as it lies in memory: quicker, above all backward.
        weight, bias = self.squeeze.weight.flatten(1), cast(Tensor, self.squeeze.bias)  # (1, C), (1,)
        if u.is_contiguous(memory_format=torch.channels_last):
            return F.linear(u.permute(0, 2, 3, 1), weight, bias).permute(0, 3, 1, 2).sigmoid()
        logits = torch.baddbmm(bias, weight.expand(len(u), 1, -1), u.flatten(2))  # (B, 1, H W)
        return logits.view(len(u), 1, *u.shape[2:]).sigmoid()


class ChannelSE(nn.Module):
    """cSE: every channel times its gate, u (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.channel_gate = ChannelGate(channels, reduction)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.channel_gate(u)


class SpatialSE(nn.Module):
    """sSE: every pixel times its gate, u (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.spatial_gate = SpatialGate(channels)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.spatial_gate(u)


class ConcurrentSE(nn.Module):
    """scSE: both gates at once, the recalibrated tensors added, u (B, C, H, W) -> (B, C, H, W). Roy et al. 2018."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        self.channel_gate = ChannelGate(channels, reduction)
        self.spatial_gate = SpatialGate(channels)

    def forward(self, u: Tensor) -> Tensor:
        return add_out(u, self.channel_gate(u), self.spatial_gate(u))


class ConcurrentSEMax(ConcurrentSE):
    """scSE by max-out: the larger of the two recalibrated values, u (B, C, H, W) -> (B, C, H, W). Roy et al. 2019."""

    def forward(self, u: Tensor) -> Tensor:
        return max_out(u, self.channel_gate(u), self.spatial_gate(u))


class ConcurrentSEMul(ConcurrentSE):
    """scSE by product: one recalibrated tensor times the other, u (B, C, H, W) -> (B, C, H, W). Roy et al. 2019."""

    def forward(self, u: Tensor) -> Tensor:
        return (u * self.channel_gate(u)) * (u * self.spatial_gate(u))


class ConcurrentSEConcat(ConcurrentSE):
    """scSE by concatenation: both recalibrated tensors, then a 1 x 1 convolution from 2 C to C channels.

    u (B, C, H, W) -> (B, C, H, W). Roy et al. 2019.
    """

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__(channels, reduction)
        self.join = nn.Conv2d(2 * channels, channels, kernel_size=1)

    def forward(self, u: Tensor) -> Tensor:
        return self.join(torch.cat([u * self.channel_gate(u), u * self.spatial_gate(u)], dim=1))


@dataclass(frozen=True)
class BlockInfo:
    """A block as its network places it: its name, the channels it recalibrates, and its down-sampling factor.

    A map of scale s has its pixel (i, j) over the rows i s to (i + 1) s of the input, and the columns likewise.
    """

    name: str
    channels: int
    scale: int


VARIANTS: dict[str, type[nn.Module]] = {
    "none": nn.Identity,
    "cse": ChannelSE,
    "sse": SpatialSE,
    "scse": ConcurrentSE,
    "scse-max": ConcurrentSEMax,
    "scse-mul": ConcurrentSEMul,
    "scse-concat": ConcurrentSEConcat,
}


def add_out(u: Tensor, c: Tensor, s: Tensor) -> Tensor:
    """u c + u s, computed as u (c + s): u (B, C, H, W), c (B, C, 1, 1), s (B, 1, H, W) -> (B, C, H, W).

    A compiler fuses by itself, so under torch.compile and torch.export this is its plain formula, and so it is for
    gates of another shape, which a hook may return. So are the gradients that are to be differentiated again. The
    transforms of torch.func are not supported: what they need costs more than the sum itself where u is small.
    """
    if torch.compiler.is_compiling() or not _are_gates_of(u, c, s):
        return u * (c + s)
    return _AddOut.apply(u, c, s) if torch.is_grad_enabled() else _added(u, c, s)


def max_out(u: Tensor, c: Tensor, s: Tensor) -> Tensor:
    """max(u c, u s), the larger value also where u is negative; shapes as in `add_out`."""
    if torch.compiler.is_compiling() or not _are_gates_of(u, c, s):
        return torch.maximum(u * c, u * s)
    return _MaxOut.apply(u, c, s) if torch.is_grad_enabled() else _maximum(u, c, s)


def _are_gates_of(u: Tensor, c: Tensor, s: Tensor) -> bool:
    batch, channels, height, width = u.shape
    return c.shape == (batch, channels, 1, 1) and s.shape == (batch, 1, height, width)


def _added(u: Tensor, c: Tensor, s: Tensor, out: Tensor | None = None) -> Tensor:
    """u (c + s), written once: in the time of a mere copy of u, where a sum and a product in place take half more.

    No other kernel of torch multiplies a sum: the gradient of the squared error is 2 (a - b) g, here with a = c / 2 and
    b = -s / 2, which is exact. It takes one type for all three; on other devices than the processor it was not tried.
    """
    out = torch.empty_like(u) if out is None else out
    if not (u.is_cpu and u.dtype == c.dtype == s.dtype):
        return torch.add(c, s, out=out).mul_(u)
    return _SQUARED_ERROR_BACKWARD(u, c * 0.5, s * -0.5, 0, grad_input=out)


def _maximum(u: Tensor, c: Tensor, s: Tensor) -> Tensor:
    return torch.sub(c, s, out=torch.empty_like(u)).mul_(u).relu_().addcmul_(u, s)


class _AddOut(Function):
    """u (c + s). For a gradient g: g (c + s) to u, sum over h, w of g u to c, sum over channels of g u to s."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, c: Tensor, s: Tensor) -> Tensor:
        ctx.save_for_backward(u, c, s)
        return _added(u, c, s)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        u, c, s = ctx.saved_tensors
        if torch.is_grad_enabled():
            return g * (c + s), (g * u).sum(dim=(2, 3), keepdim=True), (g * u).sum(dim=1, keepdim=True)
        space = torch.mul(g, u, out=torch.empty_like(u))
        to_c, to_s = space.sum(dim=(2, 3), keepdim=True), space.sum(dim=1, keepdim=True)
        return _added(g, c, s, out=space), to_c, to_s


class _MaxOut(Function):
    """u s + relu(u (c - s)). With a, the share of c in the maximum (1, 0, or 1/2 at a tie, as in torch.maximum):

    g (s + a (c - s)) to u, sum over h, w of a g u to c, sum over channels of (1 - a) g u to s.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, c: Tensor, s: Tensor) -> Tensor:
        ctx.save_for_backward(u, c, s)
        return _maximum(u, c, s)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        u, c, s = ctx.saved_tensors
        if torch.is_grad_enabled():
            a = (u * (c - s)).sign().add(1).div(2)
            to_c, to_s = (a * g * u).sum(dim=(2, 3), keepdim=True), ((1 - a) * g * u).sum(dim=1, keepdim=True)
            return g * (s + a * (c - s)), to_c, to_s
        a = torch.sub(c, s, out=torch.empty_like(u)).mul_(u).sign_().add_(1).div_(2)
        space = torch.mul(g, u, out=torch.empty_like(u))
        to_both = space.sum(dim=1, keepdim=True)
        space.mul_(a)
        to_c, to_s = space.sum(dim=(2, 3), keepdim=True), to_both - space.sum(dim=1, keepdim=True)
        return torch.sub(c, s, out=space).mul_(a).add_(s).mul_(g), to_c, to_s
