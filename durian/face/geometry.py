"""A face's roll and sizes, measured on its 478 landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LANDMARKS = 478
"""468 points of the MediaPipe face mesh and 5 of each iris."""

OUTER_EYES = (33, 263)
"""Outer corners of the eyes; the distance between them is the project's unit of length on a face."""

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The face's outline in order, from the top of the forehead over the picture's right side and the chin."""

OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
LEFT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
RIGHT_BROW = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
"""Contours in order; left is the picture's."""

FOREHEAD_TOP, CHIN = 10, 152


@dataclass(frozen=True, eq=False)
class Face:
    """One detected face.

    ``landmarks`` is ``(478, 3) float32``: x right, y down in pixels of the picture, z in pixels, smaller is nearer.
    ``confidence`` is the detector's, 0 to 1; ``flatness`` the part of the face without any shading, 0 to 1: drawings
    are flat, skin is not.
    """

    landmarks: np.ndarray
    confidence: float = 1.0
    flatness: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """``(x0, y0, x1, y1)`` around all landmarks, in pixels."""
        low, high = self.landmarks[:, :2].min(0), self.landmarks[:, :2].max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def eye_distance(self) -> float:
        """Pixels between the outer eye corners."""
        return eye_distance(self.landmarks)

    @property
    def roll(self) -> float:
        """Degrees by which the head is turned clockwise as seen, -180 to 180; 0 is upright."""
        return roll(self.landmarks)


def roll(landmarks: np.ndarray) -> float:
    """Degrees from upright, clockwise as seen, -180 to 180, of landmarks ``(478, 2 or 3)``."""
    down = landmarks[CHIN, :2] - landmarks[FOREHEAD_TOP, :2]
    return float(np.degrees(np.arctan2(-down[0], down[1])))


def eye_distance(landmarks: np.ndarray) -> float:
    """Distance between the outer eye corners in the picture's plane.

    Args:
        landmarks: ``(478, 2 or 3)`` pixels.
    """
    left, right = OUTER_EYES
    return float(np.linalg.norm(landmarks[left, :2] - landmarks[right, :2]))


def face_middle(landmarks: np.ndarray) -> tuple[float, float]:
    """``x`` and ``y`` of the middle of the box around landmarks ``(478, 2 or 3)``."""
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    x, y = (low + high) / 2
    return float(x), float(y)


def face_height(landmarks: np.ndarray) -> float:
    """Pixels from the top of the forehead to the chin, in the picture's plane."""
    return float(np.linalg.norm(landmarks[FOREHEAD_TOP, :2] - landmarks[CHIN, :2]))
