"""Hand-written blocks as people write them, each with its own gates worked out by hand: u -> gates in order."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Mlp(nn.Module):
    """The squeeze and excitation of 8 channels, without the sigmoid: u (B, 8, ...) -> (B, 8)."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Linear(8, 4)
        self.up = nn.Linear(4, 8)

    def forward(self, u: Tensor) -> Tensor:
        return self.up(self.down(u.flatten(2).mean(dim=2)).relu())


class SequentialSigmoid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Sequential(Mlp(), nn.Sigmoid())

    def forward(self, u: Tensor) -> Tensor:
        return u * self.fc(u).view(-1, 8, 1, 1).expand_as(u)

    def gates(self, u: Tensor) -> list[Tensor]:
        return [self.fc[0](u).sigmoid()]


class FunctionalSigmoid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.renamed = Mlp()

    def forward(self, u: Tensor) -> Tensor:
        return torch.sigmoid(self.renamed(u))[:, :, None, None] * u

    def gates(self, u: Tensor) -> list[Tensor]:
        return [self.renamed(u).sigmoid()]


class TensorMethodInPlace(FunctionalSigmoid):
    def forward(self, u: Tensor) -> Tensor:
        return u.clone().mul_(self.renamed(u).sigmoid_()[:, :, None, None])


class DoubleSigmoid(FunctionalSigmoid):
    def forward(self, u: Tensor) -> Tensor:
        return u * (2 * self.renamed(u).sigmoid())[:, :, None, None]

    def gates(self, u: Tensor) -> list[Tensor]:
        return [2 * self.renamed(u).sigmoid()]


class HardSigmoidWrittenOut(FunctionalSigmoid):
    def forward(self, u: Tensor) -> Tensor:
        return u * (F.relu6(self.renamed(u) + 3) / 6)[:, :, None, None]

    def gates(self, u: Tensor) -> list[Tensor]:
        return [F.hardsigmoid(self.renamed(u))]


class ShiftedTanh(FunctionalSigmoid):
    def forward(self, u: Tensor) -> Tensor:
        return u * (1 + torch.tanh(self.renamed(u)))[:, :, None, None]

    def gates(self, u: Tensor) -> list[Tensor]:
        return [1 + self.renamed(u).tanh()]


class ChannelOf3D(FunctionalSigmoid):
    def forward(self, u: Tensor) -> Tensor:
        return u * self.renamed(u).sigmoid()[:, :, None, None, None]


class SpatialAlone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 1, 1)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.norm(self.conv(u)).sigmoid()

    def gates(self, u: Tensor) -> list[Tensor]:
        return [self.norm(self.conv(u)).sigmoid()[:, 0]]


class SpatialEnlarged(SpatialAlone):
    def forward(self, u: Tensor) -> Tensor:
        coarse = self.conv(F.avg_pool2d(u, 2)).sigmoid()
        return u * F.interpolate(coarse, size=u.shape[2:], mode="bilinear")

    def gates(self, u: Tensor) -> list[Tensor]:
        coarse = self.conv(F.avg_pool2d(u, 2)).sigmoid()
        return [F.interpolate(coarse, size=u.shape[2:], mode="bilinear")[:, 0]]


class SpatialOf3D(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(8, 1, 1)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.conv(u).sigmoid()

    def gates(self, u: Tensor) -> list[Tensor]:
        return [self.conv(u).sigmoid()[:, 0]]


class OneSigmoidForBoth(nn.Module):
    """scSE whose halves share one module `sigmoid`."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = Mlp()
        self.conv = nn.Conv2d(8, 1, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, u: Tensor) -> Tensor:
        by_channel = u * self.sigmoid(self.mlp(u))[:, :, None, None]
        return by_channel + u * self.sigmoid(self.conv(u))

    def gates(self, u: Tensor) -> list[Tensor]:
        return [self.mlp(u).sigmoid(), self.conv(u).sigmoid()[:, 0]]


class SumOfGates(OneSigmoidForBoth):
    def forward(self, u: Tensor) -> Tensor:
        return u * (self.sigmoid(self.mlp(u))[:, :, None, None] + self.sigmoid(self.conv(u)))


class GateModule(nn.Module):
    """The spatial half of CBAM: a module that is itself the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 3, padding=1)

    def forward(self, u: Tensor) -> Tensor:
        return self.conv(torch.cat([u.mean(1, keepdim=True), u.amax(1, keepdim=True)], dim=1)).sigmoid()


class Cbam(nn.Module):
    """One gate after the other: two blocks in one module."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = Mlp()
        self.spatial = GateModule()

    def forward(self, u: Tensor) -> Tensor:
        u = self.mlp(u).sigmoid()[:, :, None, None] * u
        return self.spatial(u) * u

    def gates(self, u: Tensor) -> list[Tensor]:
        channel = self.mlp(u).sigmoid()
        return [channel, self.spatial(u * channel[:, :, None, None])[:, 0]]


class ProjectExcite(nn.Module):
    """A gate for every feature, from projections along each axis (Rickmann et al. 2019, in 2-D)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 1)

    def forward(self, u: Tensor) -> Tensor:
        return u * self.gates(u)[0]

    def gates(self, u: Tensor) -> list[Tensor]:
        return [self.conv(u.mean(dim=2, keepdim=True) + u.mean(dim=3, keepdim=True)).sigmoid()]


class ThroughLambda(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = SequentialSigmoid()
        self.call = lambda u: self.block(u)

    def forward(self, u: Tensor) -> Tensor:
        return self.call(u)

    def gates(self, u: Tensor) -> list[Tensor]:
        return self.block.gates(u)


class Glu(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 16, 1)

    def forward(self, u: Tensor) -> Tensor:
        features, gate = self.conv(u).chunk(2, dim=1)
        return features * torch.sigmoid(gate)


class WrittenOutActivations(nn.Module):
    """SiLU with a factor, GELU and Mish."""

    def forward(self, u: Tensor) -> Tensor:
        gelu = 0.5 * u * (1 + torch.tanh(0.8 * (u + 0.0447 * u**3)))
        return u * torch.sigmoid(1.702 * u) + gelu + u * torch.tanh(F.softplus(u))


class Head(nn.Module):
    """A classifier whose children have the names of the authors' cSE."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(8, 4)
        self.fc2 = nn.Linear(4, 2)
        self.sigmoid = nn.Sigmoid()

    def forward(self, u: Tensor) -> Tensor:
        return self.sigmoid(self.fc2(self.fc1(u.mean(dim=(2, 3)))))


HAND_WRITTEN = [kind for kind in list(globals().values()) if isinstance(kind, type) and hasattr(kind, "gates")]
"""Those with gates."""


def made(kind: type[nn.Module]) -> tuple[nn.Module, Tensor]:
    """A hand-written block with random weights, and features for it."""
    torch.manual_seed(0)
    return kind().eval(), torch.randn(2, 8, *((4, 6, 5) if "3D" in kind.__name__ else (6, 4)))
