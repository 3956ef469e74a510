"""Conversion of frames to tensors for networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from durian.settings import get_settings

BATCH = 8
"""Frames that go through a network together; memory, not speed, sets it on a CPU."""


def as_tensor(frames: np.ndarray) -> Tensor:
    """``(F, S, S, 3) uint8`` as ``(F, 3, S, S) float32`` in 0 to 255 on the settings' device."""
    tensor = torch.from_numpy(np.ascontiguousarray(frames)).to(get_settings().torch_device())
    return tensor.permute(0, 3, 1, 2).float()


def batches(frames: np.ndarray) -> Iterator[Tensor]:
    """:func:`as_tensor` of a few frames at a time."""
    for start in range(0, len(frames), BATCH):
        yield as_tensor(frames[start : start + BATCH])


def resized(images: Tensor, side: int, mode: str = "bilinear") -> Tensor:
    """``(F, 3, S, S)`` at another size, smoothed before it is made smaller."""
    if images.shape[-1] == side:
        return images
    return F.interpolate(images, (side, side), mode=mode, antialias=True, align_corners=False)


def normalised(images: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """``(F, 3, S, S)`` in 0 to 255, less ``mean`` and divided by ``deviation``, which are of colours in 0 to 1."""
    mean, deviation = (images.new_tensor(values)[:, None, None] for values in (mean, deviation))
    return (images / 255 - mean) / deviation
