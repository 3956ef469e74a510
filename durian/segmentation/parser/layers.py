"""Convolution blocks of the parser's two U-Nets."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class Residual(nn.Module):
    """Two convolutions beside a short cut, ``(B, C, h, w)`` to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width), convolution(width, width, active=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)), inplace=True)


def convolution(inputs: int, outputs: int, stride: int = 1, active: bool = True) -> nn.Sequential:
    """Convolution 3 x 3, batch normalisation and, if ``active``, ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if active else nn.Sequential(*layers)


def upsampled(x: Tensor) -> Tensor:
    """``(B, C, h, w)`` at upsampled the size, bilinear."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
