"""The face parser's network: a U-Net with an EfficientNet-Lite0 encoder on a square around one head.

Besides the picture it gets what is known already: where the face's landmarks are, and where a person is. What clicks
mean, a second, smaller U-Net makes out of what this one saw.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from durian.segmentation.parser.classes import CLASSES
from durian.segmentation.parser.click_network import ClickNetwork
from durian.segmentation.parser.encoder import WIDTHS, Encoder
from durian.segmentation.parser.layers import Residual, convolution, upsampled

PICTURE, FACE, PERSON = slice(0, 3), 3, 4
"""Input channels: RGB, the landmarks' drawing, the person matte. All are in [0, 1]."""
INPUTS = 5
NARROWER = (32, 40, 64, 96, 128)
"""Channels on the way back up, at strides 2, 4, 8, 16, 32."""
FINE = 16
"""Channels at stride 2 that come straight from the input, 2 x 2 pixels of it folded into one."""
MEAN, SPREAD = 127 / 255, 128 / 255
"""What is taken from a picture in [0, 1], and what the rest is divided by, for the encoder."""
STRIDE = 32
"""Sides of the input are multiples of it."""


class ParserNetwork(nn.Module):
    """Head crop to class logits, and clicks on it to a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(INPUTS)
        self.fine = nn.Sequential(nn.PixelUnshuffle(2), convolution(4 * INPUTS, FINE))
        self.deepest = nn.Sequential(nn.Conv2d(WIDTHS[-1], NARROWER[-1], 1, bias=False), nn.BatchNorm2d(NARROWER[-1]))
        self.up = nn.ModuleList(
            nn.Sequential(convolution(below + beside, width), *([Residual(width)] if width > NARROWER[0] else []))
            for below, beside, width in zip(NARROWER[:0:-1], (*WIDTHS[-2:0:-1], WIDTHS[0] + FINE), NARROWER[-2::-1])
        )
        self.head = nn.Sequential(nn.Conv2d(NARROWER[0], 4 * len(CLASSES), 3, padding=1), nn.PixelShuffle(2))
        self.clicks = ClickNetwork(NARROWER)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the classes, ``(B, 9, H, W)``, whose softmax are shares.

        Args:
            x: ``(B, 5, H, W)`` in [0, 1]; H and W are multiples of 32.
        """
        return self.head(self.features(x)[0])

    def click_logits(self, x: Tensor, clicks: Tensor, before: Tensor) -> Tensor:
        """What was clicked: logits ``(B, H, W)``, whose sigmoid is its mask.

        Args:
            x: ``(B, 5, H, W)`` in [0, 1], as of :meth:`forward`.
            clicks: ``(B, 2, H, W)`` in {0, 1}: discs at included and at excluded clicks.
            before: ``(B, H, W)`` in [0, 1]: the mask so far.
        """
        seen = self.features(x)
        return self.clicks(x[:, PICTURE], seen, self.head(seen[0]).softmax(dim=1), clicks, before)

    def features(self, x: Tensor) -> list[Tensor]:
        """Features of the same input, ``(B, NARROWER[k], H / 2^(k+1), W / 2^(k+1))``, finest first."""
        x = (x - MEAN) / SPREAD
        finest, *beside, deepest = self.encoder(x)
        beside.insert(0, torch.cat([finest, self.fine(x)], dim=1))
        seen = [F.relu(self.deepest(deepest))]
        for stage in self.up:
            seen.insert(0, stage(torch.cat([upsampled(seen[0]), beside.pop()], dim=1)))
        return seen
