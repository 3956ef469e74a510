"""The square around a head that the parser sees: upright, of a known scale, and the way back into the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.face import FACE_OVAL
from durian.segmentation.head import INNER_LIPS, LEFT_BROW, LEFT_EYE, OUTER_LIPS, RIGHT_BROW, RIGHT_EYE, head_axes

NOSE_RIDGE = (168, 6, 197, 195, 5, 4, 2)
DRAWN = ((FACE_OVAL, 70), (LEFT_BROW, 120), (RIGHT_BROW, 120), (OUTER_LIPS, 170), (LEFT_EYE, 220), (RIGHT_EYE, 220))
"""Polygons of landmarks that are filled, one over the other, and their values."""
INNER_VALUE = 255
"""Value of the gap between the lips and of the ridge of the nose."""


@dataclass(frozen=True)
class HeadWindow:
    """A square of ``side`` pixels whose up is the head's: ``matrix (2, 3)`` takes picture pixels to its own.

    Pixel centres are at integers in both.
    """

    matrix: np.ndarray
    side: int

    @classmethod
    def around(
        cls, landmarks: np.ndarray, side: int, unit: float, middle: tuple[float, float] = (0.5, 0.5), turn: float = 0.0
    ) -> HeadWindow:
        """The window in which the eyes have a place and the head a size.

        Args:
            landmarks: ``(478, 2 or 3)`` pixels of the picture.
            side: of the window, pixels.
            unit: pixels of the window that the distance of the outer eye corners becomes, for a face seen from the
                front.
            middle: where the middle between the eyes comes, as shares of the side.
            turn: radians by which the head leans to the right in it.
        """
        landmarks = np.asarray(landmarks, np.float64)[:, :2]
        right, down = head_axes(landmarks)
        scale = unit / head_unit(landmarks)
        cos, sin = np.cos(turn), np.sin(turn)
        rotation = np.array([[cos, -sin], [sin, cos]]) @ np.stack([right, down]) * scale
        eyes = (landmarks[33] + landmarks[263]) / 2
        place = np.array(middle) * side - 0.5
        return cls(np.hstack([rotation, (place - rotation @ eyes)[:, None]]), side)

    def take(self, image: np.ndarray, border: int = cv2.BORDER_REFLECT_101) -> np.ndarray:
        """The window's part of a picture or mask, ``(side, side[, C])`` of the same dtype; what lies outside the
        picture is mirrored."""
        shrink = 1 / self.scale
        if shrink > 1.5:  # averaged before it is sampled, or fine things flicker
            image = cv2.GaussianBlur(image, (0, 0), 0.35 * shrink)
        return cv2.warpAffine(image, self.matrix, (self.side, self.side), flags=cv2.INTER_LINEAR, borderMode=border)

    def put(self, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Values ``(side, side[, C]) float32`` of the window in a picture of this shape; 0 outside the window."""
        size = (shape[1], shape[0])
        return cv2.warpAffine(values, self.matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)

    def points(self, points: np.ndarray) -> np.ndarray:
        """Picture pixels ``(N, 2 or more)`` as the window's, ``(N, 2)``."""
        return np.asarray(points, np.float64)[:, :2] @ self.matrix[:, :2].T + self.matrix[:, 2]

    @property
    def scale(self) -> float:
        """Pixels of the window for one of the picture."""
        return float(np.hypot(*self.matrix[:, 0]))


def head_unit(landmarks: np.ndarray) -> float:
    """Distance of the outer eye corners in pixels, of a turned head about what it would be from the front.

    A turn shortens the distance of the eyes but not the height of the face.
    """
    eyes = float(np.linalg.norm(landmarks[33, :2] - landmarks[263, :2]))
    height = float(np.linalg.norm(landmarks[10, :2] - landmarks[152, :2]))
    return max(eyes, 0.46 * height, 1.0)


def draw_face(points: np.ndarray, side: int) -> np.ndarray:
    """Where a face's parts are, ``(side, side) uint8``, of landmarks ``(478, 2)`` in a window's pixels."""
    drawing = np.zeros((side, side), np.uint8)
    whole = np.rint(points).astype(np.int32)
    for indices, value in DRAWN:
        cv2.fillPoly(drawing, [whole[list(indices)]], value)
    cv2.fillPoly(drawing, [whole[list(INNER_LIPS)]], INNER_VALUE)
    cv2.polylines(drawing, [whole[list(NOSE_RIDGE)]], False, INNER_VALUE, max(1, side // 160))
    return drawing
