"""Click network: a small U-Net from the parser's features, the clicks and the mask so far to the clicked mask.

It is told the answer of the simplest kind, everything of the class that was clicked, and learns where that is too much
or too little. Clicks come in late, so that what the parser sees by itself does not depend on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from durian.segmentation.parser.classes import CLASSES
from durian.segmentation.parser.layers import Residual, convolution, upsampled

WIDTHS = (24, 32, 48, 64, 64)
"""Channels at strides 2, 4, 8, 16, 32."""
GIVEN = 4 * 3 + len(CLASSES) + 2 + 1 + 2
"""Channels at stride 2 beside what the parser saw: the picture, 2 x 2 pixels folded into one, shares of the classes,
included and excluded clicks, the mask before them, and the shares of the classes that either were on."""


class ClickNetwork(nn.Module):
    """Clicks and the mask before them to the mask after them.

    Args:
        seen: channels of the parser's features at strides 2, 4, 8, 16, 32.
    """

    def __init__(self, seen: Sequence[int]) -> None:
        super().__init__()
        above = (GIVEN, *WIDTHS[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(convolution(over + beside, width), Residual(width))
            for over, beside, width in zip(above, seen, WIDTHS)
        )
        self.up = nn.ModuleList(
            convolution(below + width, width) for below, width in zip(WIDTHS[:0:-1], WIDTHS[-2::-1])
        )
        self.head = nn.Sequential(nn.Conv2d(WIDTHS[0], 4, 3, padding=1), nn.PixelShuffle(2))

    def forward(
        self, picture: Tensor, seen: Sequence[Tensor], shares: Tensor, clicks: Tensor, before: Tensor
    ) -> Tensor:
        """Logits of the mask, ``(B, H, W)``.

        Args:
            picture: ``(B, 3, H, W)`` in [0, 1].
            seen: the parser's features, finest first.
            shares: ``(B, 9, H, W)`` of the classes.
            clicks: ``(B, 2, H, W)`` discs in {0, 1}: included, excluded.
            before: ``(B, H, W)`` in [0, 1].
        """
        before = before[:, None]
        halved = F.avg_pool2d(torch.cat([shares, before, of_same_class(shares, clicks)], dim=1), 2)
        x = torch.cat([F.pixel_unshuffle(picture, 2), halved, F.max_pool2d(clicks, 2)], dim=1)
        kept: list[Tensor] = []
        for stage, features in zip(self.down, seen):
            x = stage(torch.cat([F.max_pool2d(x, 2) if kept else x, features], dim=1))
            kept.append(x)
        kept.pop()
        for stage in self.up:
            x = stage(torch.cat([upsampled(x), kept.pop()], dim=1))
        return self.head(x)[:, 0]


def of_same_class(shares: Tensor, clicks: Tensor) -> Tensor:
    """How likely a pixel is of the class of what was clicked, ``(B, 2, H, W)`` in [0, 1]; 0 without clicks.

    Args:
        shares: ``(B, 9, H, W)`` of the classes.
        clicks: ``(B, 2, H, W)`` discs in {0, 1}.
    """
    area = clicks.sum(dim=(2, 3)).clamp(min=1)
    clicked = torch.einsum("bchw,bkhw->bkc", shares, clicks) / area[..., None]
    return torch.einsum("bkc,bchw->bkhw", clicked, shares)
