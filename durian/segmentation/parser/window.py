"""The square around a head that the parser is run on: upright, of a known scale, and its map into the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from durian.face import FACE_OVAL
from durian.face.geometry import INNER_LIPS, LEFT_BROW, OUTER_LIPS, RIGHT_BROW, eye_distance
from durian.segmentation.classic.head import LEFT_EYE, RIGHT_EYE, head_axes

LARGE_SCALE = 0.7
"""Pixels of a window for one of the picture, below which the picture is made smaller first."""

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
        matrix = self.matrix
        left, top, right, bottom = self.bounds(image.shape)
        if self.scale < LARGE_SCALE and right > left and bottom > top:
            # Averaged before it is sampled, or fine things flicker; and no more of a large photo than is needed.
            image = image[top:bottom, left:right]
            size = max(1, round((right - left) * self.scale)), max(1, round((bottom - top) * self.scale))
            factor = np.array([(right - left) / size[0], (bottom - top) / size[1]])
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            first = 0.5 * factor - 0.5 + (left, top)
            matrix = np.hstack([matrix[:, :2] * factor, (matrix[:, :2] @ first + matrix[:, 2])[:, None]])
        return cv2.warpAffine(image, matrix, (self.side, self.side), flags=cv2.INTER_LINEAR, borderMode=border)

    def put(self, values: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
        """Values ``(side, side[, C]) float32`` of the window in a box of the picture, ``left, top, right, bottom``
        pixels; 0 outside the window."""
        left, top, right, bottom = box
        matrix = self.matrix.copy()
        matrix[:, 2] += matrix[:, :2] @ (left, top)
        return cv2.warpAffine(
            values, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )

    def put_into(self, other: HeadWindow, values: np.ndarray) -> np.ndarray:
        """Values ``(side, side[, C]) float32`` of this window in another one of the same picture, ``(side, side[, C])``
        of that; beyond this window those of its edge."""
        to_own = np.linalg.inv(np.vstack([other.matrix, [0, 0, 1]]))
        return cv2.warpAffine(
            values,
            self.matrix @ to_own,
            (other.side, other.side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def bounds(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """The box of a picture of this shape that holds the window: ``left, top, right, bottom`` pixels."""
        corners = np.array([[x, y] for x in (-1, self.side) for y in (-1, self.side)]) - self.matrix[:, 2]
        places = np.linalg.solve(self.matrix[:, :2], corners.T).T
        low, high = np.floor(places.min(axis=0)).astype(int), np.ceil(places.max(axis=0)).astype(int) + 1
        height, width = shape[:2]
        left, right = (int(value) for value in np.clip([low[0], high[0]], 0, width))
        top, bottom = (int(value) for value in np.clip([low[1], high[1]], 0, height))
        return left, top, right, bottom

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
    eyes = eye_distance(landmarks)
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
