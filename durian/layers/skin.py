"""Region of a face that shows skin, from its landmarks."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.geometry.head import Head
from durian.geometry.mesh import BROWS, EYES, FACE_OVAL, OUTER_LIPS, smoothstep
from durian.masks import signed_distance

FLESH = (0.03, 0.06)
"""Distance beside a face, in outer-eye distances, between which what looks like background comes to be background."""


def polygon(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Anti-aliased inside of a closed contour ``(K, 2 or 3)``, ``(H, W) float32`` in [0, 1]."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(points[:, :2] * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def face_and_skull(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Where a head without hair, ears and neck is, ``(H, W) float32`` in [0, 1]."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    distance = Head(landmarks).skull_distance(np.stack([x, y], -1)).astype(np.float32)
    return np.maximum(1 - smoothstep(distance, 0.97, 1.02), polygon(landmarks[FACE_OVAL], shape)).astype(np.float32)


def beyond_face(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Farther beside the landmarks' outline of a face than its flesh may be, ``(H, W) float32`` in [0, 1]."""
    away = signed_distance(np.uint8(255) * (polygon(landmarks[FACE_OVAL], shape) > 0.5)).astype(np.float32)
    return smoothstep(away / eye_distance(landmarks), *FLESH)


def skin_pixels(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Where the face shows skin: the oval without eyes, brows and lips, ``(H, W) float32``."""
    skin = cv2.erode(polygon(landmarks[FACE_OVAL], shape), np.ones((5, 5)))
    margin = np.ones((2 * max(1, int(0.05 * np.ptp(landmarks[FACE_OVAL, 0]))) + 1,) * 2)
    for part in (*EYES, *BROWS, OUTER_LIPS):
        skin *= 1 - cv2.dilate(polygon(landmarks[part], shape), margin)
    return skin


def colour_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distance in CIE Lab (ΔE 1976) of two pictures ``(H, W, 3) float32``, 0-255, per pixel ``(H, W)``."""

    def lab(image: np.ndarray) -> np.ndarray:
        return cv2.cvtColor(np.clip(image, 0, 255).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)

    return np.linalg.norm(lab(first) - lab(second), axis=-1)
