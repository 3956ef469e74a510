"""The parser's network: a U-Net of plain convolutions on a square around one head.

It is seen at half resolution first (2 x 2 pixels folded into channels), goes down to a thirty-second, and comes back to
full resolution. Besides the picture it gets what is known already: where the face's landmarks are, where a person is,
and, when somebody clicks, the clicks and the mask so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from durian.segmentation.parser.classes import CLASSES

PICTURE, FACE, PERSON, CLICKS, BEFORE = slice(0, 3), 3, 4, slice(5, 7), 7
"""Input channels: RGB, the landmarks' drawing, the person matte, included and excluded clicks, the mask before them.
All are in [0, 1]."""
INPUTS = 8
OUTPUTS = len(CLASSES) + 1
"""A logit for each class, and one for "what the clicks mean"."""
WIDTHS = (24, 40, 72, 120, 168)
"""Channels at strides 2, 4, 8, 16, 32."""
STRIDE = 32
"""Sides of the input are multiples of it."""


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


class ParserNetwork(nn.Module):
    """Head crop to class logits.

    Args:
        widths: channels at strides 2, 4, 8, ...
    """

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), convolution(4 * INPUTS, widths[0]))
        self.down = nn.ModuleList(
            nn.Sequential(convolution(narrow, wide, stride=2), Residual(wide), Residual(wide))
            for narrow, wide in pairwise(widths)
        )
        self.up = nn.ModuleList(
            nn.Sequential(convolution(wide + narrow, narrow), *([Residual(narrow)] if narrow > widths[0] else []))
            for narrow, wide in zip(widths[-2::-1], widths[:0:-1])
        )
        self.head = nn.Sequential(nn.Conv2d(widths[0], 4 * OUTPUTS, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the classes and of what was clicked.

        Args:
            x: ``(B, 8, H, W)`` in [0, 1]; H and W are multiples of 32.

        Returns:
            ``(B, 9, H, W)``, whose softmax are shares of the classes, and ``(B, H, W)``, whose sigmoid is the clicked
            item's mask.
        """
        x = self.stem(x - 0.5)
        kept = [x]
        for stage in self.down:
            x = stage(x)
            kept.append(x)
        kept.pop()
        for stage in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = stage(torch.cat([x, kept.pop()], dim=1))
        logits = self.head(x)
        return logits[:, :-1], logits[:, -1]
