"""The authors' own blocks in the layout of their code (squeeze_and_excitation): parts, names, order of operations."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ChannelSELayer(nn.Module):
    def __init__(self, num_channels: int, reduction_ratio: int = 2) -> None:
        super().__init__()
        self.fc1 = nn.Linear(num_channels, num_channels // reduction_ratio)
        self.fc2 = nn.Linear(num_channels // reduction_ratio, num_channels)
        self.relu = nn.ReLU()
        self.sigmoid = nn.Sigmoid()

    def forward(self, u: Tensor) -> Tensor:
        gate = self.sigmoid(self.fc2(self.relu(self.fc1(u.flatten(2).mean(dim=2)))))
        return u * gate.view(*u.shape[:2], 1, 1)


class SpatialSELayer(nn.Module):
    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(num_channels, 1, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, u: Tensor) -> Tensor:
        return u * self.sigmoid(self.conv(u))


class ChannelSpatialSELayer(nn.Module):
    def __init__(self, num_channels: int, reduction_ratio: int = 2) -> None:
        super().__init__()
        self.cSE = ChannelSELayer(num_channels, reduction_ratio)
        self.sSE = SpatialSELayer(num_channels)

    def forward(self, u: Tensor) -> Tensor:
        return torch.max(self.cSE(u), self.sSE(u))


class ProjectExciteLayer(nn.Module):
    """Of the authors' package for volumes: a gate for every feature, from its projections onto the three axes."""

    def __init__(self, num_channels: int, reduction_ratio: int = 2) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_c = nn.Conv3d(num_channels, num_channels // reduction_ratio, 1)
        self.conv_cT = nn.Conv3d(num_channels // reduction_ratio, num_channels, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, u: Tensor) -> Tensor:
        depth, height, width = u.shape[2:]
        shapes = ((1, 1, width), (1, height, 1), (depth, 1, 1))
        squeezed = sum(F.adaptive_avg_pool3d(u, shape) for shape in shapes)
        return torch.mul(u, self.sigmoid(self.conv_cT(self.relu(self.conv_c(squeezed)))))
