"""The Inception v3 of TensorFlow's 2015-12-05 release, whose pooled features FID is defined on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

SIDE = 299
"""Pixels along a side of its input."""


class Inception(nn.Module):
    """Szegedy et al. 2016; parameters are named as in torch-fidelity's ``weights-inception-2015-12-05``.

    That release pools without counting the border, and by the maximum in its last block.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3, padding=1)
        self.MaxPool_1 = nn.MaxPool2d(3, 2)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3)
        self.MaxPool_2 = nn.MaxPool2d(3, 2)
        self.Mixed_5b = block_35(192, 32)
        self.Mixed_5c = block_35(256, 64)
        self.Mixed_5d = block_35(288, 64)
        self.Mixed_6a = reduction_35()
        self.Mixed_6b = block_17(128)
        self.Mixed_6c = block_17(160)
        self.Mixed_6d = block_17(160)
        self.Mixed_6e = block_17(192)
        self.Mixed_7a = reduction_17()
        self.Mixed_7b = block_8(1280, _average())
        self.Mixed_7c = block_8(2048, nn.MaxPool2d(3, 1, 1))
        self.fc = nn.Linear(2048, 1008)
        """Not used: it is in the file."""

    def forward(self, images: Tensor) -> Tensor:
        """``(B, 2048)`` of ``(B, 3, H, W)`` in 0 to 255."""
        features = (resized_like_tensorflow(images, SIDE) - 128) / 128
        for name, layer in self.named_children():
            if name != "fc":
                features = layer(features)
        return features.mean((2, 3))


class Convolution(nn.Module):
    """Convolution, batch normalisation, rectifier."""

    def __init__(self, before: int, width: int, kernel, stride: int = 1, padding=0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, width, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, features: Tensor) -> Tensor:
        return self.bn(self.conv(features)).relu()


class Block(nn.Module):
    """Paths side by side, their ends joined along the channels.

    Args:
        paths: names of layers, run one behind the other; a tuple among them is a fork whose ends are joined, too.
        layers: by name.
    """

    def __init__(self, paths: tuple[tuple[str | tuple[str, ...], ...], ...], **layers: nn.Module) -> None:
        super().__init__()
        self.paths = paths
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([self._run(path, features) for path in self.paths], 1)

    def _run(self, path: tuple[str | tuple[str, ...], ...], features: Tensor) -> Tensor:
        for step in path:
            if isinstance(step, tuple):
                features = torch.cat([self.get_submodule(name)(features) for name in step], 1)
            else:
                features = self.get_submodule(step)(features)
        return features


def block_35(before: int, pooled: int) -> Block:
    """At 35 × 35."""
    return Block(
        (
            ("branch1x1",),
            ("branch5x5_1", "branch5x5_2"),
            ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
            ("pool", "branch_pool"),
        ),
        branch1x1=Convolution(before, 64, 1),
        branch5x5_1=Convolution(before, 48, 1),
        branch5x5_2=Convolution(48, 64, 5, padding=2),
        branch3x3dbl_1=Convolution(before, 64, 1),
        branch3x3dbl_2=Convolution(64, 96, 3, padding=1),
        branch3x3dbl_3=Convolution(96, 96, 3, padding=1),
        pool=_average(),
        branch_pool=Convolution(before, pooled, 1),
    )


def reduction_35() -> Block:
    """From 35 × 35 to 17 × 17."""
    return Block(
        (("branch3x3",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"), ("pool",)),
        branch3x3=Convolution(288, 384, 3, stride=2),
        branch3x3dbl_1=Convolution(288, 64, 1),
        branch3x3dbl_2=Convolution(64, 96, 3, padding=1),
        branch3x3dbl_3=Convolution(96, 96, 3, stride=2),
        pool=nn.MaxPool2d(3, 2),
    )


def block_17(inner: int) -> Block:
    """At 17 × 17, with 1 × 7 and 7 × 1 kernels over ``inner`` channels."""
    row: dict[str, Any] = {"kernel": (1, 7), "padding": (0, 3)}
    column: dict[str, Any] = {"kernel": (7, 1), "padding": (3, 0)}
    return Block(
        (
            ("branch1x1",),
            ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
            tuple(f"branch7x7dbl_{number}" for number in range(1, 6)),
            ("pool", "branch_pool"),
        ),
        branch1x1=Convolution(768, 192, 1),
        branch7x7_1=Convolution(768, inner, 1),
        branch7x7_2=Convolution(inner, inner, **row),
        branch7x7_3=Convolution(inner, 192, **column),
        branch7x7dbl_1=Convolution(768, inner, 1),
        branch7x7dbl_2=Convolution(inner, inner, **column),
        branch7x7dbl_3=Convolution(inner, inner, **row),
        branch7x7dbl_4=Convolution(inner, inner, **column),
        branch7x7dbl_5=Convolution(inner, 192, **row),
        pool=_average(),
        branch_pool=Convolution(768, 192, 1),
    )


def reduction_17() -> Block:
    """From 17 × 17 to 8 × 8."""
    return Block(
        (("branch3x3_1", "branch3x3_2"), tuple(f"branch7x7x3_{number}" for number in range(1, 5)), ("pool",)),
        branch3x3_1=Convolution(768, 192, 1),
        branch3x3_2=Convolution(192, 320, 3, stride=2),
        branch7x7x3_1=Convolution(768, 192, 1),
        branch7x7x3_2=Convolution(192, 192, (1, 7), padding=(0, 3)),
        branch7x7x3_3=Convolution(192, 192, (7, 1), padding=(3, 0)),
        branch7x7x3_4=Convolution(192, 192, 3, stride=2),
        pool=nn.MaxPool2d(3, 2),
    )


def block_8(before: int, pool: nn.Module) -> Block:
    """At 8 × 8; two paths fork into 1 × 3 and 3 × 1."""
    row: dict[str, Any] = {"kernel": (1, 3), "padding": (0, 1)}
    column: dict[str, Any] = {"kernel": (3, 1), "padding": (1, 0)}
    return Block(
        (
            ("branch1x1",),
            ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b")),
            ("branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b")),
            ("pool", "branch_pool"),
        ),
        branch1x1=Convolution(before, 320, 1),
        branch3x3_1=Convolution(before, 384, 1),
        branch3x3_2a=Convolution(384, 384, **row),
        branch3x3_2b=Convolution(384, 384, **column),
        branch3x3dbl_1=Convolution(before, 448, 1),
        branch3x3dbl_2=Convolution(448, 384, 3, padding=1),
        branch3x3dbl_3a=Convolution(384, 384, **row),
        branch3x3dbl_3b=Convolution(384, 384, **column),
        pool=pool,
        branch_pool=Convolution(before, 192, 1),
    )


def resized_like_tensorflow(images: Tensor, side: int) -> Tensor:
    """Bilinear as TensorFlow 1 did it: pixel ``i`` is taken at ``i · old / new``, corners and not centres aligned."""
    for axis in (2, 3):
        length = images.shape[axis]
        places = torch.arange(side, device=images.device) * (length / side)
        low = places.long().clamp(max=length - 1)
        weight = (places - low).to(images.dtype).view((-1, 1) if axis == 2 else (-1,))
        near, far = images.index_select(axis, low), images.index_select(axis, (low + 1).clamp(max=length - 1))
        images = near + (far - near) * weight
    return images


def _average() -> nn.Module:
    return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
