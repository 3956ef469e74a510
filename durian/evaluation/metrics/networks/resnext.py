"""3-D ResNeXt-101, the other network on which VFID is measured."""

from __future__ import annotations

from torch import Tensor, nn

SIDE = 112
"""Pixels along a side of its input."""
MEAN = (114.7748, 107.7354, 99.4750)
"""Of Kinetics' colours, 0 to 255, which its training took away (Hara et al.'s ``mean.py``)."""
DEPTHS = (3, 4, 23, 3)
GROUPS = 32


class ResNeXt3D(nn.Module):
    """Hara, Kataoka & Satoh 2018; parameters are named as in ``resnext-101-kinetics.pth`` of theirs."""

    def __init__(self, depths: tuple[int, ...] = DEPTHS) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, 64, 7, (1, 2, 2), 3, bias=False)
        self.bn1 = nn.BatchNorm3d(64)
        self.maxpool = nn.MaxPool3d(3, 2, 1)
        before = 64
        for number, depth in enumerate(depths):
            width = 128 << number
            blocks = [
                Bottleneck(2 * width if index else before, width, 2 if number and not index else 1)
                for index in range(depth)
            ]
            self.add_module(f"layer{number + 1}", nn.Sequential(*blocks))
            before = 2 * width
        self.layers = len(depths)
        self.fc = nn.Linear(before, 400)
        """Not used: it is in the file."""

    def forward(self, clips: Tensor) -> Tensor:
        """``(B, 2048)`` of ``(B, 3, F, 112, 112)`` without :data:`MEAN`, the mean over all places and times."""
        clips = self.maxpool(self.bn1(self.conv1(clips)).relu())
        for number in range(self.layers):
            clips = self.get_submodule(f"layer{number + 1}")(clips)
        return clips.mean((2, 3, 4))


class Bottleneck(nn.Module):
    """Three convolutions, the middle one in groups, beside a shortcut."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv3d(before, width, 1, bias=False), nn.BatchNorm3d(width)
        self.conv2 = nn.Conv3d(width, width, 3, stride, 1, groups=GROUPS, bias=False)
        self.bn2 = nn.BatchNorm3d(width)
        self.conv3, self.bn3 = nn.Conv3d(width, 2 * width, 1, bias=False), nn.BatchNorm3d(2 * width)
        self.downsample = None
        if stride != 1 or before != 2 * width:
            self.downsample = nn.Sequential(
                nn.Conv3d(before, 2 * width, 1, stride, bias=False), nn.BatchNorm3d(2 * width)
            )

    def forward(self, clips: Tensor) -> Tensor:
        shortcut = clips if self.downsample is None else self.downsample(clips)
        clips = self.bn1(self.conv1(clips)).relu()
        clips = self.bn2(self.conv2(clips)).relu()
        return (self.bn3(self.conv3(clips)) + shortcut).relu()
