"""Overlapping windows over a long clip, so that a model trained on short clips can sample any length.

Each step denoises every window and averages the outputs where windows overlap (MultiDiffusion, 2302.08113, along
time). Weights taper towards the seams, and the seams move from step to step, so that none of them shows. The last
frames never share a window with the first: a clip is not a loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from durian.errors import InvalidRequest

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
"""Multiples of it, modulo one, fill an interval evenly, and each lies far from the one before."""


@dataclass(frozen=True, eq=False)
class Window:
    """Frames that are denoised together, and how much each counts in the average over windows."""

    indices: np.ndarray
    """``(Fw,) int64``, frames in a row."""
    weights: np.ndarray
    """``(Fw,) float32`` in [0, 1]; over all windows of a step they sum to one at every frame."""


def windows(frames: int, size: int, overlap: int, offset: int = 0) -> list[Window]:
    """Windows that cover ``frames`` frames, in order of time.

    Each has exactly ``size`` frames; a clip of up to ``size`` frames is one window. Neighbours share at least
    ``overlap`` frames, over which a window's weight falls linearly to a seam; the clip's own ends are no seams.

    Args:
        offset: frames by which all seams move towards the clip's start, modulo ``size - overlap``. A window that
            would leave the clip is moved back inside it, and the frames it gains there weigh nothing: they only
            give the model a clip of the length it knows.

    Raises:
        InvalidRequest: no frame or an empty window, or an overlap that is not below the size.
    """
    if frames < 1 or size < 1:
        raise InvalidRequest(f"A clip of {frames} frames in windows of {size} was asked for: both start at 1.")
    if not 0 <= overlap < size:
        raise InvalidRequest(f"Windows of {size} frames cannot overlap by {overlap}: choose 0 to {size - 1}.")
    if frames <= size:
        return [Window(np.arange(frames), np.ones(frames, np.float32))]

    stride = size - overlap
    found = []
    total = np.zeros(frames)
    for start in range(-(offset % stride), frames - size + stride, stride):
        inside = min(max(start, 0), frames - size)
        indices = np.arange(inside, inside + size)
        # Frames to the nearer end of the window as it was before it moved inside; counted from its new ends, the
        # clip's first and last seam would never move.
        depth = np.minimum(indices - start + 1, start + size - indices)
        weights = np.clip(depth / (overlap + 1), 0, 1)
        total[indices] += weights
        found.append((indices, weights))
    return [Window(indices, (weights / total[indices]).astype(np.float32)) for indices, weights in found]


def offset_at(step: int, stride: int) -> int:
    """By how many frames the seams have moved at a step: 0 at the first, then spread evenly over ``[0, stride)``.

    A function of the step alone, so that a run can be repeated. From a stride of 3 on, each step differs from the
    one before.
    """
    return int(stride * (step * GOLDEN_RATIO % 1))


def moving_windows(frames: int, size: int, overlap: int) -> Callable[[int], list[Window]]:
    """The windows of each step, as a function of the step's index: what :func:`sample` takes.

    Raises:
        InvalidRequest: as :func:`windows`, at once rather than at the first step.
    """
    windows(frames, size, overlap)
    return lambda step: windows(frames, size, overlap, offset_at(step, size - overlap))
