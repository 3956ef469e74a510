"""The skin that a beard hides, guessed from the skin that its wearer shows."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import eye_distance
from durian.layers.completion.skin import smooth_skin
from durian.layers.skin import skin_pixels

CLEAR = 0.10
"""Distance from an item, in outer-eye distances, within which skin may already be in its shade or under single
hairs."""
LEAST_PIXELS = 60


def bare_skin(image: np.ndarray, covered: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Skin as it would be without what covers it, ``(h, w, 3) float32``, 1-255.

    It has the light that falls on the face, and the light and shade of lips, chin and jaw that nose and cheeks tell
    (:mod:`durian.layers.completion.face_relief`). Near skin that is seen, its own deviation from that goes on, so that
    there is no step along an item's edge.

    Args:
        image: ``(h, w, 3) float32``, 0-255.
        covered: ``(h, w) float32`` in [0, 1], what is no skin although it lies on the face.
        landmarks: ``(478, 3)`` pixels.
    """
    height, width = image.shape[:2]
    reach = max(1, round(CLEAR * eye_distance(landmarks)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    skin = skin_pixels(landmarks, (height, width)) > 0.9
    known = skin & (cv2.dilate((covered > 0.1).astype(np.uint8), kernel) == 0)
    if known.sum() < LEAST_PIXELS:
        known = skin & (covered < 0.5)
    if known.sum() < LEAST_PIXELS:
        known = np.ones((height, width), bool)
    room = max(0, width - height), max(0, height - width)
    square = np.pad(image.astype(np.float32), ((0, room[0]), (0, room[1]), (0, 0)), mode="edge")
    made = smooth_skin(square, landmarks, np.pad(known, ((0, room[0]), (0, room[1]))))
    return made[:height, :width].clip(1, 255)
