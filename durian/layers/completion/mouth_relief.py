"""Light and shade of the skin around a mouth and along a jaw, where a beard hid it: a smooth continuation is flat."""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import FACE_OVAL, smoothstep
from durian.layers.skin import polygon
from durian.masks import signed_distance

UPPER_LIP, LOWER_LIP, NOSE_BASE, CHIN_BALL, CHIN_TIP = 0, 17, 2, 200, 152
MOUTH_CORNERS = (61, 291)
GROOVE, FOLD, BALL, CORNER, JAW = -0.16, -0.36, 0.10, -0.22, -0.32
"""Logarithms of how much darker the groove above the upper lip and the fold below the lower one are than skin around
them, how much brighter a chin is, and how much darker the corners of a mouth and the edge of a jaw. Taste, in light
from above, which most portraits have."""
FOLD_WIDE, JAW_WIDE = 0.5, 0.1
"""Half the width of the fold, in halves of a mouth, and how far a jaw's edge reaches inwards, in face widths: outwards
half as far, for there the neck begins."""

INWARDS = 0.04
"""Width, in face widths, over which it begins beside skin that is seen."""


def with_mouth_relief(skin: np.ndarray, landmarks: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Smooth skin with the light and shade that most faces have around the mouth.

    Args:
        skin: ``(S, S, 3) float32`` 0-255.
        landmarks: ``(478, 3)`` pixels.
        hidden: ``(S, S) bool`` what of it is made up; what is seen has its own and stays.

    Returns:
        ``(S, S, 3) float32`` 0-255.
    """
    inwards = cv2.distanceTransform(hidden.astype(np.uint8), cv2.DIST_L2, 5) / (INWARDS * Head(landmarks).width)
    shade = np.exp(smoothstep(inwards, 0, 1) * mouth_relief(landmarks, hidden.shape))
    return np.clip(skin * shade[..., None], 0, 255).astype(np.float32)


def mouth_relief(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How light and dark skin is around most mouths, beside a smooth face.

    Args:
        landmarks: ``(478, 3)`` pixels.
        shape: the picture's height and width.

    Returns:
        Logarithms of ratios, ``(H, W) float32``.
    """
    points = landmarks[:, :2].astype(np.float32)
    head = Head(landmarks)
    down = (head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])).astype(np.float32)
    left, right = points[list(MOUTH_CORNERS)]
    half = max(float(np.linalg.norm(right - left)) / 2, 1.0)
    across = (right - left) / (2 * half)
    lip_to_chin = max(float((points[CHIN_TIP] - points[LOWER_LIP]) @ down), 1.0)
    nose_to_lip = max(float((points[UPPER_LIP] - points[NOSE_BASE]) @ down), 1.0)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    places = np.stack([x, y], -1)

    def spot(centre: np.ndarray, wide: float, high: float) -> np.ndarray:
        along, below = ((places - centre) @ axis for axis in (across, down))
        return np.exp(-0.5 * ((along / wide) ** 2 + (below / high) ** 2))

    relief = FOLD * spot(points[LOWER_LIP] + 0.22 * lip_to_chin * down, FOLD_WIDE * half, max(0.13 * lip_to_chin, 1.0))
    relief += BALL * spot(points[CHIN_BALL], 0.45 * half, max(0.22 * lip_to_chin, 1.0))
    groove = (points[UPPER_LIP] + points[NOSE_BASE]) / 2
    relief += GROOVE * spot(groove, 0.11 * half, max(0.35 * nose_to_lip, 1.0))
    for corner, outwards in ((left, -across), (right, across)):
        relief += CORNER * spot(corner + 0.12 * half * outwards, 0.12 * half, 0.22 * half)
    away = signed_distance(np.uint8(255) * (polygon(landmarks[FACE_OVAL], shape) > 0.5))
    from_edge = np.where(away < 0, away, 2 * away) / (JAW_WIDE * head.width)
    below_mouth = smoothstep((places - (left + right) / 2) @ down / lip_to_chin, -0.6, 0.5)
    relief += JAW * below_mouth * np.exp(-(from_edge**2))
    return relief.astype(np.float32)
