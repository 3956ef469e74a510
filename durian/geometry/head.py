"""A 3-D head estimated from 478 landmarks: pose, skull and a depth for every pixel.

The landmarks end at the forehead and the jaw. Hair, hats and ears lie behind them, so a skull ellipsoid is placed
behind the face and blended into the landmarks' own depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

SYMMETRIC_PAIRS = np.array(
    [(33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (93, 323), (132, 361), (70, 300), (103, 332)]
)
"""Left and right (in the picture) landmarks of one height; their differences give the head's x axis."""
MIDLINE_TOP, MIDLINE_BOTTOM = np.array([10, 151, 9]), np.array([2, 164, 94])
"""Forehead and upper-lip points that no expression moves much; their difference gives the head's y axis."""

# Skull, in widths of the face at the ears (landmarks 234 to 454), from the midpoint between the ears. Taste, checked
# against the outlines of rendered heads whose skulls are known.
SKULL_UP, SKULL_BACK = 0.30, 0.12
SKULL_RADII = (0.54, 0.64, 0.66)
DEPTH_REACH = 0.16
"""Width of the landmarks' influence on the depth around them, in face widths."""


@dataclass(frozen=True)
class Head:
    """Pose and skull of one face.

    Args:
        landmarks: ``(478, 3) float32`` pixels, smaller z is nearer.
    """

    landmarks: np.ndarray

    @cached_property
    def axes(self) -> np.ndarray:
        """``(3, 3)``: columns are the head's right (as seen), down and back directions, orthonormal."""
        pairs = self.landmarks[SYMMETRIC_PAIRS]
        x = (pairs[:, 1] - pairs[:, 0]).sum(0).astype(np.float64)
        x /= np.linalg.norm(x)
        y = self.landmarks[MIDLINE_BOTTOM].mean(0) - self.landmarks[MIDLINE_TOP].mean(0)
        y = y - x * (x @ y)
        y /= np.linalg.norm(y)
        return np.stack([x, y, np.cross(x, y)], 1)

    @cached_property
    def width(self) -> float:
        """Distance between the ears (landmarks 234 and 454) in 3-D, pixels."""
        return float(np.linalg.norm(self.landmarks[454] - self.landmarks[234]))

    @cached_property
    def centre(self) -> np.ndarray:
        """``(3,)`` centre of the skull."""
        middle = (self.landmarks[234] + self.landmarks[454]) / 2
        return middle + self.axes @ np.array([0.0, -SKULL_UP, SKULL_BACK]) * self.width

    @cached_property
    def radii(self) -> np.ndarray:
        """``(3,)`` radii of the skull along the head's axes, pixels."""
        return np.array(SKULL_RADII) * self.width

    def skull_distance(self, points: np.ndarray) -> np.ndarray:
        """Elliptic distance of picture points ``(..., 2)`` from the skull's centre; 1 on its outline, ``(...)``."""
        roll = self.axes[:2, 1] / np.linalg.norm(self.axes[:2, 1])
        offset = points - self.centre[:2]
        along, across = offset @ roll, offset @ np.array([roll[1], -roll[0]])
        return np.hypot(across / self.radii[0], along / self.radii[1])

    def depth(self, points: np.ndarray) -> np.ndarray:
        """Depth of picture points ``(N, 2)``, ``(N,) float32``: the landmarks' near them, the skull's elsewhere."""
        proxy = self._skull_depth(points)
        error = self.landmarks[:, 2] - self._skull_depth(self.landmarks[:, :2])
        reach = (DEPTH_REACH * self.width) ** 2
        across, down = (points[:, k, None] - self.landmarks[:, k] for k in (0, 1))
        squared = across**2 + down**2
        weight = np.exp(-squared / (0.08 * reach)) + 0.02 * np.exp(-squared / (2 * reach))
        return (proxy + (weight @ error) / (weight.sum(1) + 0.05)).astype(np.float32)

    def _skull_depth(self, points: np.ndarray) -> np.ndarray:
        inside = np.clip(1 - self.skull_distance(points) ** 2, 0, None)
        return self.centre[2] - self.radii[2] * np.sqrt(inside)
