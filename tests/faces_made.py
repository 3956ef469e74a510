"""The canonical face as a plain picture: skin, lips, and the dark of an open mouth that reaches over its lips' edge."""

from __future__ import annotations

import cv2
import numpy as np

from durian.face import Crop
from durian.geometry.mesh import INNER_LIPS, OUTER_LIPS
from durian.layers.skin import polygon
from durian.motion.canonical import actions, canonical_face
from durian.motion.rotations import euler
from durian.request import Portrait

SIDE, UNIT = 256, 90.0
"""Pixels: of the picture, and between the outer eye corners."""
SKIN, LIP, DARK = (205, 160, 135), (180, 95, 90), (25, 10, 10)
JAW = [58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 287, 375, 405, 17, 181, 146, 57]
"""Landmarks around a beard from jaw to lower lip."""
NAMES = ("hat", "hair", "glasses", "beard", "lips")


def made_landmarks(opened: float = 0.0, yaw: float = 0.0) -> np.ndarray:
    """``(478, 3) float32`` in the picture's pixels: the jaw opened, the head turned by degrees."""
    face = canonical_face() + opened * actions()["jaw_open"]
    return (UNIT * face @ euler(yaw, 0, 0).T + [SIDE / 2, 0.42 * SIDE, 0]).astype(np.float32)


def made_beard(landmarks: np.ndarray) -> np.ndarray:
    """The matte of a beard from jaw to lower lip, ``(256, 256) float32`` in [0, 1]."""
    return cv2.GaussianBlur(polygon(landmarks[JAW], (SIDE, SIDE)), (0, 0), 1.5)


def made_face(landmarks: np.ndarray, spill: int = 0) -> np.ndarray:
    """``(256, 256, 3) uint8``; the dark of the mouth reaches ``spill`` pixels over the lips, as a lip's shadow does."""
    image = np.full((SIDE, SIDE, 3), SKIN, np.uint8)
    lips, inside = (np.round(landmarks[contour, :2]).astype(np.int32) for contour in (OUTER_LIPS, INNER_LIPS))
    cv2.fillPoly(image, [lips], LIP)
    mouth = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mouth, [inside], 1)
    image[cv2.dilate(mouth, np.ones((2 * spill + 1,) * 2)) > 0] = DARK
    return image


def made_portrait(image: np.ndarray, landmarks: np.ndarray) -> Portrait:
    """The whole picture, bare-headed."""
    nothing = np.zeros(image.shape[:2], np.uint8)
    middle = (SIDE - 1) / 2
    return Portrait(image, landmarks, Crop(middle, middle, SIDE), dict.fromkeys(NAMES, nothing))
