"""The inside of a hat that its new wearer's head does not fill.

Between a hat and its reference's face was hair, which does not come along. Where the new wearer has none, one looks
into the hat: under a brim, or into the folds of a scarf.
"""

from __future__ import annotations

import cv2
import numpy as np

from durian.geometry.head import Head
from durian.geometry.mesh import CHIN, FACE_OVAL, smoothstep
from durian.layers.round_the_neck import goes_round_the_neck
from durian.layers.skin import polygon

NOSE_BRIDGE = 168
RAYS = 720
POLAR = cv2.INTER_LINEAR | cv2.WARP_FILL_OUTLIERS
SHADE = 0.6
"""Brightness of a hat's inside as a share of its outside's. Taste."""
BELOW = (-0.1, 0.1)
"""Distance below the chin, in face widths, over which a hat's inside ends: there begins a neck."""
UNDER = 0.12
"""How far under a hat's edge its inside goes on, in face widths: if it went on to the outer edge, it would come out
there when the hat moves with the head."""
HAIRLINE = 0.06
"""How far a forehead goes on above the landmarks' outline, in face widths."""
SOFT = 0.015
"""Blur of the face's edge before a hat's inside, in face widths."""


def lining(hat: np.ndarray, filled: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The part of a picture in which one looks into a hat where the wearer has nothing, ``(S, S) float32``.

    That is between the face and the hat. Into a scarf that goes around the neck one looks all around, also where it is
    too narrow to be seen from its reference's side.

    Args:
        hat: ``(S, S) float32`` in [0, 1], the hat at rest.
        filled: ``(S, S) float32`` in [0, 1], what the reference's head and hair filled, carried along with the hat.
        landmarks: ``(478, 3)`` of the wearer, pixels.
    """
    size, head = len(hat), Head(landmarks)
    polar = cv2.warpPolar(hat, (size, RAYS), _centre(landmarks), size, POLAR)

    def back(rays: np.ndarray) -> np.ndarray:
        return cv2.warpPolar(rays, (size, size), _centre(landmarks), size, POLAR | cv2.WARP_INVERSE_MAP)

    missing = np.zeros_like(polar)
    if goes_round_the_neck(hat, landmarks):
        polar, missing = _closed(polar)
        filled = np.maximum(filled, back(missing))
    within = np.maximum.accumulate(polar[:, ::-1], axis=1)[:, ::-1]
    before = np.maximum.accumulate((within * (1 - polar))[:, ::-1], axis=1)[:, ::-1]
    reach = max(1, round(UNDER * head.width))
    below = np.concatenate([np.repeat(before[:, :1], reach, axis=1), before[:, :-reach]], axis=1)
    within = back(np.ascontiguousarray(np.minimum(within, np.maximum(below, missing))))
    face = polygon(landmarks[FACE_OVAL], hat.shape)
    up = -HAIRLINE * head.width * head.axes[:2, 1]
    face = np.maximum(face, cv2.warpAffine(face, np.array([[1, 0, up[0]], [0, 1, up[1]]]), (size, size)))
    face = cv2.GaussianBlur(face, (0, 0), SOFT * head.width)
    above = 1 - smoothstep(below_chin(landmarks, size), *BELOW)
    return (smoothstep(within, 0.5, 0.95) * filled * (1 - face) * above).astype(np.float32)


def _closed(polar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A ring around a face, seen along rays ``(RAYS, S)``, gone on with over rays on which it is missing, and what it
    encloses there."""
    found = np.asarray((polar > 0.5).any(1))
    if found.all() or not found.any():
        return polar, np.zeros_like(polar)
    outer = polar.shape[1] - 1 - np.argmax(polar[:, ::-1] > 0.5, axis=1)
    every = np.arange(len(polar))
    outer = np.interp(every, every[found], outer[found], period=len(polar))
    missing = np.clip(outer[:, None] - np.arange(polar.shape[1]), 0, 1) * ~found[:, None]
    missing = np.ascontiguousarray(missing, np.float32)
    return np.maximum(polar, missing), missing


def below_chin(landmarks: np.ndarray, size: int) -> np.ndarray:
    """How far each pixel is below the chin, in face widths, ``(S, S)``."""
    head = Head(landmarks)
    down = head.axes[:2, 1] / np.linalg.norm(head.axes[:2, 1])
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return (np.stack([x, y], -1) - landmarks[CHIN, :2]) @ down / head.width


def _centre(landmarks: np.ndarray) -> tuple[float, float]:
    x, y = landmarks[NOSE_BRIDGE, :2]
    return float(x), float(y)
